"""The frame of a ZIP file that is written as a stream (APPNOTE 6.3.10): sizes follow what they are of."""

import struct
from dataclasses import dataclass

MEMBER_BYTES = 2**32 - 1
"""How large a member may be before ZIP64 is needed for it, which spreadsheet programs do not read everywhere."""

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_DESCRIPTOR = struct.Struct("<4sIII")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END_64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<4sIQI")
_OFFSET_64 = struct.Struct("<HHQ")

_VERSION, _VERSION_64 = 20, 45
_SIZES_FOLLOW = 0x0008
_DEFLATED = 8
_FIRST_OF_JANUARY_1980 = 0x0021
_BEYOND_32, _BEYOND_16 = 2**32 - 1, 2**16 - 1


@dataclass(frozen=True, slots=True)
class _Member:
    name: bytes
    offset: int
    crc: int
    packed: int
    size: int


class ZipStream:
    """Says what stands around the deflated members, and keeps count. One member is open at a time."""

    def __init__(self) -> None:
        self._members: list[_Member] = []
        self._name = b""
        self._began = 0
        self._offset = 0

    def begin(self, name: str) -> bytes:
        """What stands before a member; names are ASCII."""
        self._name, self._began = name.encode("ascii"), self._offset
        head = _LOCAL.pack(
            b"PK\3\4",
            _VERSION,
            _SIZES_FOLLOW,
            _DEFLATED,
            0,
            _FIRST_OF_JANUARY_1980,
            0,
            0,
            0,
            len(self._name),
            0,
        )
        return self._counted(head + self._name)

    def end(self, crc: int, packed: int, size: int) -> bytes:
        """What stands behind the member, whose `packed` bytes were written before. Raises ValueError beyond 4 GiB."""
        if max(packed, size) > MEMBER_BYTES:
            raise ValueError(f"the member {self._name!r} of {size} bytes is too large")
        self._offset += packed
        self._members.append(_Member(self._name, self._began, crc, packed, size))
        return self._counted(_DESCRIPTOR.pack(b"PK\7\x08", crc, packed, size))

    def finish(self) -> bytes:
        """The central directory, with which the file ends."""
        entries = b"".join(map(_entry, self._members))
        begin, count = self._offset, len(self._members)
        end_64 = b""
        if begin + len(entries) >= _BEYOND_32 or count >= _BEYOND_16:
            end_64 = _END_64.pack(
                b"PK\6\6", _END_64.size - 12, _VERSION_64, _VERSION_64, 0, 0, count, count, len(entries), begin
            ) + _LOCATOR_64.pack(b"PK\6\7", 0, begin + len(entries), 1)
        end = _END.pack(
            b"PK\5\6",
            0,
            0,
            min(count, _BEYOND_16),
            min(count, _BEYOND_16),
            min(len(entries), _BEYOND_32),
            min(begin, _BEYOND_32),
            0,
        )
        return entries + end_64 + end

    def _counted(self, data: bytes) -> bytes:
        self._offset += len(data)
        return data


def _entry(member: _Member) -> bytes:
    extra = _OFFSET_64.pack(0x0001, 8, member.offset) if member.offset >= _BEYOND_32 else b""
    head = _CENTRAL.pack(
        b"PK\1\2",
        _VERSION_64 if extra else _VERSION,
        _VERSION_64 if extra else _VERSION,
        _SIZES_FOLLOW,
        _DEFLATED,
        0,
        _FIRST_OF_JANUARY_1980,
        member.crc,
        member.packed,
        member.size,
        len(member.name),
        len(extra),
        0,
        0,
        0,
        0,
        min(member.offset, _BEYOND_32),
    )
    return head + member.name + extra
