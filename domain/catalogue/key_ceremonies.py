"""Key ceremonies: witnessed sessions, by script, in which the keys of authorities are made or moved."""

from typing import Annotated

from domain.activity import Declarations, Details
from domain.effect import adds, begins, ends, keeps
from domain.values import PERSONAL, Identifiers, Names, Sha256, Text
from domain.words import Module

key_ceremonies = Declarations(Module.CERTIFICATE_AUTHORITY)


@key_ceremonies(
    "StartKeyCeremony",
    "key_ceremony.started",
    "key_ceremony",
    "started key ceremony {entity}",
    begins("started", keeps("script_sha256", "participants")),
    clause="1.1",
)
class KeyCeremonyStarted(Details):
    """A key ceremony began, by the script whose digest is given and in front of the people who are named."""

    script_sha256: Sha256 | None = None
    participants: Annotated[Names | None, PERSONAL] = None


@key_ceremonies(
    "CompleteKeyCeremony",
    "key_ceremony.completed",
    "key_ceremony",
    "completed key ceremony {entity}",
    ends("completed", keeps("minutes_sha256", "deviations"), adds(keys="key_ids")),
    clause="1.1",
)
class KeyCeremonyCompleted(Details):
    """A key ceremony came to the end of its script; where it left the script, the deviations are told."""

    participants: Annotated[Names | None, PERSONAL] = None
    minutes_sha256: Sha256 | None = None
    key_ids: Identifiers | None = None
    deviations: Text | None = None
