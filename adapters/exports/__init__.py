"""Events as files: workbooks, JSON Lines and CSV, streamed; and reading them back to be checked."""
