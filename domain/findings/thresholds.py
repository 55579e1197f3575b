"""From where on something is worth a finding; an operator may set each."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Thresholds:
    failed_log_ins: int = 10
    """So many failed log-ins of one account, each ..."""
    failed_log_ins_within: timedelta = timedelta(minutes=15)
    """... within so long of the first of them."""
    habit_days: int = 20
    """On so many days somebody must have been seen before their hours are known."""
    habit_percent: int = 5
    """An hour is usual for somebody who was seen in it on so many of a hundred days."""
    clock_ahead: timedelta = timedelta(minutes=2)
    """How far a source's clock may be ahead of ours."""
    late: timedelta = timedelta(hours=1)
    """How much later than is usual for its source an event may come."""
