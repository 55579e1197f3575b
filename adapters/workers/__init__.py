"""Several processes that serve on one port: a parent starts them, replaces those that die, and stops them."""

from adapters.workers.figures import forget_living, report_all_workers
from adapters.workers.lifeline import end_with_parent
from adapters.workers.port import held_port
from adapters.workers.supervisor import Supervisor, WorkersFailed, figures_folder

__all__ = [
    "Supervisor",
    "WorkersFailed",
    "end_with_parent",
    "figures_folder",
    "forget_living",
    "held_port",
    "report_all_workers",
]
