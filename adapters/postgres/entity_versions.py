"""The last versions of entities that this process has given out itself, to spare the database the question."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.words import Ledger, Position

_MOST_ENTITIES = 200_000
"""Over all ledgers; beyond it everything is forgotten and learned anew."""

_NOTHING: Mapping[str, int] = MappingProxyType({})


class EntityVersions:
    """Owned by one event store, which asks and tells it from one event loop.

    What is known of a ledger holds at one position of its head. A head that is elsewhere was moved by another
    process, which may have given out versions that we do not know: then nothing is known.
    """

    def __init__(self) -> None:
        self._known: dict[Ledger, tuple[Position, dict[str, int]]] = {}
        self._count = 0

    def at(self, ledger: Ledger, position: Position) -> Mapping[str, int]:
        """What is known of a ledger whose locked head is at this position."""
        known = self._known.get(ledger)
        return known[1] if known is not None and known[0] == position else _NOTHING

    def moved(self, ledger: Ledger, before: Position, after: Position, versions: Mapping[str, int]) -> None:
        """An append from one position to another was committed; these are versions at the latter."""
        position, known = self._known.get(ledger, (Position(-1), {}))
        if position > after:
            return
        if position != before:
            self._count -= len(known)
            known = {}
        size = len(known)
        known.update(versions)
        self._count += len(known) - size
        self._known[ledger] = after, known
        if self._count > _MOST_ENTITIES:
            self._known.clear()
            self._count = 0
