"""The last versions of entities that this process has given out itself, to spare the database the question."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.words import Ledger

_MOST_ENTITIES = 200_000
"""Over all ledgers; beyond it everything is forgotten and learned anew."""

_NOTHING: Mapping[str, int] = MappingProxyType({})


class EntityVersions:
    """Owned by one event store, which asks and tells it from one event loop.

    What is known of a ledger holds at one end of its chain. A head with another chain hash was moved by another
    process, or restored, and versions may have been given out that we do not know: then nothing is known.
    """

    def __init__(self) -> None:
        self._known: dict[Ledger, tuple[bytes, dict[str, int]]] = {}
        self._count = 0

    def at(self, ledger: Ledger, chain_hash: bytes) -> Mapping[str, int]:
        """What is known of a ledger whose locked head has this chain hash."""
        known = self._known.get(ledger)
        return known[1] if known is not None and known[0] == chain_hash else _NOTHING

    def moved(self, ledger: Ledger, before: bytes, after: bytes, versions: Mapping[str, int]) -> None:
        """An append from one end of the chain to another was committed; these are versions at the latter."""
        chain_hash, known = self._known.get(ledger, (b"", {}))
        if chain_hash != before:
            self._count -= len(known)
            known = {}
        size = len(known)
        known.update(versions)
        self._count += len(known) - size
        self._known[ledger] = after, known
        if self._count > _MOST_ENTITIES:
            self._known.clear()
            self._count = 0
