"""What the audit trail can do, in figures: `python -m benchmarks`. See docs/benchmarks.md."""
