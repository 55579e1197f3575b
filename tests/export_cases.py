"""Exported files, good and changed, for both verifiers of ours: Python's and the browser's, which share no code.

`python -m tests.export_cases` writes them to `tests/cases/exports.json`; a test holds the file in step. A changed file
is told as its base with some bytes of its members replaced.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from adapters.exports.for_the_page import columns
from adapters.exports.verifying import check_export, read_key
from adapters.exports.xlsx.reader import Unreadable
from domain.catalogue import CATALOGUE
from domain.command import read_command
from domain.manifest import origin
from domain.record import EventDraft
from domain.signed_note import VerifierKey
from domain.words import DEFAULT_LEDGER, ExportFormat, Order
from tests.builders import NOW, command_data
from tests.unit.exports.files import PUBLIC_KEY, SERVICE, Events, exported

FILE = Path(__file__).parent / "cases" / "exports.json"

Members = dict[str, str]
"""The parts of a workbook by their names; JSON Lines have one, without a name."""

_SHEET, _PROOF, _SHARED = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet4.xml", "xl/sharedStrings.xml"
_WORKBOOK, _RELATIONS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
_BESIDE = ("_rels/.rels", _RELATIONS, _WORKBOOK, _STYLES, "xl/worksheets/sheet2.xml", "xl/worksheets/sheet3.xml")
_ANOTHER_SHEET = '<sheet name="Cover" sheetId="99" state="visible" r:id="rId1"/>'
_LINES = ""
_TITLES: list[str] = [*(column["title"] for column in columns()["columns"]), *columns()["evidence"]]
_ROW = re.compile(r"<row>.*?</row>", re.DOTALL)
_CELL = re.compile(r"<c(?: [^>]*)?/>|<c[ >].*?</c>", re.DOTALL)
_EXPORTED = (1, 2, 3, 5, 6, 8, 9)
_COVERED = 8


def cases() -> dict[str, Any]:
    """All of them, with what our own verifier says."""
    bases = {"workbook": _workbook(_events(), _EXPORTED), "lines": _lines(_events(), _EXPORTED)}
    key = str(VerifierKey(origin(SERVICE, DEFAULT_LEDGER), PUBLIC_KEY))
    found = [_case("workbook", bases, key, name, changed) for name, changed in _changed_workbooks(bases["workbook"])]
    found += [_case("lines", bases, key, name, changed) for name, changed in _changed_lines(bases["lines"])]
    other = str(VerifierKey(origin(SERVICE, DEFAULT_LEDGER), b"\x09" * 32))
    found += [_case(base, bases, other, "another key", bases[base]) for base in bases]
    return {"key": key, "bases": bases, "cases": found}


def file_of(base: Members, changes: list[dict[str, Any]]) -> bytes:
    """The file that a case tells of."""
    members = {name: text.encode() for name, text in base.items()}
    for change in changes:
        data, at = members.get(change["member"], b""), change["at"]
        members[change["member"]] = data[:at] + change["put"].encode() + data[at + change["remove"] :]
    if _LINES in members:
        return members[_LINES]
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def verdict(data: bytes, key: str) -> dict[str, Any]:
    """What our own verifier says of a file: `good`, `bad` with the place of the first fault, or `refused`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        try:
            checked = check_export(path, [read_key(key)]).verdict
        except Unreadable:
            return {"verdict": "refused"}
    counts = {"rows": checked.rows, "unproven": checked.unproven, "without_personal": checked.without_personal}
    if checked.good:
        return {"verdict": "good", **counts, "chained": checked.chained}
    return {"verdict": "bad", "first": [checked.faults[0].place, checked.faults[0].column]}


