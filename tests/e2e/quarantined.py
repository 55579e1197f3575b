"""The quarantine as an operator sees it."""

from base64 import b64decode
from typing import Any

from tests.e2e.client import Client


async def listed(operator: Client, **filters: str) -> list[Any]:
    answer = await operator.get("/v1/quarantine", {"limit": "1000", **filters})
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json["quarantine"]
    return found


async def kept_bytes(operator: Client, quarantine_id: str) -> bytes:
    answer = await operator.get(f"/v1/quarantine/{quarantine_id}")
    assert answer.status == 200, answer.body
    text = answer.json["body"]
    return b64decode(text) if answer.json["body_encoding"] == "base64" else text.encode()
