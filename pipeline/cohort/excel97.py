"""What an Excel 97–2003 file declares: extents, hidden rows and columns. Looked at before calamine reads it.

calamine takes memory for the extent that a sheet declares, and a damaged declaration of 4 billion rows ends the
whole process, which no exception handler sees. Cells are calamine's business. Layouts: [MS-CFB], [MS-XLS].
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import BrokenWorkbook

ROWS, COLUMNS = 65_536, 256  # what the format can hold
_SPECIAL = 0xFFFFFFFA  # sector numbers from here on are marks, not places
_BOF, _EOF, _BOUNDSHEET, _DIMENSIONS, _ROW, _COLINFO, _SST = (
    0x0809,
    0x000A,
    0x0085,
    0x0200,
    0x0208,
    0x007D,
    0x00FC,
)


@dataclass
class SheetFacts:
    """One sheet of the workbook, in its order; rows and columns from 1."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)


def facts(data: bytes) -> list[SheetFacts]:
    """Facts of every sheet; raises BrokenWorkbook where the file declares what it cannot hold."""
    try:
        stream = _stream(data)
        return [_sheet(stream, place) for place in _places(stream)]
    except (struct.error, IndexError):
        raise _damaged() from None


def _damaged() -> BrokenWorkbook:
    return BrokenWorkbook(
        "the workbook is damaged: open it in the spreadsheet program and save it again as .xlsx."
    )


def _stream(data: bytes) -> bytes:
    """The stream `Workbook` (`Book` before Excel 97) of the compound file."""
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    if shift not in (9, 12) or mini_shift > shift:
        raise _damaged()
    size = 1 << shift
    first_directory, _, cutoff, first_mini, _, more, _ = struct.unpack_from("<7I", data, 48)
    most = len(data) // size + 1  # no chain is longer than the file

    def sector(number: int) -> bytes:
        part = data[(number + 1) * size : (number + 2) * size]
        if not part:
            raise _damaged()
        return part

    def numbers(content: bytes) -> list[int]:
        return list(struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4]))

    tables = [n for n in struct.unpack_from("<109I", data, 76) if n < _SPECIAL]
    for _ in range(most):
        if more >= _SPECIAL:
            break
        *listed, more = numbers(sector(more))
        tables += [n for n in listed if n < _SPECIAL]
    if len(tables) > most:
        raise _damaged()
    table = [n for place in tables for n in numbers(sector(place))]

    def chain(start: int, follow: list[int], limit: int) -> list[int]:
        places: list[int] = []
        while start < _SPECIAL:
            if len(places) > limit or start >= len(follow):
                raise _damaged()
            places.append(start)
            start = follow[start]
        return places

    def content(start: int) -> bytes:
        return b"".join(sector(n) for n in chain(start, table, most))

    directory = content(first_directory)
    entries = {}
    for place in range(0, len(directory) - 127, 128):
        length = min(struct.unpack_from("<H", directory, place + 64)[0], 64)
        name = directory[place : place + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries[name.casefold()] = struct.unpack_from("<IQ", directory, place + 116)
    found = entries.get("workbook") or entries.get("book")
    if found is None:
        raise _damaged()
    start, length = found[0], found[1] & 0xFFFFFFFF
    if length >= cutoff:
        return content(start)[:length]
    small = content(entries["root entry"][0]) if "root entry" in entries else b""
    follow = numbers(content(first_mini)) if first_mini < _SPECIAL else []
    step = 1 << mini_shift
    return b"".join(small[n * step : (n + 1) * step] for n in chain(start, follow, len(small) // step + 1))[
        :length
    ]


def _records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        yield kind, stream[place + 4 : place + 4 + length]
        place += 4 + length


def _places(stream: bytes) -> list[int]:
    """Where the sheets begin; the shared strings are looked at on the way."""
    places = []
    for kind, body in _records(stream, 0):
        if kind == _BOUNDSHEET:
            places.append(struct.unpack_from("<I", body)[0])
        elif kind == _SST and struct.unpack_from("<II", body)[1] > len(stream):
            # Every string takes three bytes at least.
            raise _damaged()
        elif kind == _EOF:
            break
    return places


def _sheet(stream: bytes, place: int) -> SheetFacts:
    found = SheetFacts()
    depth = 0  # charts within the sheet have a beginning and an end of their own
    for kind, body in _records(stream, place):
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth <= 0:
                break
        elif kind == _DIMENSIONS:
            is_long = len(body) >= 14
            first, last, left, right = struct.unpack_from("<IIHH" if is_long else "<HHHH", body)
            if first > last or left > right or last > ROWS or right > COLUMNS:
                raise _damaged()
        elif depth == 1 and kind == _ROW and len(body) >= 16 and body[12] & 0x20:
            found.hidden_rows.append(struct.unpack_from("<H", body)[0] + 1)
        elif depth == 1 and kind == _COLINFO and len(body) >= 10 and body[8] & 0x01:
            first, last = struct.unpack_from("<HH", body)
            found.hidden_columns.extend(range(first + 1, min(last + 1, COLUMNS) + 1))
    return found
