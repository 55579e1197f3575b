"""What goes by the clock on one connection of the live feed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How often something is said in silence, and how long a client may keep us waiting. In seconds."""

    heartbeat: float
    patience: float


class Pulse:
    """When something was said and heard last, and when what waits to be read has moved. Times are the loop's."""

    def __init__(self, now: float) -> None:
        self.said_at = self.heard_at = self.pinged_at = now
        self._moved_at = now
        self._written = self._flushed = 0

    def said(self, size: int, now: float) -> None:
        """So many bytes were handed to the transport."""
        self._written += size
        self.said_at = now

    def look(self, waiting: int, now: float) -> None:
        """So many bytes still wait there."""
        flushed = self._written - waiting
        if not waiting or flushed != self._flushed:
            self._moved_at, self._flushed = now, flushed

    def is_stalled(self, now: float, pace: Pace) -> bool:
        """Whether something waits and has not moved for too long."""
        return now - self._moved_at > pace.patience
