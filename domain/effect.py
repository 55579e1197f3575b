"""What an activity does to its entity: the state that it leaves, and what it tells of it.

becomes("revoked", keeps("crl_reason", "revocation_time"))      # these details become attributes of these names
begins("valid", keeps("serial", issuer="ca_id"))                # the detail `ca_id` becomes the attribute `issuer`
touches(adds(deployments="target"))                             # the detail `target` joins the set `deployments`
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

ACTOR = "@actor"
"""Stands for the actor of the event where a detail could be named: its kind and id, as `user:u-17`."""


class How(Enum):
    """What is done with what was told."""

    KEEP = "keeps"
    """It is the attribute's value from then on."""
    ADD = "adds to"
    """It joins a set."""
    REMOVE = "removes from"
    """It leaves a set."""
    REPLACE = "replaces"
    """It is all that a set holds from then on."""
    CLEAR = "clears"
    """A set is empty from then on; there is no detail."""
    COUNT = "counts"
    """Failures are counted since the last success; there is no detail."""


@dataclass(frozen=True, slots=True)
class Learned:
    """One thing that an event tells of its entity."""

    how: How
    attribute: str
    detail: str = ""


Told = tuple[Learned, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a successful activity does to the entity that it is about."""

    state: str | None = None
    """The state that the entity has afterwards; None leaves it as it was."""
    begins: bool = False
    """Whether the entity's life begins with it."""
    ends: bool = False
    """Whether nothing may follow."""
    after: tuple[str, ...] = ()
    """The states that it may follow; empty if any."""
    learned: Told = ()


TOUCHES = Effect()
"""Leaves the entity's state as it was, and tells nothing of it."""


def begins(state: str, *told: Told) -> Effect:
    """The entity comes into being, in this state."""
    return Effect(state, begins=True, learned=_joined(told))


def becomes(state: str, *told: Told, after: tuple[str, ...] = ()) -> Effect:
    """The entity passes into this state."""
    return Effect(state, after=after, learned=_joined(told))


def ends(state: str, *told: Told) -> Effect:
    """The entity passes into this state, its last."""
    return Effect(state, ends=True, learned=_joined(told))


def touches(*told: Told) -> Effect:
    """The entity's state stays as it was."""
    return Effect(learned=_joined(told))


def keeps(*details: str, **named: str) -> Told:
    """These details become attributes: of their own names, or of others as `attribute="detail"`."""
    return _each(How.KEEP, dict(zip(details, details, strict=True)) | named)


def adds(**named: str) -> Told:
    """These details, or each member of them, join sets: `set="detail"`."""
    return _each(How.ADD, named)


def removes(**named: str) -> Told:
    """These details, or each member of them, leave sets: `set="detail"`."""
    return _each(How.REMOVE, named)


def replaces(**named: str) -> Told:
    """These details are all that sets hold from then on: `set="detail"`."""
    return _each(How.REPLACE, named)


def clears(attribute: str) -> Told:
    """The set is empty from then on."""
    return (Learned(How.CLEAR, attribute),)


def counts(attribute: str) -> Told:
    """Failures of this activity are counted until it succeeds: the one way in which a failure is state."""
    return (Learned(How.COUNT, attribute),)


def _each(how: How, named: Mapping[str, str]) -> Told:
    return tuple(Learned(how, attribute, detail) for attribute, detail in named.items())


def _joined(told: tuple[Told, ...]) -> Told:
    return tuple(learned for each in told for learned in each)
