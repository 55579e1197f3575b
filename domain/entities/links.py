"""Which attributes name other entities, and which ones the estate can be asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain.catalogue import CATALOGUE
from domain.effect import ACTOR
from domain.entities.life import AFFECTED, SETS
from domain.values import JsonObject

LINKS: Mapping[str, str] = {
    "issuer": "certificate_authority",
    "parent": "certificate_authority",
    "request": "certificate_request",
    "profile": "certificate_profile",
    "key": "key",
    "keys": "key",
    "successor_key": "key",
    "store": "key_store",
    "hsm": "hsm",
    "organization": "organization",
    "policy": "policy",
    "workflow": "workflow",
    "discovered_by": "bot",
    "deployed_by": "bot",
}
"""The attributes that hold the ids of entities, and of which type these are."""

TYPED = frozenset(
    learned.attribute for activity in CATALOGUE for learned in activity.effect.learned if learned.detail == ACTOR
) | {AFFECTED}
"""The attributes that hold entities or actors as `type:id`."""

FILTERABLE = frozenset({*LINKS, *TYPED, *SETS, "owner"})
"""The attributes by whose values entities of a type are found."""

THROUGH: Mapping[str, tuple[str, ...]] = {"request": ("requester", "approvers")}
"""What is told of the entity that a link leads to, and counts for the one that has the link as well."""


@dataclass(frozen=True, slots=True)
class Link:
    """That one entity has to do with another."""

    relation: str
    type: str
    id: str


def links_of(state: JsonObject) -> Iterator[Link]:
    """The entities that a state names, by relation."""
    attributes = state["attributes"]
    assert isinstance(attributes, dict)
    for name, value in attributes.items():
        if value is None or not (name in LINKS or name in TYPED):
            continue
        for one in value if isinstance(value, list) else [value]:
            if name in LINKS:
                yield Link(name, LINKS[name], str(one))
            else:
                kind, _, id_ = str(one).partition(":")
                yield Link(name, kind, id_)


def filterable(state: JsonObject) -> frozenset[tuple[str, str]]:
    """The attributes with their values by which an entity in this state is found."""
    attributes = state["attributes"]
    assert isinstance(attributes, dict)
    return frozenset(
        (name, str(one))
        for name in FILTERABLE & attributes.keys()
        for one in _several(attributes[name])
        if one is not None
    )


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
