"""A guardian that ends before its clients gets a successor."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from adapters.embedded.errors import EmbeddedPostgresError

_LOOK_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0


@contextmanager
def succession(start: Callable[[], bool]) -> Iterator[None]:
    """Look from a thread, again and again until the block ends, whether a guardian is missing.

    `start` starts one if none runs, and says whether it did. One that is missing again at the next look is given
    more and more time, up to half a minute.
    """
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(start, over), name="succession", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(start: Callable[[], bool], over: threading.Event) -> None:
    # Only here: the guardian imports this package and logs nothing, and this would be most of what its start costs.
    import structlog  # noqa: PLC0415

    log = structlog.get_logger()
    pause = _LOOK_SECONDS
    while not over.wait(pause):
        try:
            started = start()
        except (EmbeddedPostgresError, OSError) as error:
            log.error("embedded_database_not_started", error=str(error))  # noqa: TRY400  # Its words say it all.
            started = True
        else:
            if started:
                log.error("embedded_database_started_again")
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS) if started else _LOOK_SECONDS
