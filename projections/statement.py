"""Putting SQL together: values never become part of the text."""

from collections.abc import Sequence


class Statement:
    """Collects parameters."""

    def __init__(self) -> None:
        self.arguments: list[object] = []

    def add(self, value: object) -> str:
        """The place of a value in the text."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"


def where(conditions: Sequence[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
