"""The moment as of which a query is meant, and links that keep it."""

from typing import Annotated, Self
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.entities.moment import Moment
from domain.values import LARGEST_INTEGER, Timestamp
from domain.words import Position


class AsOf(BaseModel):
    """The moment; now if none is given."""

    model_config = ConfigDict(frozen=True)

    at: Annotated[
        Timestamp | None,
        Field(description="As of a time, by when things occurred, with all that has been reported by now."),
    ] = None
    position: Annotated[
        int | None, Field(ge=1, le=LARGEST_INTEGER, description="As of a position: what had been recorded then.")
    ] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.at is not None and self.position is not None:
            raise ValueError("`at` and `position` exclude each other")
        return self

    @property
    def moment(self) -> Moment:
        return Moment(self.at, None if self.position is None else Position(self.position))


def href(kind: str, id_: str, moment: Moment) -> str:
    query = urlencode(moment.as_json())
    return f"/v1/entities/{quote(kind, safe='')}/{quote(id_, safe='')}" + (f"?{query}" if query else "")