def _events() -> Events:
    """Nine: the first has something in every column, the second what is hard to write."""
    full: dict[str, Any] = {
        "actor": {
            "id": "u-17",
            "kind": "user",
            "full_name": "Asha Rao",
            "email": "asha@example.com",
            "ip": "10.1.2.3",
            "roles": ["auditor", "approver"],
            "user_agent": "Firefox",
            "session_id": "s-9",
            "auth_method": "password",
            "on_behalf_of": "u-18",
        },
        "status": "failure",
        "failure": {"code": "denied", "reason": "no quota"},
        "also_affected": [{"type": "domain", "id": "example.com"}],
        "changes": [{"path": "/a", "old": 1.0, "new": {"b": 1e15, "\u00e9": None, "a": [True, -0.25]}}],
        "causation_id": "event-1",
    }
    hard: dict[str, Any] = {
        "command": "RotateKey",
        "details": {},
        "actor": {"id": "=1+1", "kind": "user", "full_name": "J\u00f6rg \u0160im\u016fnek \U0001f510 $& {entity}"},
        "entity": {"type": "key", "id": "007", "name": "tab\tand _x0041_ & <b> \u202e \x01"},
    }
    acted_on = {"command": "LogOutUser", "details": {}, "entity": {"type": "user", "id": "u-17", "name": "Asha Rao"}}
    changes: list[dict[str, Any]] = [full, hard, {}, {}, {}, {}, {}, acted_on, {}]
    return Events.of(_draft(number, change) for number, change in enumerate(changes, 1))


def _draft(number: int, change: Mapping[str, Any]) -> EventDraft:
    data = command_data(command_id=f"command-{number}", occurred_at=f"2026-11-24T10:00:0{number}.25Z", **change)
    event_id = f"0198c0de-0000-7000-8000-{number:012x}"
    return EventDraft.of(read_command(data, CATALOGUE, NOW), DEFAULT_LEDGER, "key-1", event_id, b"\x05" * 16)


def _workbook(events: Events, positions: tuple[int, ...]) -> Members:
    data = exported(events, events.rows(positions), covered=_COVERED)
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in (*_BESIDE, _SHEET, _PROOF)}


def _lines(events: Events, positions: tuple[int, ...]) -> Members:
    newest_first = tuple(reversed(positions))
    data = exported(
        events, events.rows(newest_first), ExportFormat.JSONL, order=Order.OCCURRED, filters={"user": ["asha"]}
    )
    return {_LINES: data.decode()}


def _changed_workbooks(base: Members) -> Iterator[tuple[str, Members]]:
    yield "as it was exported", base
    for title in _TITLES:
        yield f"edited: {title}", _with_cell(base, 2, title, _edited)
    for title in ("User", "Description", "Changes", "Record", "Personal", "Leaf hash", "Chain hash"):
        yield f"emptied: {title}", _with_cell(base, 2, title, lambda _: "<c/>")
    for title in ("User", "Occurred (UTC)", "Record", "Personal"):
        yield f"a formula: {title}", _with_cell(base, 3, title, _as_formula)
    yield "hard to write, and edited", _with_cell(base, 3, "Entity name", lambda cell: cell.replace("_x0001_", ""))
    yield "something where nothing was", _with_cell(base, 4, "Failure code", lambda _: _text("denied"))
    yield "a row without content", _with_rows(base, lambda rows: [*rows[:2], "<row><c/></row>", *rows[2:]])
    for taken in (0, 3, 6):
        yield f"row {taken + 2} taken out", _with_rows(base, lambda rows, at=taken: rows[:at] + rows[at + 1 :])  # type: ignore[misc]
    yield "two rows swapped", _with_rows(base, lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]])
    yield "a row twice", _with_rows(base, lambda rows: [*rows, rows[2]])
    foreign = _rows_of(_workbook(_events(), (4,)))[0]
    yield "a row of the ledger put in", _with_rows(base, lambda rows: [*rows[:3], foreign, *rows[3:]])
    forged = _rows_of(_workbook(Events.of(_draft(10 - n, {}) for n in range(1, 10)), _EXPORTED))[3]
    yield "a row of another history", _with_rows(base, lambda rows: [*rows[:3], forged, *rows[4:]])
    yield "the cells name their places", _with_rows(base, _with_references)
    yield "shared texts", _with_shared_texts(_with_cell(base, 2, "User", lambda _: '<c t="s"><v>0</v></c>'), "9")
    yield "two tables of shared texts", _with_shared_texts(_with_shared_texts(base, "8"), "9")
    yield "a prefix before the names of elements", base | {_SHEET: _prefixed(base[_SHEET])}
    yield "a number that shows as something else", _with_cell(base, 2, "Position", lambda _: '<c t="b"><v>1</v></c>')
    yield "a sheet put in", base | {_WORKBOOK: base[_WORKBOOK].replace("</sheets>", _ANOTHER_SHEET + "</sheets>")}
    yield "two sheets of one name", base | {_WORKBOOK: base[_WORKBOOK].replace('name="About"', 'name="Summary"')}
    yield "a format with a text", base | {_STYLES: _replaced(base[_STYLES], "hh:mm:ss.000", "hh:mm&quot;x&quot;")}
    yield "a member twice but for its letters", base | {_SHEET.upper(): base[_SHEET]}
    yield "another workbook", base | {"_rels/.rels": _replaced(base["_rels/.rels"], "xl/workbook.xml", "xl/other.xml")}
    yield "a long text in two cells", _with_rows(base, _with_continued)
    yield "a long text in two cells, edited", _with_rows(base, lambda rows: _with_continued(rows, "x"))
    for part in ("manifest", "checkpoint", "positions", "fingerprints", "node"):
        yield f"proof edited: {part}", base | {_PROOF: _with_proof(base[_PROOF], part)}
    yield "another header", base | {_SHEET: base[_SHEET].replace(">User id<", ">User ID<", 1)}
    yield "a document type", base | {_SHEET: '<!DOCTYPE x [<!ENTITY a "b">]>' + base[_SHEET].partition("?>")[2]}
    yield "no proof", base | {_WORKBOOK: base[_WORKBOOK].replace('name="Proof"', 'name="Prove"')}
    yield (
        "cells out of place",
        base | {_SHEET: base[_SHEET].replace("<row><c ", '<row><c r="B2" t="str"/><c r="A2" ', 2)},
    )
    yield "no whole XML", base | {_SHEET: base[_SHEET][:-30]}


