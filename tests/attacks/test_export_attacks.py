"""Whoever alters an exported workbook is found out, be it with what is genuine elsewhere or beside the cells."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from adapters.exports.verifying import check_export
from adapters.exports.xlsx.reader import Unreadable
from domain.words import ExportFormat
from tests.builders import draft
from tests.unit.exports.files import PUBLIC_KEY, Events, exported
from tests.unit.exports.test_verifying import SHEET, TITLES, with_cell, with_rows, with_sheet

_ROW = re.compile(r"<row>.*?</row>", re.DOTALL)
_PROOF = "xl/worksheets/sheet4.xml"
_ABOUT, _SUMMARY = "xl/worksheets/sheet2.xml", "xl/worksheets/sheet3.xml"
_FORGED = '<row><c t="inlineStr"><is><t>nobody</t></is></c></row>'


@pytest.fixture(scope="module")
def events() -> Events:
    """Of two stories: what is in one export is in no other, and all of it is genuine."""
    return Events.of(draft(actor={"id": f"u-{n}", "kind": "user", "full_name": f"Person {n}"}) for n in range(40))


@pytest.fixture(scope="module")
def mine(events: Events) -> bytes:
    return exported(events, events.rows(range(1, 40, 2)))


@pytest.fixture(scope="module")
def other(events: Events) -> bytes:
    return exported(events, events.rows(range(2, 41, 2)), filters={"status": ["success"]})


Faults = Callable[[bytes], list[str]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    def found(data: bytes, suffix: str = "xlsx") -> list[str]:
        path = tmp_path / f"file.{suffix}"
        path.write_bytes(data)
        return [str(fault) for fault in check_export(path, [PUBLIC_KEY]).verdict.faults]

    return found


def member(data: bytes, name: str) -> str:
    return ZipFile(BytesIO(data)).read(name).decode()


def rows_of(data: bytes) -> list[str]:
    return _ROW.findall(member(data, SHEET))[1:]


def with_member(data: bytes, name: str, content: str | Callable[[str], str]) -> bytes:
    """With one member changed, or added."""
    changed = BytesIO()
    with ZipFile(BytesIO(data)) as before, ZipFile(changed, "w", ZIP_DEFLATED) as after:
        for one in before.namelist():
            if one != name:
                after.writestr(one, before.read(one))
        after.writestr(name, content if isinstance(content, str) else content(before.read(name).decode()))
    return changed.getvalue()


def test_the_untouched_workbook_is_good(mine: bytes, other: bytes, faults: Faults) -> None:
    """So what is found below is the attack."""
    assert faults(mine) == faults(other) == []


def test_the_proof_of_another_export_proves_nothing_here(mine: bytes, other: bytes, faults: Faults) -> None:
    """With its manifest, which is signed by the right key: it names the rows that are missing, and those too many."""
    found = faults(with_sheet(mine, lambda _: member(other, _PROOF), _PROOF))
    named = "2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40".replace(", ", ",").split(",")
    taken = f"Events: 20 rows were taken out: those of the positions {', '.join(named)}"
    assert taken in found
    assert any(fault.startswith("Events: 20 rows were put in") for fault in found)
    assert any(fault.startswith("About: ") for fault in found)


@pytest.mark.parametrize("part", ["manifest", "positions", "fingerprints", "node"])
def test_a_part_of_the_proof_of_another_export_is_found(mine: bytes, other: bytes, faults: Faults, part: str) -> None:
    """Each is bound to the others."""

    def part_of(data: bytes) -> list[str]:
        return [row for row in _ROW.findall(member(data, _PROOF)) if f">{part}</t>" in row]

    ours, theirs = part_of(mine), part_of(other)
    assert ours != theirs
    assert faults(with_sheet(mine, lambda xml: xml.replace("".join(ours), "".join(theirs)), _PROOF))


@pytest.mark.parametrize("place", [0, 7, 19])
def test_rows_that_changed_places_between_two_exports_are_found_in_both(
    mine: bytes, other: bytes, faults: Faults, place: int
) -> None:
    """Both are genuine, and at one with themselves."""
    ours, theirs = rows_of(mine)[place], rows_of(other)[place]
    for data, row, put_in, taken_out in (
        (mine, theirs, 2 * place + 2, 2 * place + 1),
        (other, ours, 2 * place + 1, 2 * place + 2),
    ):
        found = faults(with_rows(data, lambda rows, row=row: [*rows[:place], row, *rows[place + 1 :]]))  # type: ignore[misc]
        assert f"Events: 1 rows were put in: those of the positions {put_in}" in found
        assert f"Events: 1 rows were taken out: those of the positions {taken_out}" in found


@pytest.mark.parametrize(
    "title", ["User", "User id", "Description", "Event id", "Position", "Command id", "Record", "Personal"]
)
def test_a_cell_of_a_neighbour_is_named(mine: bytes, faults: Faults, title: str) -> None:
    """What is genuine in one row is not in another."""
    cells = re.compile(r"<c(?: [^>]*)?/>|<c[ >].*?</c>", re.DOTALL)
    index = TITLES.index(title)
    one, two = (cells.findall(row)[index] for row in rows_of(mine)[3:5])
    assert one != two
    found = faults(with_cell(mine, 5, title, lambda _: two))
    assert any(fault.startswith("Events, row 5, column ") for fault in found), found


@pytest.mark.parametrize("sheet", [_ABOUT, _SUMMARY])
def test_what_another_export_says_about_itself_is_found(mine: bytes, other: bytes, faults: Faults, sheet: str) -> None:
    """The sheets for people belong to their rows."""
    assert faults(with_sheet(mine, lambda _: member(other, sheet), sheet))


def test_titles_that_changed_places_are_found(mine: bytes, tmp_path: Path) -> None:
    """What they name would be something else."""
    swapped = with_sheet(
        mine, lambda xml: xml.replace(">User</t>", ">?</t>", 1).replace(">User id</t>", ">User</t>", 1)
    )
    path = tmp_path / "file.xlsx"
    path.write_bytes(swapped)
    with pytest.raises(Unreadable, match="header"):
        check_export(path, [PUBLIC_KEY])


def test_a_sheet_beside_ours_is_named(mine: bytes, faults: Faults) -> None:
    """It would be read as part of what was exported."""
    data = with_member(mine, "xl/worksheets/sheet9.xml", member(mine, SHEET).replace("Person 1", "Person X"))
    relation = '<Relationship Id="rId99" Target="worksheets/sheet9.xml" Type="x/worksheet"/></Relationships>'
    data = with_member(data, "xl/_rels/workbook.xml.rels", lambda xml: xml.replace("</Relationships>", relation))
    sheet = (
        '<sheet xmlns:q="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
        'name="All events" sheetId="99" q:id="rId99"/>'
    )
    found = faults(with_member(data, "xl/workbook.xml", lambda xml: xml.replace("<sheets>", f"<sheets>{sheet}")))
    assert found == ["All events: this sheet was put in"]


def test_rows_in_a_prefix_of_their_own_are_seen(mine: bytes, faults: Faults) -> None:
    """Spreadsheet programs show them like all others."""
    forged = re.sub(r"<(/?)(\w)", r"<\1q:\2", _FORGED)
    forged = forged.replace("<q:row", '<q:row xmlns:q="http://schemas.openxmlformats.org/spreadsheetml/2006/main"')
    found = faults(with_rows(mine, lambda rows: [*rows, forged]))
    assert found[0].startswith("Events, row 22, column Record: ")


@pytest.mark.parametrize("code", ['"success"', ';;;"success"', "@;@", '"x"@', "0,", "0%", "[Red]0", "\\s\\u\\c"])
def test_a_format_that_shows_something_else_is_named(mine: bytes, faults: Faults, code: str) -> None:
    """No cell is changed then, and what people read is."""
    escaped = code.replace('"', "&quot;")
    data = with_member(
        mine, "xl/styles.xml", lambda xml: re.sub(r'formatCode="yyyy[^"]*"', lambda _: f'formatCode="{escaped}"', xml)
    )
    (found,) = faults(data)
    assert found.startswith("Workbook: the number format ")


@pytest.mark.parametrize("code", ["General", "yyyy\\-mm\\-dd\\ hh:mm:ss.000", "[$-409]yyyy/mm/dd", "#,##0"])
def test_formats_of_other_programs_are_good(mine: bytes, faults: Faults, code: str) -> None:
    """They write the same in their own ways."""
    data = with_member(
        mine, "xl/styles.xml", lambda xml: re.sub(r'formatCode="yyyy[^"]*"', lambda _: f'formatCode="{code}"', xml)
    )
    assert faults(data) == []


@pytest.mark.parametrize("kind", ["b", "e", "d"])
def test_a_number_that_is_shown_as_something_else_is_named(mine: bytes, faults: Faults, kind: str) -> None:
    """The position 1 as TRUE."""
    found = faults(with_cell(mine, 2, "Position", lambda cell: cell.replace("<c ", f'<c t="{kind}" ')))
    assert any(fault.startswith("Events, row 2, column Position: ") for fault in found), found


def _doubled(data: bytes, name: str) -> bytes:
    doubled = BytesIO(data)
    with ZipFile(doubled, "a", ZIP_DEFLATED) as archive:
        archive.writestr(name, member(data, SHEET).replace("Person 1", "Person X"))
    return doubled.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (lambda data: _doubled(data, SHEET), "more than once"),
        (lambda data: _doubled(data, SHEET.replace("sheet1", "Sheet1")), "more than once"),
        (
            lambda data: with_member(
                data, "_rels/.rels", lambda xml: xml.replace("xl/workbook.xml", "yl/workbook.xml")
            ),
            "is not at xl/workbook.xml",
        ),
        (
            lambda data: with_member(data, "xl/workbook.xml", lambda xml: xml.replace('name="About"', 'name="Events"')),
            "two sheets of the name",
        ),
    ],
    ids=["a member twice", "a member twice, in other letters", "another workbook beside it", "two sheets of one name"],
)
def test_what_programs_would_read_differently_is_refused(
    mine: bytes, tmp_path: Path, attack: Callable[[bytes], bytes], said: str
) -> None:
    """One of them would show what was not checked."""
    path = tmp_path / "file.xlsx"
    path.write_bytes(attack(mine))
    with pytest.raises(Unreadable, match=said):
        check_export(path, [PUBLIC_KEY])


def test_shared_texts_are_those_that_programs_take(mine: bytes, faults: Faults) -> None:
    """Which table that is, is said by a relation and not by its name."""
    cell = '<c s="1" t="s"><v>0</v></c>'
    table = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{}</t></si></sst>'
    data = with_cell(mine, 2, "User", lambda _: cell)
    data = with_member(data, "xl/sharedStrings.xml", table.format("Person 0"))
    data = with_member(data, "xl/texts.xml", table.format("Person X"))
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    for target, good in (("sharedStrings.xml", True), ("texts.xml", False)):
        relation = f'<Relationship Id="rId98" Target="{target}" Type="{kind}"/></Relationships>'

        def related(xml: str, relation: str = relation) -> str:
            xml = re.sub(r"<Relationship [^>]*sharedStrings[^>]*/>", "", xml)
            return xml.replace("</Relationships>", relation)

        found = faults(with_member(data, "xl/_rels/workbook.xml.rels", related))
        assert (found == []) is good, found


@pytest.mark.parametrize("swap", [True, False])
def test_lines_of_another_export_are_found(events: Events, faults: Callable[..., list[str]], swap: bool) -> None:
    """In JSON Lines, too: a line of the other, or the proof of the other."""
    ours, theirs = (
        exported(events, events.rows(range(begin, 41, 2)), ExportFormat.JSONL).splitlines(keepends=True)
        for begin in (1, 2)
    )
    assert faults(b"".join(ours), "jsonl") == []
    attacked = [*ours[:3], theirs[3], *ours[4:]] if swap else [*ours[:21], *theirs[21:]]
    found = faults(b"".join(attacked), "jsonl")
    assert any("were put in" in fault for fault in found)
    assert any("were taken out" in fault for fault in found)
