"""Processes of our own for work that takes a core, beside the one that answers.

They begin with nothing but what they are asked to do, end with who started them, and hold no key.
"""

from adapters.processes.work_process import ProcessDied, WorkProcess, started_process

__all__ = ["ProcessDied", "WorkProcess", "started_process"]
