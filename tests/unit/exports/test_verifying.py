"""Whatever is changed in an exported file is found, and named."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import orjson
import pytest

from adapters.exports.verifying import check_export, read_key
from adapters.exports.xlsx.reader import Unreadable
from adapters.exports.xlsx.texts import escape
from domain.exported import EVENT_COLUMNS
from domain.manifest import origin
from domain.signed_note import InvalidVerifierKey, VerifierKey
from domain.words import DEFAULT_LEDGER, ExportFormat, Order
from tests.builders import draft
from tests.unit.exports.files import PUBLIC_KEY, SERVICE, Events, exported

TITLES = [*EVENT_COLUMNS.titles, "Record", "Personal", "Leaf hash", "Chain hash"]
SHEET = "xl/worksheets/sheet1.xml"
_ROW = re.compile(r"<row>.*?</row>", re.DOTALL)
_CELL = re.compile(r"<c(?: [^>]*)?/>|<c[ >].*?</c>", re.DOTALL)


@pytest.fixture(scope="module")
def events() -> Events:
    """Every column of the first ones has something in it."""
    full = draft(
        actor={
            "id": "u-17",
            "kind": "user",
            "full_name": "Asha Rao",
            "email": "asha@example.com",
            "ip": "10.1.2.3",
            "roles": ["auditor"],
            "user_agent": "Firefox",
            "session_id": "s-9",
            "auth_method": "password",
            "on_behalf_of": "u-18",
        },
        status="failure",
        failure={"code": "denied", "reason": "no quota"},
        also_affected=[{"type": "domain", "id": "example.com"}],
        changes=[{"path": "/a", "old": 1, "new": 2}],
        causation_id="event-1",
    )
    return Events.of(
        [
            full,
            *(draft() for _ in range(30)),
            draft(command="LogOutUser", entity={"type": "user", "id": "u-17", "name": "Asha Rao"}, details={}),
        ]
    )


@dataclass(frozen=True)
class Checker:
    folder: Path

    def faults(self, data: bytes, suffix: str = "xlsx", key: bytes = PUBLIC_KEY) -> list[str]:
        path = self.folder / f"file.{suffix}"
        path.write_bytes(data)
        verdict = check_export(path, [key]).verdict
        assert verdict.good == (not verdict.faults)
        return [str(fault) for fault in verdict.faults]


@pytest.fixture
def checker(tmp_path: Path) -> Checker:
    return Checker(tmp_path)


def with_sheet(data: bytes, change: Callable[[str], str], member: str = SHEET) -> bytes:
    """The same workbook with one sheet changed."""
    changed = BytesIO()
    with ZipFile(BytesIO(data)) as before, ZipFile(changed, "w", ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name).decode()
            after.writestr(name, change(content) if name == member else content)
    return changed.getvalue()


def with_rows(data: bytes, change: Callable[[list[str]], list[str]]) -> bytes:
    def changed(xml: str) -> str:
        head, *rows = _ROW.findall(xml)
        begin, end = xml.index(head), xml.index("</sheetData>")
        return xml[:begin] + "".join([head, *change(rows)]) + xml[end:]

    return with_sheet(data, changed)


def with_cell(data: bytes, row: int, title: str, cell: Callable[[str], str]) -> bytes:
    """With one cell changed, of a row that is counted as spreadsheets do."""

    def changed(rows: list[str]) -> list[str]:
        cells = _CELL.findall(rows[row - 2])
        index = TITLES.index(title)
        cells[index] = cell(cells[index])
        rows[row - 2] = f"<row>{''.join(cells)}</row>"
        return rows

    return with_rows(data, changed)


def edited(cell: str) -> str:
    """Other content of the same kind."""
    if "<v>" in cell:
        return re.sub(r"<v>(\d)", lambda found: f"<v>{(int(found[1]) + 1) % 10 or 3}", cell)
    return re.sub(r">([^<>]*)</t>", lambda found: f">{found[1][:-1]}{'x' if found[1][-1:] != 'x' else 'y'}</t>", cell)


FORMATS = (ExportFormat.XLSX, ExportFormat.JSONL)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "positions",
    [range(1, 33), range(1, 33, 2), [1], [32], [2, 3, 30], [], range(32, 0, -1), range(31, 0, -3)],
    ids=str,
)
def test_what_was_exported_is_good(
    events: Events, checker: Checker, format_: ExportFormat, positions: Sequence[int]
) -> None:
    """All rows or a selection, in either order."""
    down = len(positions) > 1 and positions[0] > positions[1]
    if down:
        events = Events.of(draft(occurred_at=f"2026-11-24T10:00:{n:02}Z") for n in range(32))
    data = exported(events, events.rows(positions), format_, order=Order.OCCURRED if down else Order.RECORDED)
    assert checker.faults(data, format_) == []


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("alone", [False, True])
def test_an_edited_cell_is_named(events: Events, checker: Checker, title: str, alone: bool) -> None:
    """In any column, be it of a row whose neighbours are not in the file."""
    data = exported(events, events.rows([1, 5, 9, 13] if alone else range(1, 33)))
    faults = checker.faults(with_cell(data, 2, title, edited))
    assert any(fault.startswith(f"Events, row 2, column {title}: ") for fault in faults), faults
    assert not any("row 3" in fault for fault in faults)


@pytest.mark.parametrize("title", TITLES)
def test_an_emptied_cell_is_named(events: Events, checker: Checker, title: str) -> None:
    """To take something out is a change, too; of a whole row the record tells what is gone."""
    data = exported(events, events.rows([1, 5, 9, 13]))
    faults = checker.faults(with_cell(data, 2, title, lambda _: "<c/>"))
    assert any(fault.startswith(f"Events, row 2, column {title}: ") for fault in faults), faults


@pytest.mark.parametrize("title", ["User", "Details", "Record", "Occurred (UTC)", "Leaf hash"])
def test_a_formula_is_named_whatever_it_shows(events: Events, checker: Checker, title: str) -> None:
    """A cell that shows the same, and may show something else tomorrow."""
    data = exported(events, events.rows())

    def as_formula(cell: str) -> str:
        shown = re.sub(r"<[^>]*>", "", cell)
        return f'<c t="str"><f>A1</f><v>{shown}</v></c>'

    faults = checker.faults(with_cell(data, 3, title, as_formula))
    assert any(fault.startswith(f"Events, row 3, column {title}: ") for fault in faults), faults


def test_personal_data_that_were_taken_out_are_named(events: Events, checker: Checker) -> None:
    """Even if the columns that show them are emptied with them: the signed fingerprint says that they were there."""
    data = exported(events, events.rows())
    for title in ("Personal", "User", "IP address"):
        data = with_cell(data, 4, title, lambda _: "<c/>")
    name = escape("u-17 revoked www.example.com")
    data = with_cell(data, 4, "Description", lambda _: f'<c t="inlineStr"><is><t>{name}</t></is></c>')
    faults = checker.faults(data)
    assert faults[0] == "Events, row 4, column Personal: the personal data were taken out"
    assert all(fault.startswith("Summary: ") for fault in faults[1:])


def test_erased_personal_data_are_no_fault(events: Events, checker: Checker) -> None:
    """They were gone when the file was made."""
    rows = [row._replace(personal=None) if row.position == 3 else row for row in events.rows()]
    assert checker.faults(exported(events, rows)) == []


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("taken", [0, 7, 15])
def test_a_removed_row_is_named(events: Events, checker: Checker, taken: int, order: Order) -> None:
    """The first, one in the middle, the last."""
    positions = list(range(1, 33, 2))
    if order is Order.OCCURRED:
        events = Events.of(draft(occurred_at=f"2026-11-24T10:00:{n:02}Z") for n in range(32))
        positions.reverse()
    data = exported(events, events.rows(positions), order=order)
    faults = checker.faults(with_rows(data, lambda rows: rows[:taken] + rows[taken + 1 :]))
    assert f"Events: 1 rows were taken out: those of the positions {positions[taken]}" in faults


def test_an_added_row_is_named(events: Events, checker: Checker) -> None:
    """A real event of the ledger that was not exported, a made-up one, and one that is there already."""
    some, other = events.rows(range(1, 20)), events.rows([25])
    data, foreign = exported(events, some), exported(events, other)
    (row,) = _ROW.findall(ZipFile(BytesIO(foreign)).read(SHEET).decode())[1:]
    assert "Events: 1 rows were put in: those of the positions 25" in checker.faults(
        with_rows(data, lambda rows: [*rows, row])
    )
    twice = checker.faults(with_rows(data, lambda rows: [*rows, rows[4]]))
    assert "Events, row 21, column Position: the event at position 5 is in the file twice" in twice


def test_a_replaced_row_is_named(events: Events, checker: Checker) -> None:
    """One that is at one with itself: record, hashes and columns of another history."""
    forged = Events.of(draft() for _ in range(32))
    data, other = exported(events, events.rows([1, 5, 9])), exported(forged, forged.rows([1, 5, 9]))
    rows = _ROW.findall(ZipFile(BytesIO(other)).read(SHEET).decode())
    faults = checker.faults(with_rows(data, lambda own: [own[0], rows[2], own[2]]))
    assert len(faults) == 1
    assert faults[0].startswith("Events, row 3, column Chain hash: ")


def test_swapped_rows_are_named(events: Events, checker: Checker) -> None:
    """The order is part of what was exported."""
    data = exported(events, events.rows(range(1, 33, 2)))
    faults = checker.faults(with_rows(data, lambda rows: [*rows[:3], rows[4], rows[3], *rows[5:]]))
    assert faults[0].startswith("Events, row 6: does not belong here")


@pytest.mark.parametrize("part", ["manifest", "checkpoint", "positions", "fingerprints", "node"])
def test_an_edited_proof_is_named(events: Events, checker: Checker, part: str) -> None:
    """The proof vouches for the rows only as it was signed."""
    data = exported(events, events.rows(range(2, 33, 2)))

    def changed(xml: str) -> str:
        at = xml.index(">", xml.index('preserve">', xml.index(f">{part}</t>") + 10)) + 1
        letter = "B" if part in {"fingerprints", "node"} else "9"
        at += 200 if part == "manifest" else 3
        return xml[:at] + (letter if xml[at] != letter else "C") + xml[at + 1 :]

    assert checker.faults(with_sheet(data, changed, "xl/worksheets/sheet4.xml"))


@pytest.mark.parametrize(
    ("sheet", "said", "instead"),
    [(2, "Filters", "Filtered"), (2, "none: all events", "none: some events"), (3, "certificate_operations", "other")],
)
def test_what_the_file_says_about_itself_is_checked(
    events: Events, checker: Checker, sheet: int, said: str, instead: str
) -> None:
    """An auditor reads these sheets first."""
    data = exported(events, events.rows())
    member = f"xl/worksheets/sheet{sheet}.xml"
    assert said in ZipFile(BytesIO(data)).read(member).decode()
    faults = checker.faults(with_sheet(data, lambda xml: xml.replace(said, instead), member))
    assert any(fault.startswith("About" if sheet == 2 else "Summary") for fault in faults), faults


def test_another_key_is_not_believed(events: Events, checker: Checker) -> None:
    """Who exported it is known by the key alone."""
    faults = checker.faults(exported(events, events.rows()), key=b"\x09" * 32)
    assert faults[0].startswith("Proof, column manifest: the note is signed by certinext-audit/default/export")


def test_rows_behind_the_checkpoint_are_counted(events: Events, tmp_path: Path) -> None:
    """The manifest vouches for them, and the check says how many they are."""
    path = tmp_path / "file.xlsx"
    path.write_bytes(exported(events, events.rows(), covered=20))
    verdict = check_export(path, [PUBLIC_KEY]).verdict
    assert verdict.good
    assert verdict.unproven == 12


def test_a_workbook_that_a_program_saved_anew_is_good(events: Events, checker: Checker) -> None:
    """Shared texts, other places of cells, other styles: the content counts."""
    workbook = openpyxl.load_workbook(BytesIO(exported(events, events.rows())))
    saved = BytesIO()
    workbook.save(saved)
    assert checker.faults(saved.getvalue()) == []


def test_the_key_is_taken_in_any_form(events: Events, tmp_path: Path) -> None:
    """As a verifier key of exports or checkpoints, in hexadecimal, in a file; and from the file, which is said."""
    path = tmp_path / "file.xlsx"
    path.write_bytes(exported(events, events.rows()))
    forms = [
        PUBLIC_KEY.hex(),
        str(VerifierKey(origin(SERVICE, DEFAULT_LEDGER), PUBLIC_KEY)),
        str(VerifierKey("certinext-audit/default", PUBLIC_KEY)),
    ]
    for number, form in enumerate(forms):
        kept = tmp_path / f"key-{number}"
        kept.write_text(f"{form}\n")
        for given in (form, str(kept)):
            checked = check_export(path, [read_key(given)])
            assert checked.verdict.good
            assert not checked.key_from_file
    assert check_export(path, []).key_from_file
    for wrong in ("nonsense", "ab" * 31, "zz" * 32, "a+b+c"):
        with pytest.raises(InvalidVerifierKey):
            read_key(wrong)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "neither"),
        (b"PK\3\4broken", "damaged or cut off"),
        (b"User,User id,User kind\r\n", "hold no proof"),
        (b"hello", "neither"),
        (b'{"export":{}}\n', "no line with a manifest"),
        (b'{"export":{}}\n{"manifest":\n', "line 2 is no JSON object"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    """With a word that says why."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=said):
        check_export(path, [PUBLIC_KEY])


