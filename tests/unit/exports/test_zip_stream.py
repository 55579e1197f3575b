"""The archive is one that others read, however large it gets."""

import zlib
from pathlib import Path
from zipfile import ZipFile

import pytest

from adapters.exports.built import pack
from adapters.exports.xlsx.zip_stream import MEMBER_BYTES, ZipStream

_GIB = 2**30


def test_members_are_read_by_others(tmp_path: Path) -> None:
    """Sizes and checksums stand behind the members, since they are known only then."""
    archive, members = ZipStream(), {"a.xml": b"", "xl/b.xml": b"some text" * 10_000}
    with (tmp_path / "file.zip").open("wb") as file:
        for name, data in members.items():
            packed = pack(data, last=True)
            file.write(archive.begin(name) + packed.data + archive.end(packed.crc, len(packed.data), packed.size))
        file.write(archive.finish())
    with ZipFile(tmp_path / "file.zip") as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == members


def test_stretches_packed_apart_are_one_stream() -> None:
    """Each may have been made by another process."""
    stretches = [b"one" * 1000, b"", b"two" * 1000]
    packed = b"".join(pack(stretch, last=stretch is stretches[-1]).data for stretch in stretches)
    assert zlib.decompress(packed, -15) == b"".join(stretches)


def test_an_archive_beyond_4_gib_is_read(tmp_path: Path) -> None:
    """The member at its end is found through ZIP64; a hole in the file stands for the ones before."""
    archive = ZipStream()
    packed = pack(b"the last one", last=True)
    with (tmp_path / "large.zip").open("wb") as file:
        for number in range(2):
            file.write(archive.begin(f"hole-{number}"))
            file.seek(3 * _GIB, 1)
            file.write(archive.end(0, 3 * _GIB, 3 * _GIB))
        file.write(archive.begin("last") + packed.data + archive.end(packed.crc, len(packed.data), packed.size))
        file.write(archive.finish())
    with ZipFile(tmp_path / "large.zip") as found:
        assert found.read("last") == b"the last one"
        assert found.getinfo("last").header_offset > 6 * _GIB


def test_a_member_beyond_4_gib_is_refused() -> None:
    """Spreadsheet programs would not read it."""
    archive = ZipStream()
    archive.begin("large")
    with pytest.raises(ValueError, match="too large"):
        archive.end(0, MEMBER_BYTES + 1, 1)
