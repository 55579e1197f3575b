"""How a worker learns that its parent is gone."""

import os
import signal
import threading
import time

_STANDARD_INPUT = 0
_DRAIN_SECONDS = 90


def end_with_parent() -> None:
    """Tell ourselves to stop when our standard input ends: the parent holds its other end and never writes.

    The kernel closes it however the parent ends. What was accepted is still answered; a process that cannot
    stop for minutes is ended.
    """
    threading.Thread(target=_watch, name="lifeline", daemon=True).start()


def _watch() -> None:
    while os.read(_STANDARD_INPUT, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_DRAIN_SECONDS)
    os._exit(1)
