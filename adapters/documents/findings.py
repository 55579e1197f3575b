"""Makes docs/findings.md: `python -m adapters.documents.findings > docs/findings.md`."""

import sys
from collections.abc import Iterable, Iterator

from adapters.settings import Settings
from domain.findings.finding import Rule
from domain.findings.rules import RULES

_INTRODUCTION = """\
# Findings

What does not add up. Nothing is ever refused for it: an audit log records what happened. A projector shows every event
to the rules below, in the order of recording; what a rule finds stands in `GET /v1/findings` with its words, the events
that prove it and the controls that it serves.

- **All of history is judged.** When a rule or a threshold changes, the service fills the table anew beside the one that
  is shown, and switches (`certinext-audit rebuild findings` does the same at any time). All processes of the service
  must have the same version and thresholds.
- **Late reports.** Rules go by the times at which events occurred. A finding that an event explains which was reported
  only afterwards (an approval, a ceremony, a beginning) is `withdrawn`, with that event as its remark.
- **Growing.** Attempts that follow closely, uses of one dead token, acts of one night are one finding, whose evidence
  grows; at most 100 events are named, and the words say how many there were.
- **Acknowledging** (`POST /v1/findings/{id}/acknowledgements` with a `comment`) is itself an event of the trail. New
  evidence opens the finding again. Ids are made from the rule and a position, so acknowledgements outlive a rebuild.
- **Not judged**: what modules did not report; events of an account that were recorded before its closing was; the hours
  of people who were not seen on enough days.

Thresholds are settings of the service:

"""

_OUTRO = """\
This file is written by `python -m adapters.documents.findings`; a test keeps the two alike.
"""


def render(rules: Iterable[Rule] = RULES) -> str:
    """The whole document, in Markdown."""
    return "\n".join(_lines(rules))


def _lines(rules: Iterable[Rule]) -> Iterator[str]:
    yield _INTRODUCTION.rstrip("\n")
    yield ""
    yield "| setting | default |"
    yield "| --- | --- |"
    for name, field in Settings.model_fields.items():
        if name.startswith("finding_"):
            yield f"| `CERTINEXT_AUDIT_{name.upper()}` | {field.default} |"
    yield ""
    yield "| rule | severity | what it finds |"
    yield "| --- | --- | --- |"
    for rule in rules:
        yield f"| `{rule.name}` | {rule.severity} | {rule.title} |"
    yield ""
    for rule in rules:
        yield f"## {rule.name}"
        yield ""
        yield " ".join((rule.__doc__ or "").split())
        yield ""
        yield f"Severity: {rule.severity}. Version: {rule.version}. Serves: {', '.join(rule.controls)}."
        yield ""
    yield _OUTRO


if __name__ == "__main__":
    sys.stdout.write(render())
