"""`certinext-audit verify`: whether a ledger is as it was recorded."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import TaskID

from adapters.bootstrap import Trail
from adapters.cli.on_trail import with_trail
from adapters.cli.output import complain, print_json, say
from adapters.cli.verify_file import verify_file
from adapters.cli.work import progress_bar
from application.verification import Scope
from application.verifying import Outcome
from domain.credential import Credential
from domain.errors import AuditError
from domain.signed_note import InvalidVerifierKey, VerifierKey
from domain.verdict import OnProgress
from domain.verification import KeptCheckpoint
from domain.verification_run import VerificationKind

_LARGEST_NOTE = 1024 * 1024


class OptionOfLedgers(AuditError):
    """An option that says nothing about a file."""


class UnreadableFile(AuditError):
    """A file that was named and cannot be read."""


def verify(
    file: Path | None = None,
    /,
    *,
    checkpoint: Sequence[Path] = (),
    key: Sequence[str] = (),
    since: Path | None = None,
    tables: bool = True,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1, lte=64))] = None,
    ledger: str | None = None,
    json: bool = False,
) -> int:
    """Verify a ledger: recompute every hash and compare all that is kept. Ends with 1 if anything is wrong.

    With a file, check that instead, which needs no service and no network.

    Parameters
    ----------
    file
        A workbook or JSON Lines, as `export` has made it.
    checkpoint
        A file with a signed checkpoint that you kept; may be given many times. Only this tells a ledger that was
        rewritten as a whole.
    key
        The verifier key of your checkpoints, as you noted it; may be given many times. If left out, those that the
        database names are believed, or of a file the one that it holds. For a file also 64 hexadecimal digits, or a
        file that holds either.
    since
        A file with a signed checkpoint that you trust: the records up to it are not read again.
    tables
        Compare the read tables with the ledger, too.
    workers
        How many processes it takes; one for each core if left out.
    ledger
        The ledger; that of CERTINEXT_AUDIT_LEDGER if left out.
    """
    if file is not None:
        if checkpoint or since is not None or ledger is not None:
            raise OptionOfLedgers("--checkpoint, --since and --ledger are for ledgers: a file has its own checkpoint")
        return verify_file(file, key, json=json)
    keys = [_key(text) for text in key]
    notes = [(path, _note("checkpoint", path)) for path in checkpoint]
    trusted = (since, _note("since", since)) if since is not None else None

    async def work(trail: Trail, caller: Credential) -> Outcome:
        async def opened(path: Path, note: bytes) -> KeptCheckpoint:
            return await trail.kept_checkpoints.given(caller.ledger, note, str(path), keys)

        scope = Scope(
            [await opened(*note) for note in notes],
            await opened(*trusted) if trusted is not None else None,
            tables=tables,
            workers=workers or os.cpu_count() or 1,
        )
        with _shown(hidden=json) as on_progress:
            return await trail.services.verifications.run(caller, scope, VerificationKind.COMMAND_LINE, on_progress)

    outcome = with_trail(ledger, work)
    if json:
        print_json(outcome.verdict.as_json() | {"id": outcome.run.id, "recorded_at": outcome.recorded_at})
    else:
        _tell(outcome)
    return 0 if outcome.verdict.intact else 1


def _tell(outcome: Outcome) -> None:
    verdict = outcome.verdict
    for found in verdict.tampering:
        complain(f"{found.kind}: {found.text}")
    if verdict.left_out:
        complain(f"and {verdict.left_out} more")
    if verdict.intact:
        say(f"The ledger {verdict.ledger} is intact.")
    else:
        say(f"The ledger {verdict.ledger} is NOT as it was recorded. The first bad place: {verdict.tampering[0].text}.")
    for words, what in (("Checked", verdict.checked), ("Not checked", verdict.not_checked)):
        for line in what:
            say(f"{words}: {line}.")
    if outcome.recorded_at is None:
        complain("the ledger did not take the event about this verification")


def _note(option: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            note = file.read(_LARGEST_NOTE + 1)
    except OSError as error:
        raise UnreadableFile(f"{option}: {path}: {error.strerror}") from error
    if len(note) > _LARGEST_NOTE:
        raise UnreadableFile(f"{option}: {path}: it is larger than {_LARGEST_NOTE} bytes, and so no checkpoint")
    return note


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except InvalidVerifierKey as error:
        raise UnreadableFile(f"key: {error}") from error


@contextmanager
def _shown(*, hidden: bool) -> Iterator[OnProgress]:
    """A bar for each stage."""
    with progress_bar(hidden=hidden) as bar:
        stages: dict[str, TaskID] = {}

        def on_progress(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = bar.add_task(stage, total=total)
            bar.update(stages[stage], completed=done, total=total)

        yield on_progress
