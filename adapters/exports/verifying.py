"""Checking an exported file without the service: `certinext-audit verify FILE`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile, ZipFile

from adapters.exports.jsonl_reader import JsonLinesFile
from adapters.exports.proof_texts import ProofTexts
from adapters.exports.told import Facts
from adapters.exports.xlsx.reader import SheetReader, Unreadable
from adapters.exports.xlsx.workbook_reader import WorkbookFile
from domain.checkpoint import open_checkpoint
from domain.export_check import ExportCheck, ExportedRow, Fault, Verdict
from domain.manifest import Manifest, key_for_checkpoints, key_for_exports, open_manifest
from domain.signed_note import InvalidNote, InvalidVerifierKey, SignedNote, VerifierKey

_ZIP = b"PK"
_LINES = b'{"export"'
_COMMAS = b"User,User id,"
_TELL_EVERY = 500
_KEY_BYTES = 32


class ExportedFile(Protocol):
    """A file whose rows can be checked. Methods raise Unreadable."""

    def proof_texts(self) -> ProofTexts:
        """What it holds to be checked with. Raises InvalidNote, too."""

    def rows(self) -> Iterator[ExportedRow]:
        """Its rows in their order."""

    def check_sheets_for_people(self, facts: Facts) -> Iterator[Fault]:
        """What it says about itself that does not follow from its rows and its manifest."""


@dataclass(frozen=True)
class CheckedExport:
    """What came of checking a file."""

    verdict: Verdict
    manifest: Manifest | None
    key: VerifierKey | None
    """The key by which the manifest was signed."""
    key_from_file: bool
    """Whether that key was taken from the file itself, which whoever changed the file could have changed, too."""


def check_export(
    path: Path, keys: Sequence[VerifierKey | bytes], tell: Callable[[int, int], None] = lambda _done, _all: None
) -> CheckedExport:
    """Check a file by these keys: by the one that it names itself if there are none.

    `tell` is called with the rows that are done and all that there should be. Raises Unreadable, OSError, and
    InvalidVerifierKey if the key in the file is none.
    """
    with open_export(path) as file:
        texts = file.proof_texts()
        verdict = Verdict()
        known = _named(keys, texts) if keys else [VerifierKey.parse(texts.verifier_key)]
        manifest, key = _manifest(texts, known, verdict)
        if manifest is None:
            return CheckedExport(verdict, None, None, not keys)
        check = ExportCheck(manifest, texts.proof(), verdict)
        for number, row in enumerate(file.rows(), 1):
            check.take(row)
            if number % _TELL_EVERY == 0:
                tell(number, manifest.rows)
        check.conclude()
        tell(verdict.rows, manifest.rows)
        _check_checkpoint(manifest, texts, known, verdict)
        service = SignedNote.parse(texts.manifest_note).text.split("\n")[0].removesuffix(f"/{manifest.ledger}/export")
        facts = Facts(
            manifest, service, texts.checkpoint_note, texts.verifier_key, check.modules, check.users, check.days
        )
        for fault in file.check_sheets_for_people(facts):
            verdict.add(fault.place, fault.column, fault.message)
        return CheckedExport(verdict, manifest, key, not keys)


@contextmanager
def open_export(path: Path) -> Iterator[ExportedFile]:
    """Raises Unreadable for what is no exported file, and OSError."""
    with path.open("rb") as file:
        begin = file.read(64)
    if begin.startswith(_LINES):
        yield JsonLinesFile(path)
    elif begin.startswith(_ZIP):
        try:
            archive = ZipFile(path)
        except BadZipFile as error:
            raise Unreadable(f"the workbook is damaged or cut off: {error}") from error
        with archive:
            yield WorkbookFile(SheetReader(archive))
    elif begin.startswith(_COMMAS):
        raise Unreadable("comma-separated values hold no proof: export a workbook or JSON Lines")
    else:
        raise Unreadable("this is neither a workbook nor JSON Lines of the audit trail")


def read_key(text: str) -> VerifierKey | bytes:
    """A public key as a verifier key, in hexadecimal, or in a file with either. Raises InvalidVerifierKey."""
    found = text.strip()
    if "+" not in found and len(found) != 2 * _KEY_BYTES and Path(found).is_file():
        found = Path(found).read_text(errors="replace").strip()
    try:
        return bytes.fromhex(found) if len(found) == 2 * _KEY_BYTES else VerifierKey.parse(found)
    except ValueError:
        raise InvalidVerifierKey(f"{found[:80]!r} is no public key: 64 hexadecimal digits are") from None
    except InvalidVerifierKey as error:
        raise InvalidVerifierKey(f"{found[:80]!r} is no public key: {error}") from None


def _named(keys: Sequence[VerifierKey | bytes], texts: ProofTexts) -> list[VerifierKey]:
    """Keys without a name sign under the one that the manifest names."""
    named = texts.manifest_note.split("\n", 1)[0]
    return [VerifierKey(named, key) if isinstance(key, bytes) else key for key in keys]


def _manifest(
    texts: ProofTexts, known: Sequence[VerifierKey], verdict: Verdict
) -> tuple[Manifest | None, VerifierKey | None]:
    """The manifest, be it one that is not signed as it should be: its rows may still name what was changed."""
    try:
        return open_manifest(texts.manifest_note, map(key_for_exports, known))
    except InvalidNote as error:
        verdict.add("Proof", "manifest", str(error))
    try:
        return Manifest.parse(SignedNote.parse(texts.manifest_note).text), None
    except InvalidNote:
        return None, None


def _check_checkpoint(manifest: Manifest, texts: ProofTexts, known: Sequence[VerifierKey], verdict: Verdict) -> None:
    if not manifest.checkpoint_size and not texts.checkpoint_note:
        return
    try:
        checkpoint, _ = open_checkpoint(texts.checkpoint_note, map(key_for_checkpoints, known))
    except InvalidNote as error:
        verdict.add("Proof", "checkpoint", str(error))
        return
    if (checkpoint.size, checkpoint.root.hex()) != (manifest.checkpoint_size, manifest.checkpoint_root):
        verdict.add("Proof", "checkpoint", "is another than the one of the signed manifest")
