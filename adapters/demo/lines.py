"""Five questions to the demonstration's audit trail, as lines for a shell."""

import shlex
from datetime import date, timedelta
from urllib.parse import urlencode

from adapters.demo.incident import ATTACKER_IP, CERTIFICATE_ID, KEY_ID, VICTIM


def curl_lines(base_url: str, key: str, end: date) -> list[tuple[str, str]]:
    """What each asks, and the line. `end` is that of the estate's period; `key` an auditor's."""
    week_ago = f"{end - timedelta(days=10)}T00:00:00Z"
    questions = (
        ("what failed in user activity since ten days before", "/v1/events",
         {"module": "user_activity", "status": "failure", "from": week_ago, "limit": "50"}),
        ("everything about one certificate", "/v1/events", {"entity": f"certificate:{CERTIFICATE_ID}"}),
        ("what somebody did from a foreign address", "/v1/events",
         {"user": VICTIM.full_name.split()[0].lower(), "ip": ATTACKER_IP}),
        ("exports of the key of remote access, by free text", "/v1/events",
         {"entity": f"key:{KEY_ID}", "text": "exported"}),
        ("successes and failures, day by day", "/v1/statuses", {"bucket": "day", "from": week_ago}),
    )  # fmt: skip
    return [(says, _curl(base_url, key, path, query)) for says, path, query in questions]


def _curl(base_url: str, key: str, path: str, query: dict[str, str]) -> str:
    url = f"{base_url.rstrip('/')}{path}?{urlencode(query, safe=':')}"
    return f"curl -s -H {shlex.quote(f'Authorization: Bearer {key}')} {shlex.quote(url)}"
