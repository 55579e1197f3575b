"""Reading the estate, the findings and the events of an investigation, with word of how fresh they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.entities.moment import Moment
from domain.values import JsonObject
from domain.words import Ledger
from projections import consequences, entities_query, findings_query, investigation
from projections.consequences import MOST_CONSEQUENCES, Consequence
from projections.entities_query import Found, Place, Wanted
from projections.findings_query import FindingFilter, FindingRow
from projections.investigation import Clue, Keyset, Question
from projections.reads import Freshness, Reads, Wait

_MOST_FINDINGS = 100


@dataclass(frozen=True)
class Investigated:
    """What an investigation found: a page of events, and what is known around them."""

    events: Sequence[JsonObject]
    entities: Sequence[JsonObject]
    consequences: Sequence[Consequence]
    findings: Sequence[FindingRow]
    limits: Sequence[str]
    freshness: Freshness

    def as_json(self, question: Question) -> JsonObject:
        return {
            "clue": question.clue,
            "value": question.value,
            "events": [*self.events],
            "entities": [*self.entities],
            "consequences": [{"because": one.because, "event": one.event} for one in self.consequences],
            "findings": [finding.as_json() for finding in self.findings],
            "limits": [*self.limits],
            "position": self.freshness.position,
            "set_aside": self.freshness.set_aside,
        }


_LIMITS = {
    Clue.ACTOR: "who acted is told by the module: whoever used the actor's account, or acted on its behalf, is found "
    "only as the events name them",
    Clue.SESSION: "an event that names no session is not found by it",
    Clue.TOKEN: "events name the actor that a token stands for, and not the token: what was done with it is found "
    "only where an event is about the token, and by the stories that it shares",
    Clue.IP: "an address may be shared, and an event that names no address is not found by it",
    Clue.CORRELATION: "an event that was reported without the correlation id is not found by it",
}


@dataclass(frozen=True)
class EstateReads:
    """Raises what `Reads` raises."""

    reads: Reads

    async def entities(
        self, ledger: Ledger, wanted: Wanted, moment: Moment, before: Place | None, limit: int, wait: Wait
    ) -> tuple[list[Found], Freshness]:
        async with self.reads.fresh(ledger, "entities", wait) as (connection, freshness):
            return await entities_query.find(connection, wanted, moment, before, limit), freshness

    async def findings(
        self, ledger: Ledger, wanted: FindingFilter, before: tuple[datetime, str] | None, limit: int, wait: Wait
    ) -> tuple[list[FindingRow], Freshness]:
        async with self.reads.fresh(ledger, "findings", wait) as (connection, freshness):
            return await findings_query.find(connection, wanted, before, limit), freshness

    async def finding(self, ledger: Ledger, finding_id: str, wait: Wait) -> tuple[FindingRow | None, Freshness]:
        async with self.reads.fresh(ledger, "findings", wait) as (connection, freshness):
            return await findings_query.by_id(connection, finding_id), freshness

    async def investigate(
        self, ledger: Ledger, question: Question, after: Keyset | None, limit: int, wait: Wait
    ) -> Investigated:
        """A page of an investigation. What came of the events is not for who may see one actor's events only."""
        for projection in ("entities", "findings"):
            async with self.reads.fresh(ledger, projection, wait):
                pass
        async with self.reads.fresh(ledger, "activity", wait) as (connection, freshness):
            found = await investigation.events(connection, question, after, limit)
            limits = list(_limits(question, found, limit, freshness))
            entities = investigation.touched(found)
            if question.only_actor is not None:
                limits.append("only your own events are shown, and not what came of them")
                return Investigated(found, entities, [], [], limits, freshness)
            later = await consequences.consequences(connection, found)
            if len(later) == MOST_CONSEQUENCES:
                limits.append(f"only the first {MOST_CONSEQUENCES} of its consequences are shown")
            keys = [(str(entity["type"]), str(entity["id"])) for entity in entities]
            actors = sorted({_actor_id(event) for event in found})
            positions = {event["position"] for event in found}
            about = await findings_query.about(connection, keys, actors, _MOST_FINDINGS)
            told = [finding for finding in about if finding.positions & positions]
            events = await investigation.with_changes(connection, found)
        return Investigated(events, entities, later, told, limits, freshness)


def _limits(question: Question, found: Sequence[JsonObject], limit: int, freshness: Freshness) -> list[str]:
    limits = ["only what modules reported is known here", _LIMITS[question.clue]]
    if len(found) == limit:
        limits.append(f"only {limit} events are shown, with what came of these: go on with `next`")
    if freshness.set_aside:
        limits.append(f"{freshness.set_aside} events could not be applied and are missing")
    return limits


def _actor_id(event: JsonObject) -> str:
    actor = event["actor"]
    assert isinstance(actor, dict)
    return str(actor["id"])