def _changed_lines(base: Members) -> Iterator[tuple[str, Members]]:
    text = base[_LINES]
    yield "as they were exported", base
    for name, said, instead in (
        ("the status that is shown", '"status":"failure"', '"status":"success"'),
        ("the description that is shown", "failed to revoke", "failed to renew"),
        ("a number that is written otherwise", '"old":1.0', '"old":1'),
        ("the head", '"made_at":"2026-11-24T12', '"made_at":"2026-11-24T13'),
        ("the filters in the head", '"user":["asha"]', '"user":["jorg"]'),
        ("the record", '\\"position\\":6', '\\"position\\":7'),
        ("the personal data", "asha@example.com\\", "asha@example.org\\"),
        ("the manifest", '{\\"asked_by\\"', '{\\"asked_By\\"'),
        ("the checkpoint", "\\n9\\n", "\\n7\\n"),
        ("the proof", '{"positions":"1-3', '{"positions":"1-2'),
    ):
        yield name, {_LINES: _replaced(text, said, instead)}
    lines = text.splitlines(keepends=True)
    yield "a line taken out", {_LINES: "".join(lines[:3] + lines[4:])}
    yield "two lines swapped", {_LINES: "".join([*lines[:3], lines[4], lines[3], *lines[5:]])}
    yield "an empty line", {_LINES: "".join([*lines[:3], "\n", *lines[3:]])}
    yield "the end is missing", {_LINES: "".join(lines[:-1])}
    yield "no JSON", {_LINES: "".join([*lines[:3], '{"event":\n', *lines[3:]])}
    yield "something else", {_LINES: "hello"}


def _case(base: str, bases: Mapping[str, Members], key: str, name: str, changed: Members) -> dict[str, Any]:
    changes = list(_changes(bases[base], changed))
    said = verdict(file_of(bases[base], changes), key)
    return {"name": name, "base": base, "key": key, "changes": changes, **said}


def _changes(base: Members, changed: Members) -> Iterator[dict[str, Any]]:
    """What differs, in each member the one stretch that holds all of it, in bytes of UTF-8."""
    for member, text in changed.items():
        before, after = base.get(member, ""), text
        if before == after:
            continue
        begin = _alike(before, after)
        end = _alike(before[begin:][::-1], after[begin:][::-1])
        yield {
            "member": member,
            "at": len(before[:begin].encode()),
            "remove": len(before[begin : len(before) - end].encode()),
            "put": after[begin : len(after) - end],
        }


