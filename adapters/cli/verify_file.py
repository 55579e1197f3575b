"""`certinext-audit verify FILE`: an exported file, checked with no service and no network."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.cli.output import complain, console, print_json, printable, say
from adapters.exports.verifying import CheckedExport, check_export, read_key
from domain.errors import AuditError
from domain.values import JsonObject

_FAULTS_SHOWN = 20


class CannotRead(AuditError):
    """A file that is not there, or not ours to read."""


def verify_file(file: Path, keys: Sequence[str], *, json: bool) -> int:
    """Check an exported file, say what came of it, and give the exit code.

    Raises AuditError for what is no such file, or no key.
    """
    try:
        with _progress(shown=not json) as tell:
            checked = check_export(file, [read_key(key) for key in keys], tell)
    except OSError as error:
        raise CannotRead(f"{file}: {error.strerror}") from error
    if json:
        print_json(_as_json(file, checked))
    else:
        _tell(file, checked)
    return 0 if checked.verdict.good else 1


def _tell(file: Path, checked: CheckedExport) -> None:
    verdict = checked.verdict
    for fault in verdict.faults[:_FAULTS_SHOWN]:
        say(printable(str(fault)))
    if verdict.faults_in_all > _FAULTS_SHOWN:
        say(f"... and {verdict.faults_in_all - _FAULTS_SHOWN} more.")
    if verdict.good and checked.manifest is not None:
        say(
            f"{file} is as it was exported: {verdict.rows:,} events of the ledger {checked.manifest.ledger}, all in "
            f"the signed tree of {checked.manifest.checkpoint_size:,}; {verdict.chained:,} follow from the one before."
        )
        for count, what in (
            (verdict.unproven, "are behind the checkpoint: the signed manifest alone vouches for them"),
            (verdict.without_personal, "have no personal data any more, as when they were exported"),
        ):
            if count:
                say(f"{count:,} of them {what}.")
        say(f"Signed with {checked.key}.")
    else:
        say(f"{file} is NOT as it was exported.")
    if checked.key_from_file:
        complain(
            "ATTENTION: the key was taken from the file itself, which proves only that the file agrees with itself. "
            "Get the service's key from its operator and give it with --key."
        )


def _as_json(file: Path, checked: CheckedExport) -> JsonObject:
    verdict, manifest = checked.verdict, checked.manifest
    return {
        "file": str(file),
        "good": verdict.good,
        "rows": verdict.rows,
        "chained": verdict.chained,
        "unproven": verdict.unproven,
        "without_personal": verdict.without_personal,
        "ledger": manifest.ledger if manifest else None,
        "position": manifest.position if manifest else None,
        "checkpoint_size": manifest.checkpoint_size if manifest else None,
        "key": None if checked.key is None else str(checked.key),
        "key_from_file": checked.key_from_file,
        "faults_in_all": verdict.faults_in_all,
        "faults": [
            {"place": fault.place, "column": fault.column, "message": fault.message} for fault in verdict.faults
        ],
    }


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("Verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not shown, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
