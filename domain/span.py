"""A span of time, which every filter has."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.values import JsonObject, Timestamp


class Span(BaseModel):
    """From one time on, and before another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None

    @model_validator(mode="after")
    def _time_runs_forward(self) -> Self:
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise ValueError("`from` must be before `to`")
        return self

    def as_json(self) -> JsonObject:
        """What was asked for, as parameters."""
        filters: JsonObject = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return filters
