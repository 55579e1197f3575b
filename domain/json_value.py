"""What JSON holds, as Python has it."""

from typing import TypeAlias

from typing_extensions import TypeAliasType

JsonValue = TypeAliasType("JsonValue", "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None")
JsonObject: TypeAlias = dict[str, JsonValue]
