"""The moment as of which something is asked."""

from dataclasses import dataclass
from datetime import datetime

from domain.values import JsonObject, rfc3339
from domain.words import Position


@dataclass(frozen=True, slots=True)
class Moment:
    """As of a time, by when things occurred and with all that is known of it by now; or as of a position, by what
    had been recorded then. Neither stands for now."""

    at: datetime | None = None
    position: Position | None = None

    def as_json(self) -> JsonObject:
        """As parameters of a query."""
        if self.at is not None:
            return {"at": rfc3339(self.at)}
        return {} if self.position is None else {"position": self.position}

    def __str__(self) -> str:
        if self.at is not None:
            return rfc3339(self.at)
        return "now" if self.position is None else f"position {self.position}"


NOW = Moment()
