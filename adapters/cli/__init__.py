"""The command line: `certinext-audit`."""

from adapters.cli.main import main

__all__ = ["main"]
