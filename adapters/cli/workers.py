"""`certinext-audit serve --workers N`: the parent's side."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from adapters import bootstrap
from adapters.settings import Settings
from adapters.workers import Supervisor, figures_folder, forget_living, held_port

_WORKER = (sys.executable, "-P", "-m", "adapters.cli.worker")


async def serve_with_workers(settings: Settings, count: int, on_ready: Callable[[str], None]) -> None:
    """Serve with `count` processes until told to stop (SIGTERM or SIGINT), and wait until they have drained.

    Raises CannotListen, and WorkersFailed (in a group) if workers cannot be kept running.
    """
    stop = bootstrap.stop_signal()
    with ExitStack() as held, figures_folder() as variables:
        with bootstrap.listening(settings):
            port = held.enter_context(held_port(settings.host, settings.port))
        environment = os.environ | variables | {"CERTINEXT_AUDIT_PORT": str(port), "PYTHONPATH": _path()}
        forget = partial(forget_living, environment["PROMETHEUS_MULTIPROC_DIR"])
        await Supervisor(_WORKER, environment, count, forget).run(stop, on_ready)


def _path() -> str:
    """Where this process has its code from, so that workers have the same."""
    return os.pathsep.join(map(os.path.abspath, sys.path))
