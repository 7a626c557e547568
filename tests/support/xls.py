"""The smallest Excel 97 workbook that readers accept, for tests: no package here writes one."""

from __future__ import annotations

import struct
from datetime import date

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
ERROR_CODES = {"#DIV/0!": 0x07, "#N/A": 0x2A, "#REF!": 0x17}
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _text(value: str, length: str = "<H") -> bytes:
    return struct.pack(length, len(value)) + b"\x01" + value.encode("utf-16-le")


def _bof(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, value: object, is_1904: bool) -> bytes:
    if isinstance(value, date):
        days = float((value - _EPOCHS[is_1904]).days)
        return _record(0x0203, struct.pack("<HHHd", row, column, 1, days))
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, bool):
        return _record(0x0205, place + bytes([value, 0]))
    if isinstance(value, str) and value in ERROR_CODES:
        return _record(0x0205, place + bytes([ERROR_CODES[value], 1]))
    if isinstance(value, str):
        return _record(0x0204, place + _text(value))
    return _record(0x0203, place + struct.pack("<d", value))


def workbook(
    sheets: dict[str, list[list[object]]],
    *,
    hidden: tuple[str, ...] = (),
    hidden_rows: tuple[int, ...] = (),
    hidden_columns: tuple[int, ...] = (),
    merged: tuple[tuple[int, int, int, int], ...] = (),
    is_1904: bool = False,
    is_encrypted: bool = False,
) -> bytes:
    """Rows of text, numbers, booleans, dates, error names and None (blank). `merged`: r1, r2, c1, c2 from 0; hidden ones from 0 too."""
    head = _bof(0x0005)
    if is_encrypted:
        head += _record(0x002F, struct.pack("<HHH", 0, 1, 2))
    head += _record(0x0042, struct.pack("<H", 1200)) + _record(0x0022, struct.pack("<H", is_1904))
    head += _record(0x041E, struct.pack("<H", 164) + _text("yyyy-mm-dd"))
    for number_format in (0, 164):
        head += _record(0x00E0, struct.pack("<HH", 0, number_format) + bytes(16))
    bodies = []
    for rows in sheets.values():
        width = max((len(row) for row in rows), default=0)
        body = _bof(0x0010) + _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
        for column in hidden_columns:
            body += _record(0x007D, struct.pack("<HHHHHH", column, column, 2048, 0, 1, 0))
        for r, row in enumerate(rows):
            if r in hidden_rows:
                body += _record(0x0208, struct.pack("<HHHHHHHH", r, 0, width, 0, 0, 0, 0x0020, 0))
            body += b"".join(_cell(r, c, value, is_1904) for c, value in enumerate(row) if value is not None)
        if merged:
            body += _record(
                0x00E5, struct.pack("<H", len(merged)) + b"".join(struct.pack("<4H", *m) for m in merged)
            )
        bodies.append(body + _record(0x000A))
    names = list(sheets)
    size = len(head) + sum(12 + 2 * len(name) for name in names) + 4
    stream = head
    for name, body in zip(names, bodies, strict=True):
        stream += _record(0x0085, struct.pack("<IBB", size, name in hidden, 0) + _text(name, "<B"))
        size += len(body)
    stream += _record(0x000A) + b"".join(bodies)
    return _compound(stream)


def _compound(stream: bytes) -> bytes:
    """An OLE file with one stream, `Workbook`; small ones are padded past the mini stream."""
    stream = stream.ljust(4096, b"\0")
    stream += bytes(-len(stream) % 512)
    sectors = len(stream) // 512
    fat = [_FAT, _END, *range(3, sectors + 2), _END]
    assert len(fat) <= 128, "one FAT sector is enough for a test"
    fat += [_FREE] * (128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", 0, *[_FREE] * 108)
    root = _entry("Root Entry", 5, _END, 0, child=1)
    directory = root + _entry("Workbook", 2, 2, len(stream)) + _entry("", 0, 0, 0) * 2
    return header + struct.pack("<128I", *fat) + directory + stream


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE) -> bytes:
    text = (name + "\0").encode("utf-16-le") if name else b""
    entry = text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1)
    entry += struct.pack("<III", _FREE, _FREE, child) + bytes(36)
    return entry + struct.pack("<IQ", start, size)
