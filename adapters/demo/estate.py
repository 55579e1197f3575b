"""The estate of Nordwind Logistik over a period: everything that its modules would have reported, in order."""

from datetime import UTC, date, datetime, time, timedelta

from adapters.demo.automation import automation
from adapters.demo.discovery import scans
from adapters.demo.enrolments import devices, servers_by_acme
from adapters.demo.founding import founding
from adapters.demo.incident import VICTIM, caught_at, incident
from adapters.demo.operations import operations
from adapters.demo.paperwork import requests_of_people
from adapters.demo.revocation_status import status_of_certificates
from adapters.demo.scenes import play
from adapters.demo.scenes_of_authorities import SCENES_OF_AUTHORITIES
from adapters.demo.scenes_of_certificates import SCENES_OF_CERTIFICATES
from adapters.demo.scenes_of_keys import SCENES_OF_KEYS
from adapters.demo.scenes_of_people import LEAVERS, SCENES_OF_PEOPLE
from adapters.demo.scenes_of_system import SCENES_OF_SYSTEM
from adapters.demo.script import Script
from adapters.demo.sign_ins import attendance
from adapters.demo.validations import domains_and_their_proofs
from domain.values import JsonObject

DAYS = 90
SEED = 20261124
SCENES = (
    SCENES_OF_AUTHORITIES,
    SCENES_OF_CERTIFICATES,
    SCENES_OF_KEYS,
    SCENES_OF_PEOPLE,
    SCENES_OF_SYSTEM,
)


def commands(end: date, seed: int = SEED) -> list[JsonObject]:
    """The commands of the ninety days before the first hour (UTC) of `end`, by time, each valid.

    They depend on `end`, `seed` and the bundle of `certifi`, and on nothing else: the same ones again have the
    same ids and bodies, so sending them twice to one ledger adds nothing.
    """
    last = datetime.combine(end, time(), UTC)
    script = Script(last - timedelta(days=DAYS), last, seed)
    attendance(script, _who_is_gone(script))
    founding(script)
    for scenes in SCENES:
        play(script, scenes)
    domains_and_their_proofs(script)
    scans(script)
    servers_by_acme(script)
    devices(script)
    requests_of_people(script)
    status_of_certificates(script)
    automation(script)
    operations(script)
    incident(script)
    return script.in_order()


def _who_is_gone(script: Script) -> dict[str, datetime]:
    leavers = {id_: datetime.combine(script.working_days[day], time(), UTC) for id_, day in LEAVERS.items()}
    return {**leavers, VICTIM.id: caught_at(script)}
