"""What Prometheus is told."""

from collections import Counter as Counts
from collections.abc import Iterable
from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from application.record_commands import Answer
from domain.receipt import CommandConflict, Receipt

REQUEST_SECONDS = Histogram("certinext_audit_request_seconds", "How long requests took.", ["method", "route", "status"])
COMMANDS = Counter("certinext_audit_commands", "Commands received, by what came of them.", ["outcome"])
SIGN_INS_REFUSED = Counter("certinext_audit_sign_ins_refused", "Requests that were not let in, by reason.", ["reason"])
QUARANTINED = Counter("certinext_audit_quarantined", "Commands that could not be understood, by reason.", ["kind"])
QUARANTINE_FULL = Counter(
    "certinext_audit_quarantine_full", "Commands that could not be understood, and not be kept for want of room."
)
WAITING = Gauge("certinext_audit_quarantine_waiting", "Commands in quarantine that have not become an event.")
LAG = Gauge("certinext_audit_projector_lag_events", "Events recorded and not applied yet.", ["projection"])
SET_ASIDE = Gauge("certinext_audit_events_set_aside", "Events that could not be applied.", ["projection"])
CHECKPOINTS = Counter(
    "certinext_audit_checkpoints", "Checkpoints, by whether they were signed or refused.", ["outcome"]
)
SIGNING_ALARMS = Gauge(
    "certinext_audit_signing_alarms", "Ledgers of which no checkpoint is signed, since that would contradict the last."
)
VERIFICATION_ALARMS = Gauge(
    "certinext_audit_verification_alarms",
    "Ledgers found to be tampered with, and not found intact in everything since.",
)
FEED_FRAMES = Counter("certinext_audit_feed_events", "Events sent to clients of the live feed.")
FEED_CLOSED = Counter("certinext_audit_feed_closed", "Connections of the live feed that we closed, by why.", ["reason"])
FEED_CLIENTS = Gauge("certinext_audit_feed_clients", "Who follows the live feed now.", multiprocess_mode="livesum")
FEED_BEHIND = Gauge(
    "certinext_audit_feed_clients_behind",
    "Those of them who are served from the table, at their own pace.",
    multiprocess_mode="livesum",
)
OF_EACH_PROCESS = (FEED_CLIENTS, FEED_BEHIND)
"""What a process counts for itself: of several it is the sum."""
DATABASE_UP = Gauge("certinext_audit_database_up", "Whether the database answers.")


def count(answers: Iterable[Answer]) -> None:
    """Count commands by their outcomes."""
    for outcome, number in Counts(map(_outcome, answers)).items():
        _commands(outcome).inc(number)


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request, with the time that it took."""
    _requests(method, route, status).observe(seconds)


def count_checkpoint(outcome: str) -> None:
    """Count one that was `signed` or `refused`."""
    CHECKPOINTS.labels(outcome).inc()


def _outcome(answer: Answer) -> str:
    if isinstance(answer, Receipt):
        return "duplicate" if answer.duplicate else "recorded"
    return "conflict" if isinstance(answer, CommandConflict) else "refused"


# Finding one by its labels takes longer than counting, and there are few.
_commands = cache(COMMANDS.labels)
_requests = cache(REQUEST_SECONDS.labels)
