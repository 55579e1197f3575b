"""How long a test waits for what should come soon."""

PATIENCE = 60
"""Seconds. On a machine at rest it comes at once; on one that does ten things it is not the test's fault."""
