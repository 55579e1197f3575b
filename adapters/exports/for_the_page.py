"""What the page must know of exported files to verify them: `python -m adapters.exports.for_the_page`.

It shares no code with us, so it gets the columns as data, in `adapters/page/src/verify/columns.json`.
"""

import json
import sys
from typing import Any

from adapters.exports.xlsx.rows import CONTINUED, EVIDENCE
from domain.exported import EVENT_COLUMNS


def columns() -> dict[str, Any]:
    """The columns of a sheet of events, in their order."""
    shown = [
        {"title": column.title, "place": column.place, "name": column.name, "kind": str(column.kind)}
        for column in EVENT_COLUMNS
    ]
    return {"columns": shown, "evidence": list(EVIDENCE), "continued": CONTINUED}


def render() -> str:
    return json.dumps(columns(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