def _alike(one: str, other: str) -> int:
    """How many letters both begin with."""
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _replaced(text: str, said: str, instead: str) -> str:
    assert said in text, said
    return text.replace(said, instead, 1)


def _rows_of(workbook: Members) -> list[str]:
    return _ROW.findall(workbook[_SHEET])[1:]


def _with_rows(base: Members, change: Callable[[list[str]], list[str]]) -> Members:
    xml = base[_SHEET]
    head, *rows = _ROW.findall(xml)
    begin, end = xml.index(head), xml.index("</sheetData>")
    return base | {_SHEET: xml[:begin] + "".join([head, *change(rows)]) + xml[end:]}


def _with_cell(base: Members, row: int, title: str, change: Callable[[str], str]) -> Members:
    """With one cell changed, of a row that is counted as spreadsheets do."""

    def changed(rows: list[str]) -> list[str]:
        cells = _CELL.findall(rows[row - 2])
        index = _TITLES.index(title)
        cells[index] = change(cells[index])
        return [*rows[: row - 2], f"<row>{''.join(cells)}</row>", *rows[row - 1 :]]

    return _with_rows(base, changed)


def _edited(cell: str) -> str:
    """Other content of the same kind."""
    if "<v>" in cell:
        return re.sub(r"<v>(\d)", lambda found: f"<v>{(int(found[1]) + 1) % 10 or 3}", cell)
    return re.sub(r">([^<>]*)</t>", lambda found: f">{found[1][:-1]}{'x' if found[1][-1:] != 'x' else 'y'}</t>", cell)


def _as_formula(cell: str) -> str:
    """Shows the same, and may show something else tomorrow."""
    return f'<c t="str"><f>A1</f><v>{re.sub(r"<[^>]*>", "", cell)}</v></c>'


def _text(text: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _with_references(rows: list[str]) -> list[str]:
    """As other programs write: each cell says where it is, and those without content are left out."""
    return [_referenced(number, row) for number, row in enumerate(rows, 2)]


def _referenced(number: int, row: str) -> str:
    cells = [
        cell.replace("<c ", f'<c r="{_letters(index)}{number}" ', 1)
        for index, cell in enumerate(_CELL.findall(row))
        if cell != "<c/>"
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _letters(index: int) -> str:
    first, last = divmod(index, 26)
    return (chr(64 + first) if first else "") + chr(65 + last)


def _with_shared_texts(base: Members, number: str) -> Members:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    relation = f'<Relationship Id="rId9{number}" Type="{kind}" Target="/{_SHARED}"/></Relationships>'
    return base | {
        _SHARED: "<sst><si><r><t>Asha</t></r><r><t> Rao</t></r></si></sst>",
        _RELATIONS: base[_RELATIONS].replace("</Relationships>", relation),
    }


def _prefixed(sheet: str) -> str:
    """Rows in a prefix of the same namespace, which programs read as they read the others."""
    named = re.sub(r"<(/?)(row|c|is|t|v)(?=[ />])", r"<\1x:\2", sheet)
    space = 'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return named.replace("<worksheet ", f"<worksheet {space} ", 1)


def _with_continued(rows: list[str], more: str = "") -> list[str]:
    """The details of the first row in two cells, as texts are that no cell can hold."""
    cells = _CELL.findall(rows[0])
    index = _TITLES.index("Details")
    text = re.sub(r"<[^>]*>", "", cells[index])
    cells[index] = _text(text[:10])
    return [f"<row>{''.join(cells)}{_text('Details 1')}{_text(text[10:] + more)}</row>", *rows[1:]]


def _with_proof(xml: str, part: str) -> str:
    at = xml.index('preserve">', xml.index(f">{part}</t>") + 10) + 10
    letter = "B" if part in {"fingerprints", "node"} else "9"
    at += 200 if part == "manifest" else 3
    return xml[:at] + (letter if xml[at] != letter else "C") + xml[at + 1 :]


if __name__ == "__main__":
    FILE.write_text(json.dumps(cases(), indent=1, ensure_ascii=False) + "\n")
