"""Five questions to the demonstration's audit trail, as lines for a shell in which `KEY` is set."""

from urllib.parse import urlencode

from adapters.demo.incident import CERTIFICATE_ID, KEY_ID, VICTIM


def curl_lines(base_url: str) -> list[tuple[str, str]]:
    """What each asks, and the line; the README shows the same."""
    questions = (
        ("Did anybody export a key outside a ceremony?", "/v1/events",
         {"activity": "key.exported", "entity": f"key:{KEY_ID}"}),
        ("Who was that, and how much else did they do?", "/v1/users", {"user": VICTIM.id}),
        ("What became of the certificate that its requester approved?", "/v1/events",
         {"entity": f"certificate:{CERTIFICATE_ID}", "text": "revoked", "limit": "1"}),
        ("How often were keys exported at all?", "/v1/modules",
         {"activity": "key.exported"}),
        ("How many user activities failed, day by day?", "/v1/statuses",
         {"module": "user_activity", "status": "failure", "limit": "2"}),
    )  # fmt: skip
    return [(says, _curl(f"{base_url}{path}?{urlencode(query, safe=':')}")) for says, path, query in questions]


def _curl(url: str) -> str:
    return f'curl -s -H "Authorization: Bearer $KEY" "{url}"'
