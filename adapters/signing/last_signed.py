"""The last checkpoint signed, in a file for each ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from adapters.private_files import write_private
from domain.words import Ledger


@dataclass(frozen=True)
class LastSignedFiles:
    """Keeps the promises of `application.ports.LastSigned` in one folder."""

    folder: Path

    def read(self, ledger: Ledger) -> str | None:
        try:
            return self._path(ledger).read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return None

    def keep(self, ledger: Ledger, note: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path(ledger), note)

    def ledgers(self) -> Collection[Ledger]:
        if not self.folder.exists():
            return ()
        return sorted(Ledger(file.name) for file in self.folder.iterdir() if file.suffix != ".tmp")

    def _path(self, ledger: Ledger) -> Path:
        if "/" in ledger or ledger.startswith("."):
            raise OSError(f"{ledger!r} is no name of a file")
        return self.folder / ledger
