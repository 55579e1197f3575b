"""One JSON object in each line of the log."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from prometheus_client import Counter
from structlog.typing import EventDict

ERRORS = Counter("certinext_audit_errors", "Lines of level error in the log, by what they tell.", ["event"])


def _name_exception(_: Any, __: str, event: EventDict) -> EventDict:
    """Where an exception came from and of which type: its message may quote keys and values of the database."""
    information = event.pop("exc_info", None)
    error = sys.exc_info()[1] if information is True else information
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = type(error).__qualname__
        event["frames"] = [
            f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_tb(error.__traceback__)
        ]
    return event


def _count(_: Any, __: str, event: EventDict) -> EventDict:
    """An alarm may watch what the log tells, such as a clock that jumped back."""
    if event["level"] in {"error", "critical"}:
        ERRORS.labels(event["event"]).inc()
    return event


def _json(event: EventDict, default: Callable[[Any], Any]) -> str:
    return orjson.dumps(event, default, orjson.OPT_NON_STR_KEYS).decode()


def configure_logs(level: str) -> None:
    """Let everything that is logged, by us or by a library, come as JSON on the standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_exception,
    ]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        # Not of libraries: their messages are of any number.
        processors=[*shared, _count, structlog.processors.JSONRenderer(_json)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(_json),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
