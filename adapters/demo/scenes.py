"""Scenes: the rare activities of the period, told from tables rather than by chance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from adapters.demo.machines import BOTS, is_service, service
from adapters.demo.people import PEOPLE
from adapters.demo.script import Context, Script, entity
from domain.values import JsonObject, JsonValue, rfc3339


@dataclass(frozen=True, slots=True)
class Scene:
    day: int
    """The working day of the period, counted from 0."""
    hour: float
    """Of the actor's office; in UTC for bots and services."""
    actor_id: str
    command: str
    about: tuple[str, str] | tuple[str, str, str]
    """Type, id and perhaps name of the entity."""
    details: Mapping[str, JsonValue | timedelta] = field(default_factory=dict)
    """A span of time stands for the moment so long after the scene."""
    context: Context = field(default_factory=Context)


def play(script: Script, scenes: Iterable[Scene]) -> None:
    """Tell the scenes; those beyond the last working day are left out."""
    for scene in scenes:
        if scene.day < len(script.working_days):
            at = _moment(script, scene)
            context: Context = {"channel": _channel(scene.actor_id), **scene.context}
            details = _resolved(scene.details, at)
            actor = _actor(script, scene.actor_id, at)
            script.tell(at, scene.command, actor, entity(*scene.about), details, **context)


def _moment(script: Script, scene: Scene) -> datetime:
    zone = PEOPLE[scene.actor_id].office.zone if scene.actor_id in PEOPLE else UTC
    midnight = datetime.combine(script.working_days[scene.day], time(), zone)
    return (midnight + timedelta(hours=scene.hour)).astimezone(UTC)


def _actor(script: Script, id_: str, at: datetime) -> JsonObject:
    if is_service(id_):
        return service(id_)
    if id_ in BOTS:
        return BOTS[id_].acting()
    return script.desk(PEOPLE[id_], at)


def _channel(actor_id: str) -> str:
    if is_service(actor_id):
        return "scheduler"
    return "bot" if actor_id in BOTS else "portal"


def _resolved(details: Mapping[str, JsonValue | timedelta], at: datetime) -> JsonObject:
    return {key: rfc3339(at + value) if isinstance(value, timedelta) else value for key, value in details.items()}