def test_a_hostile_workbook_is_refused(events: Events, tmp_path: Path) -> None:
    """No entities, no cells out of place, no text that fills the memory, no missing parts."""
    data = exported(events, events.rows())
    path = tmp_path / "file.xlsx"
    hostile: Iterator[bytes] = iter(
        [
            with_sheet(data, lambda xml: '<!DOCTYPE x [<!ENTITY a "b">]>' + xml),
            with_sheet(data, lambda xml: xml.replace("<row>", '<row><c r="ZZZZ1"/>')),
            with_sheet(data, lambda xml: xml.replace("<row>", '<row><c r="XFE1"><v>1</v></c>')),
            with_sheet(data, lambda xml: xml.replace('preserve">', 'preserve">' + "x" * 400_000, 60)),
            with_sheet(data, lambda xml: xml[: len(xml) // 2]),
            data[: len(data) // 2],
        ]
    )
    for broken in hostile:
        path.write_bytes(broken)
        with pytest.raises(Unreadable):
            check_export(path, [PUBLIC_KEY])


@pytest.mark.parametrize("name", ["record", "personal", "leaf_hash", "chain_hash", "event"])
def test_an_edited_line_is_named(events: Events, checker: Checker, name: str) -> None:
    """In JSON Lines, too."""
    lines = exported(events, events.rows(range(1, 33, 3)), ExportFormat.JSONL).splitlines(keepends=True)
    line = orjson.loads(lines[3])
    if name == "event":
        line["event"]["actor"]["id"] = "u-18"
    else:
        line[name] = line[name].replace("a", "b", 1) if "a" in line[name] else line[name].replace("1", "2", 1)
    lines[3] = orjson.dumps(line) + b"\n"
    faults = checker.faults(b"".join(lines), "jsonl")
    assert faults[0].startswith("line 4, column "), faults
    assert checker.faults(b"".join(lines[:3] + lines[4:]), "jsonl") == [
        "Events: 1 rows were taken out: those of the positions 7"
    ]


def test_an_edited_head_is_named(events: Events, checker: Checker) -> None:
    """What the first line says is what was signed."""
    data = exported(events, events.rows(), ExportFormat.JSONL)
    changed = data.replace(b'"filters":{}', b'"filters":{"user":["x"]}', 1)
    assert checker.faults(changed, "jsonl") == ["line 1, column export.filters: is not what the manifest says"]
