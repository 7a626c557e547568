"""Spreadsheet files → cells as text with sheet, row and column; nothing here knows what a cell means.

Reads xlsx, xlsm, xls, ods, csv, tsv and these gzipped. Every cell keeps its absolute place and what kind of cell
it was, because `41700` typed as text, as a number and as a date are three different things to whoever reads
values (values.py). Mapping, typing and pseudonyms belong elsewhere.

Nothing is unpacked before its declared size was looked at, and no message holds a file name, a sheet name or
the content of a cell.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import datetime as dt
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fastexcel
import numpy as np
import polars as pl
from charset_normalizer import from_bytes
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from pipeline.cohort import excel97
from pipeline.errors import BrokenWorkbook

# Kinds of a cell that is not blank. `duration` is what Excel shows as [h]:mm.
KINDS = ("text", "number", "date", "time", "duration", "boolean", "error")
KIND = pl.Enum(KINDS)

# What a formula shows that the program which wrote the file never calculated: its value is in no cell.
NOT_CALCULATED = "#NOT_CALCULATED!"
_ERROR_TEXT = """
#N/A #N/A! #DIV/0! #REF! #NAME? #VALUE! #NUM! #NULL! #SPILL! #CALC! #FIELD! #BLOCKED! #UNKNOWN! #ERROR!
#GETTING_DATA #NV #WERT! #BEZUG! #ZAHL! #VALEUR! #VALOR! #RIF! #ARG! #ADR!
"""
ERRORS = frozenset((*_ERROR_TEXT.split(), NOT_CALCULATED))
_ODS_ERROR = re.compile(r"(?:Err|Fehler|Error):\d{3}")

_SUFFIXES = ("xlsx", "xlsm", "xls", "ods", "csv", "tsv", "txt")
# Bytes of one-byte encodings that clinics' exports come in; charset-normalizer chooses among these alone,
# because among a hundred it finds Turkish in twenty German words.
_ENCODINGS = ["cp1252", "cp1250", "cp1251", "iso8859_2", "iso8859_15"]
_DELIMITERS = (";", ",", "\t", "|")


@dataclass(frozen=True)
class Limits:
    """What is refused before it is unpacked or read.

    `cells` bounds the rectangle of a sheet, at some 100 bytes of memory a cell while it is read: 2,000,000 rows of
    16 columns.
    """

    file_bytes: int = 200_000_000
    unpacked_bytes: int = 1_000_000_000
    # Real workbooks unpack to 5–40 times their size; this much, from `ratio_from_bytes` on, is a bomb.
    ratio: float = 200.0
    ratio_from_bytes: int = 50_000_000
    cells: int = 32_000_000


@dataclass(frozen=True)
class Merged:
    """A merged range, rows and columns from 1, ends included; its value is in the top left cell."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True)
class Sheet:
    """One worksheet.

    `cells`: `row` (Int64, from 1 as the spreadsheet shows it) and `c1` … `cN` (String, null where blank).
    `kinds`: the same shape, what kind of cell each was (`KIND`, null where blank).
    All rows from 1 to the last filled one are there, blank ones too. Dates are ISO text whatever their format
    and date system, numbers the shortest text with a point (12.0 → `12`), errors their name (`#N/A`).
    """

    # What identifies or holds patients stays out of the representation that a traceback may show.
    position: int
    name: str = field(repr=False)
    cells: pl.DataFrame = field(repr=False)
    kinds: pl.DataFrame = field(repr=False)
    is_hidden: bool = False
    merged: tuple[Merged, ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    formulas: int = 0

    @property
    def number(self) -> int:
        """The same as `position`: from 1, hidden sheets counted."""
        return self.position

    @property
    def height(self) -> int:
        return self.cells.height

    @property
    def width(self) -> int:
        return self.cells.width - 1

    @cached_property
    def errors(self) -> int:
        """Cells that hold a spreadsheet error, or a formula that was never calculated."""
        columns = [name for name in self.kinds.columns if name != "row"]
        return sum(int((self.kinds[name] == "error").sum()) for name in columns)

    def long(self) -> pl.DataFrame:
        """Every filled cell as one row: row, column (from 1), text, kind."""
        columns = [name for name in self.cells.columns if name != "row"]
        if not columns:
            return pl.DataFrame(schema={"row": pl.Int64, "column": pl.Int64, "text": pl.String, "kind": KIND})
        texts = self.cells.unpivot(columns, index="row", variable_name="column", value_name="text")
        kinds = self.kinds.unpivot(columns, index="row", variable_name="column", value_name="kind")
        return (
            texts.with_columns(kinds["kind"], pl.col("column").str.slice(1).cast(pl.Int64))
            .drop_nulls("text")
            .sort("row", "column")
        )


@dataclass(frozen=True)
class Workbook:
    """One file as read. `encoding`, `delimiter` and `decimal` are what was detected in a text file."""

    format: str
    sheets: tuple[Sheet, ...]
    encoding: str | None = None
    is_encoding_guessed: bool = False
    delimiter: str | None = None
    decimal: str | None = None
    is_1904: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def is_text(self) -> bool:
        """Whether this is a csv or tsv: one sheet, named after the file, every cell text."""
        return self.format in ("csv", "tsv")


def read(
    content: bytes | Path,
    name: str,
    limits: Limits = Limits(),
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Workbook:
    """Read a file, told by its content, not by its name (which gives a csv its sheet name).

    Args:
        content: the bytes, or where they lie.
        name: the file's name; nothing of it gets into a message.
        limits: what is refused.
        encoding, delimiter: of a text file, where detection is to be overruled.

    Raises:
        BrokenWorkbook: not a spreadsheet, encrypted, damaged, empty, too large, or a bomb.
    """
    data = _load(content, limits)
    stem, suffix = _name(name)
    if data[:2] == b"\x1f\x8b":
        data = _gunzip(data, limits)
    if not data.strip(b"\x00 \t\r\n"):
        raise BrokenWorkbook("the file is empty: export it again.")
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        return _read_zip(data, limits)
    if data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _read_xls(data, limits)
    if data[:2] == b"\x09\x08" or data[:4] in (b"\x09\x04\x06\x00", b"\x09\x02\x06\x00"):
        raise BrokenWorkbook("the file is of an Excel older than 1997: save it as .xlsx.")
    if data[:4] == b"%PDF":
        raise BrokenWorkbook("the file is a PDF, not a spreadsheet: export the table as .xlsx or .csv.")
    if data[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"Rar!", b"7z\xbc\xaf", b"{\\rt"):
        raise BrokenWorkbook("the file is not a spreadsheet: export the table as .xlsx or .csv.")
    return _read_text(data, stem, suffix, limits, encoding, delimiter)


# --- files ------------------------------------------------------------------------------------------------


def _load(content: bytes | Path, limits: Limits) -> bytes:
    try:
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        if size > limits.file_bytes:
            raise BrokenWorkbook(
                f"the file has {size / 1e6:,.0f} MB, the limit is {limits.file_bytes / 1e6:,.0f} MB: "
                "split it, or raise max_file_megabytes in remit.toml."
            )
        return content.read_bytes() if isinstance(content, Path) else content
    except OSError as error:
        raise BrokenWorkbook(f"the file cannot be read ({error.strerror}): check its rights.") from None


def _name(name: str) -> tuple[str, str]:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    if base.lower().endswith(".gz"):
        base = base[:-3]
    stem, dot, suffix = base.rpartition(".")
    return (stem, suffix.lower()) if dot and suffix.lower() in _SUFFIXES else (base, "")


def _bomb() -> BrokenWorkbook:
    return BrokenWorkbook(
        "the file unpacks to far more than a spreadsheet holds and was not opened: "
        "save the table alone as a new .xlsx."
    )


def _gunzip(data: bytes, limits: Limits) -> bytes:
    limit = int(min(limits.unpacked_bytes, max(limits.ratio_from_bytes, len(data) * limits.ratio)))
    parts: list[bytes] = []
    size = 0
    while data:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(data, limit + 1 - size)
        except zlib.error:
            raise BrokenWorkbook("the gzip file is damaged: compress it again.") from None
        size += len(part)
        if size > limit:
            raise _bomb()
        if not unpacker.eof:
            raise BrokenWorkbook("the gzip file ends too early: copy it again.")
        parts.append(part)
        data = unpacker.unused_data.lstrip(b"\x00")
        if data and data[:2] != b"\x1f\x8b":
            raise BrokenWorkbook("the gzip file is damaged: compress it again.")
    content = b"".join(parts)
    if content[:2] == b"\x1f\x8b":
        raise BrokenWorkbook("the file is gzipped twice: unpack it once.")
    return content


# --- xlsx, xlsm, xls, ods ---------------------------------------------------------------------------------


def _read_zip(data: bytes, limits: Limits) -> Workbook:
    archive = _Archive(data)
    entries = archive.entries
    unpacked = sum(entry.file_size for entry in entries)
    is_dense = unpacked > limits.ratio_from_bytes and unpacked > limits.ratio * len(data)
    if unpacked > limits.unpacked_bytes or is_dense:
        raise _bomb()
    names = set(archive.names)
    if any(entry.flag_bits & 1 for entry in entries):
        raise _encrypted()
    if "xl/workbook.bin" in names:
        raise BrokenWorkbook("the file is an Excel binary workbook (.xlsb): save it as .xlsx.")
    if any(name.startswith(("word/", "ppt/")) for name in names):
        raise BrokenWorkbook("the file is a document, not a spreadsheet: copy the table into an .xlsx.")
    if "content.xml" in names:
        return _read_ods(data, archive, limits)
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return _read_xlsx(data, archive, limits)
    raise BrokenWorkbook("the file is an archive, not a spreadsheet: unpack it and deliver what is in it.")


def _damaged() -> BrokenWorkbook:
    return BrokenWorkbook(
        "the workbook is damaged: open it in the spreadsheet program and save it again as .xlsx."
    )


def _encrypted() -> BrokenWorkbook:
    return BrokenWorkbook("the workbook is protected with a password: remove the password and save it again.")


class _Archive:
    """A zip whose parts are unpacked to the size that they declare and not a byte further.

    The declared sizes were judged before; whoever unpacks afterwards must be able to trust them. Python's own
    reader stops at the declared size without a word, calamine's goes on to the end.
    """

    def __init__(self, data: bytes):
        self.data = data
        self.verified: set[str] = set()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self.entries = archive.infolist()
        except Exception:  # a damaged directory gives ValueError, struct.error, NotImplementedError and more
            raise _damaged() from None
        self.names = [entry.filename for entry in self.entries]
        if len(set(self.names)) < len(self.names):
            # Two readers may take two different ones.
            raise _damaged()

    def read(self, name: str) -> bytes:
        entry = next((entry for entry in self.entries if entry.filename == name), None)
        if entry is None:
            raise _damaged()
        header = self.data[entry.header_offset : entry.header_offset + 30]
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise _damaged()
        start = (
            entry.header_offset
            + 30
            + int.from_bytes(header[26:28], "little")
            + int.from_bytes(header[28:30], "little")
        )
        packed = self.data[start : start + entry.compress_size]
        if entry.compress_type == zipfile.ZIP_STORED:
            content, is_whole = packed, True
        elif entry.compress_type == zipfile.ZIP_DEFLATED:
            unpacker = zlib.decompressobj(wbits=-15)
            try:
                content = unpacker.decompress(packed, entry.file_size + 1)
            except zlib.error:
                raise _damaged() from None
            is_whole = unpacker.eof
        else:
            raise _damaged()
        if not is_whole or len(content) != entry.file_size or zlib.crc32(content) != entry.CRC:
            raise _damaged()
        self.verified.add(name)
        return content

    def verify(self) -> None:
        """Unpack what was not read and may be read by others: all parts that are XML."""
        for name in self.names:
            if name not in self.verified and name.lower().endswith((".xml", ".rels")):
                self.read(name)


@contextlib.contextmanager
def _calamine() -> Iterator[None]:
    """Turn all that calamine raises into our errors, and keep what a panic of it prints off the terminal.

    A panic names the value that it stumbled over; it is a BaseException and is printed by Rust itself.
    """
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    except PasswordError:
        raise _encrypted() from None
    except CalamineError:
        raise _damaged() from None
    except MemoryError:
        raise _bomb() from None
    except BaseException as error:
        if type(error).__name__ == "PanicException" or isinstance(
            error, ValueError | OverflowError | OSError
        ):
            raise _damaged() from None
        raise
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


@dataclass
class _Facts:
    """What calamine does not tell about a sheet."""

    errors: dict[tuple[int, int], str] = field(default_factory=dict)  # (row, column) from 1 → name
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    merged: tuple[Merged, ...] = ()
    formulas: int = 0
    area: int = 0


def _read_xlsx(data: bytes, archive: _Archive, limits: Limits) -> Workbook:
    parts, is_1904 = _xlsx_parts(archive)
    strings = _shared_string_lengths(archive)
    facts: list[_Facts] = []
    for part in parts:
        xml = archive.read(part) if part else b""
        found = _xlsx_facts(xml, limits.cells)
        if found.area > limits.cells:
            raise _too_wide(len(facts) + 1)
        if strings is not None and _repeated_text(xml, strings) > limits.unpacked_bytes:
            raise _bomb()
        facts.append(found)
        del xml
    archive.verify()
    return Workbook("xlsx", _sheets(data, facts, limits), is_1904=is_1904)


def _too_wide(position: int) -> BrokenWorkbook:
    return BrokenWorkbook(
        f"sheet {position} reaches further than can be read (a stray cell far right or far below?): "
        "delete what lies beyond the table, or split it."
    )


def _xlsx_parts(archive: _Archive) -> tuple[list[str | None], bool]:
    """The part of each worksheet in the workbook's order (None: a chart or what cannot be found)."""
    names = set(archive.names)
    main = next(
        (
            n
            for n in ("xl/workbook.xml", *sorted(names))
            if re.fullmatch(r"xl/workbook\w*\.xml", n) and n in names
        ),
        None,
    )
    if main is None:
        raise _damaged()
    try:
        book = ElementTree.fromstring(archive.read(main))
        relations_name = f"xl/_rels/{main.removeprefix('xl/')}.rels"
        relations = ElementTree.fromstring(archive.read(relations_name)) if relations_name in names else ()
    except ElementTree.ParseError:
        raise _damaged() from None
    targets = {}
    for relation in relations:
        target = relation.get("Target", "").replace("\\", "/")
        targets[relation.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    parts: list[str | None] = []
    is_1904 = False
    for element in book.iter():
        tag = element.tag.rsplit("}", 1)[-1]
        if tag == "workbookPr":
            is_1904 = element.get("date1904") in ("1", "true")
        if tag == "sheet":
            relation = next((v for k, v in element.attrib.items() if k.endswith("}id")), None)
            part = targets.get(relation)
            parts.append(part if part in names and "worksheets/" in part else None)
    return parts, is_1904


def _shared_string_lengths(archive: _Archive) -> np.ndarray | None:
    """Bytes of each shared string, where one is long enough to be a bomb when a million cells name it."""
    name = next((n for n in archive.names if n.lower() == "xl/sharedstrings.xml"), None)
    if name is None:
        return None
    xml = archive.read(name)
    parts = xml.split(b"</si>") if b"</si>" in xml else re.split(rb"</\w+:si>", xml)
    lengths = np.array(list(map(len, parts[:-1])), dtype=np.int64)
    return lengths if lengths.size and lengths.max() > 2000 else None


def _repeated_text(xml: bytes, lengths: np.ndarray) -> int:
    named = re.findall(rb't="s"[^>]*>\s*<(?:\w+:)?v>(\d{1,9})<', xml)
    indexes = np.array(named, dtype="S9").astype(np.int64) if named else np.empty(0, dtype=np.int64)
    return int(lengths[indexes[indexes < lengths.size]].sum())


_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
# Without optional prefixes in front these two are searched ten times faster. What they match in a text by chance
# only makes the exact look follow.
_ROW_NUMBER = re.compile(rb'row [^>]*?r="(\d{1,7})"')
_FAR_CELL = re.compile(rb' r="([A-Z]{2,3})\d{1,7}"[^>]*(?<!/)>')
_FILLED_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')
_ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b([^>]*\bt="e"[^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
_FORMULA_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*"
    rb"(<(?:\w+:)?v\s*/>|<(?:\w+:)?v[^>]*>[^<]*</(?:\w+:)?v>)?",
)
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)<")
_REFERENCE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)/?>")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _xlsx_facts(xml: bytes, most: int) -> _Facts:
    facts = _Facts()
    rows = max(map(int, _ROW_NUMBER.findall(xml)), default=xml.count(b"<row") + xml.count(b":row"))
    columns = max((_column_number(letters) for letters in set(_FAR_CELL.findall(xml))), default=26)
    cells = xml.count(b"<c ") + xml.count(b"<c>") + xml.count(b":c ") + xml.count(b":c>")
    numbered = xml.count(b' r="')
    elements = len(re.findall(rb"<(?:\w+:)?row[ >]", xml)) if cells + rows > numbered else 0
    is_numbered = cells + elements <= numbered
    if not is_numbered:
        # Rows or cells without a number stand where they come.
        rows = max(rows, elements)
        widths = (part.count(b"<c") + part.count(b":c") for part in re.split(rb"<(?:\w+:)?row[ >]", xml))
        columns = max(columns, *widths)
    facts.area = rows * columns
    if facts.area > most and is_numbered:
        # Formatted blank rows far below the data are no data: only now is every cell looked at.
        filled = _FILLED_CELL.findall(xml)
        if filled:
            facts.area = max(int(r) for _, r in filled) * max(
                _column_number(c) for c in {c for c, _ in filled}
            )
        else:
            facts.area = 0
    if b't="e"' in xml:
        for attributes, body in _ERROR_CELL.findall(xml):
            if (place := _place(attributes)) is not None:
                value = _VALUE.search(body)
                name = value[1].decode("utf-8", "replace") if value else ""
                facts.errors[place] = name if name in ERRORS else "#ERROR!"
    if any(mark in xml for mark in (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/")):
        for attributes, value in _FORMULA_CELL.findall(xml):
            facts.formulas += 1
            is_empty = not value or not (found := _VALUE.search(value)) or not found[1].strip()
            # A formula whose result is empty text says so (t="str"); one without type was never calculated.
            if is_empty and b't="str"' not in attributes and (place := _place(attributes)) is not None:
                facts.errors[place] = NOT_CALCULATED
    if b'hidden="' in xml and _HIDDEN.search(xml):
        hidden_rows = []
        for attributes in _ROW.findall(xml):
            if _HIDDEN.search(attributes) and (number := re.search(rb'\br="(\d{1,7})"', attributes)):
                hidden_rows.append(int(number[1]))
        facts.hidden_rows = tuple(hidden_rows)
        hidden_columns: list[int] = []
        for attributes in _COLUMN.findall(xml):
            first, last = (re.search(rb'\b%s="(\d{1,5})"' % side, attributes) for side in (b"min", b"max"))
            if _HIDDEN.search(attributes) and first and last:
                hidden_columns.extend(range(int(first[1]), min(int(last[1]), 16_384) + 1))
        facts.hidden_columns = tuple(hidden_columns)
    return facts


def _place(attributes: bytes) -> tuple[int, int] | None:
    found = _REFERENCE.search(b" " + attributes)
    return (int(found[2]), _column_number(found[1])) if found else None


_ODS_TABLE = re.compile(rb"<table:table((?:\s[^>]*)?)>")
_ODS_ROW = re.compile(rb"<table:table-row((?:\s[^>]*?)?)(/?)>")
_ODS_CELL = re.compile(rb"<table:(?:covered-)?table-cell((?:\s[^>]*?)?)(/?)>")
_ODS_COLUMN = re.compile(rb"<table:table-column((?:\s[^>]*?)?)/?>")
_ODS_HIDDEN = re.compile(rb'table:visibility="(?:collapse|filter)"')
_ODS_STYLE = re.compile(
    rb'<style:style [^>]*?style:name="([^"]*)"[^>]*>((?:(?!</style:style>).)*)</style:style>', re.DOTALL
)
_ODS_MAX_ROWS = 1_048_576
_ODS_MAX_COLUMNS = 16_384


def _read_ods(data: bytes, archive: _Archive, limits: Limits) -> Workbook:
    manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in archive.names else b""
    if b"encryption-data" in manifest:
        raise _encrypted()
    facts, hidden = _ods_facts(archive.read("content.xml"))
    for position, found in enumerate(facts, start=1):
        if found.area > limits.cells:
            raise _too_wide(position)
    archive.verify()
    sheets = tuple(
        replace(sheet, is_hidden=sheet.is_hidden or (index < len(hidden) and hidden[index]))
        for index, sheet in enumerate(_sheets(data, facts, limits))
    )
    return Workbook("ods", sheets)


def _ods_facts(xml: bytes) -> tuple[list[_Facts], list[bool]]:
    """Merged cells, hidden rows and the filled rectangle of each table; repeats are counted, not unrolled.

    Searched as bytes, by the prefixes that calamine asks for too: a parser takes ten times as long.
    """
    head = xml[: max(xml.find(b"<office:body"), 0)]
    hidden_styles = {name for name, body in _ODS_STYLE.findall(head) if b'table:display="false"' in body}
    facts: list[_Facts] = []
    hidden: list[bool] = []
    place = 0
    while (start := _ODS_TABLE.search(xml, place)) is not None:
        place = xml.find(b"</table:table>", start.end())
        place = len(xml) if place < 0 else place
        style = re.search(rb'table:style-name="([^"]*)"', start[1])
        hidden.append(bool(style and style[1] in hidden_styles))
        facts.append(_ods_table(xml[start.end() : place]))
    return facts, hidden


def _ods_table(xml: bytes) -> _Facts:
    row = last_row = last_column = 0
    merged: list[Merged] = []
    hidden: list[int] = []
    hidden_columns: list[int] = []
    column = 0
    for attributes in _ODS_COLUMN.findall(xml):
        times = _repeat(attributes, b"number-columns-repeated", _ODS_MAX_COLUMNS)
        if _ODS_HIDDEN.search(attributes):
            hidden_columns.extend(range(column + 1, min(column + times, _ODS_MAX_COLUMNS) + 1))
        column += times
    for part in xml.split(b"</table:table-row>"):
        for tag in _ODS_ROW.finditer(part):
            times = _repeat(tag[1], b"number-rows-repeated", _ODS_MAX_ROWS)
            if _ODS_HIDDEN.search(tag[1]) and times < 10_000:
                hidden.extend(range(row + 1, row + times + 1))
            body = b"" if tag[2] else part[tag.end() :]
            if b"value-type" in body or b"<text:p" in body:
                last_row = row + times
                if b"columns-repeated" in body or b"-spanned" in body:
                    width, ranges = _ods_row(body, row)
                    merged += ranges
                else:
                    width = (
                        body.count(b"table-cell ")
                        + body.count(b"table-cell>")
                        - body.count(b"</table:table-cell>")
                    )
                    width += body.count(b"table-cell/>")
                last_column = max(last_column, width)
            row += times
    return _Facts(
        merged=tuple(merged),
        hidden_rows=tuple(hidden),
        hidden_columns=tuple(hidden_columns),
        formulas=xml.count(b"table:formula="),
        area=last_row * last_column,
    )


def _ods_row(body: bytes, row: int) -> tuple[int, list[Merged]]:
    """The last filled column of a row and the merged ranges that start in it."""
    column = last = 0
    merged: list[Merged] = []
    for attributes, closed in _ODS_CELL.findall(body):
        times = _repeat(attributes, b"number-columns-repeated", _ODS_MAX_COLUMNS)
        if not closed or b"value-type" in attributes:
            last = column + times
        if b"-spanned" in attributes:
            wide = _repeat(attributes, b"number-columns-spanned", _ODS_MAX_COLUMNS)
            high = _repeat(attributes, b"number-rows-spanned", _ODS_MAX_ROWS)
            if wide * high > 1:
                merged.append(Merged(row + 1, column + 1, row + high, column + wide))
        column += times
    return last, merged


def _repeat(attributes: bytes, name: bytes, most: int) -> int:
    found = re.search(rb'table:%s="(\d{1,9})"' % name, attributes)
    return min(max(int(found[1]), 1), most) if found else 1


def _read_xls(data: bytes, limits: Limits) -> Workbook:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _encrypted()
    if "WordDocument".encode("utf-16-le") in data:
        raise BrokenWorkbook("the file is a document, not a spreadsheet: copy the table into an .xlsx.")
    if _has_filepass(data):
        raise _encrypted()
    declared = excel97.facts(data)
    with _calamine():
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        starts = [
            book.get_sheet_by_index(index).start if about.typ == SheetTypeEnum.WorkSheet else None
            for index, about in enumerate(book.sheets_metadata)
        ]
    facts = [
        _Facts(
            errors=_xls_errors(data, index, start),
            hidden_rows=tuple(declared[index].hidden_rows) if index < len(declared) else (),
            hidden_columns=tuple(declared[index].hidden_columns) if index < len(declared) else (),
        )
        for index, start in enumerate(starts)
    ]
    return Workbook("xls", _sheets(data, facts, limits))


def _has_filepass(data: bytes) -> bool:
    """Whether an Excel 97 stream says that it is encrypted: a FILEPASS record soon after its first one."""
    place = data.find(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    for _ in range(8):
        if place < 0 or place + 4 > len(data):
            return False
        kind, length = (
            int.from_bytes(data[place : place + 2], "little"),
            data[place + 2] + 256 * data[place + 3],
        )
        if kind == 0x002F:
            return True
        place += 4 + length
    return False


_ERROR_NAMES = {
    "Div0": "#DIV/0!", "NA": "#N/A", "Name": "#NAME?", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!",
    "Value": "#VALUE!",
}  # fmt: skip


def _xls_errors(data: bytes, index: int, start: tuple[int, int] | None) -> dict[tuple[int, int], str]:
    """Error cells of an xls sheet, which calamine's Python side gives as blanks."""
    if start is None:
        return {}
    try:
        with _calamine():
            sheet = fastexcel.read_excel(data).load_sheet(index, header_row=None, dtypes="string")
            _, errors = sheet.to_arrow_with_errors()
    except (BrokenWorkbook, fastexcel.FastExcelError):
        return {}
    named = {}
    for error in errors.errors if errors else ():
        # Places are told from the first filled cell on.
        row, column = error.position[0] + start[0], error.position[1] + start[1]
        code = re.search(r"Error\((\w+)\)", error.detail)
        named[(row + 1, column + 1)] = _ERROR_NAMES.get(code[1], "#ERROR!") if code else "#ERROR!"
    return named


def _sheets(data: bytes, facts: list[_Facts], limits: Limits) -> tuple[Sheet, ...]:
    sheets: list[Sheet] = []
    with _calamine():
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        metadata = book.sheets_metadata
    for index, about in enumerate(metadata):
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        found = facts[index] if index < len(facts) else _Facts()
        with _calamine():
            source = book.get_sheet_by_index(index)
            if source.end is not None and (source.end[0] + 1) * (source.end[1] + 1) > limits.cells:
                raise _too_wide(index + 1)
            rows = source.to_python(skip_empty_area=False)
            merged = found.merged or _merged(source)
        cells, kinds = _frames(rows, found.errors)
        del rows
        sheets.append(
            Sheet(
                position=index + 1,
                name=about.name,
                cells=cells,
                kinds=kinds,
                is_hidden=about.visible != SheetVisibleEnum.Visible,
                merged=merged,
                hidden_rows=tuple(n for n in found.hidden_rows if n <= cells.height),
                hidden_columns=tuple(n for n in found.hidden_columns if n < cells.width),
                formulas=found.formulas,
            )
        )
    if not sheets:
        raise BrokenWorkbook("the workbook has no worksheet: put the table on a sheet.")
    return tuple(sheets)


def _merged(sheet: CalamineSheet) -> tuple[Merged, ...]:
    ranges = sheet.merged_cell_ranges or []
    return tuple(Merged(r1 + 1, c1 + 1, r2 + 1, c2 + 1) for (r1, c1), (r2, c2) in ranges)


# --- cells ------------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    if value == value and abs(value) < 1e15 and float(value).is_integer():
        return str(int(value))
    # Excel keeps and shows 15 digits: 0.30000000000000004 is 0.3 to whoever typed it.
    return repr(float(f"{value:.15g}"))


def _datetime(value: dt.datetime) -> str:
    # A time of day is a binary fraction: 09:30 arrives as 09:29:59.999997.
    whole = (value + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    return whole.date().isoformat() if whole.time() == dt.time() else whole.isoformat(sep=" ")


def _time(value: dt.time) -> str:
    seconds = value.hour * 3600 + value.minute * 60 + value.second + (value.microsecond >= 500_000)
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


_AS_TEXT: dict[type, tuple[str, Any]] = {
    str: ("text", str),
    float: ("number", _number),
    int: ("number", str),
    bool: ("boolean", lambda value: "true" if value else "false"),
    dt.date: ("date", dt.date.isoformat),
    dt.datetime: ("date", _datetime),
    dt.time: ("time", _time),
    dt.timedelta: ("duration", _duration),
}


class _Memo(dict):
    """Values of one type as text; a column has few distinct ones."""

    def __init__(self, kind: type):
        super().__init__()
        self.as_text = _AS_TEXT[kind][1]

    def __missing__(self, value: Any) -> str:
        text = self[value] = self.as_text(value)
        return text


_KINDS = pl.Series(KINDS, dtype=KIND)
_ONE = {kind: pl.Series([kind], dtype=KIND) for kind in KINDS}


def _all_of(kind: str, height: int) -> pl.Series:
    return _ONE[kind].new_from_index(0, height)


def _column(values: tuple) -> tuple[pl.Series, pl.Series]:
    types = set(map(type, values))
    if types <= {str}:
        return pl.Series(values, dtype=pl.String), _all_of("text", len(values))
    # One memo a type: True, 1 and 1.0 are the same key.
    memos = {kind: _Memo(kind) for kind in types if kind is not str}
    if len(types) == 1:
        (kind,) = types
        memo = memos[kind]
        return pl.Series([memo[value] for value in values], dtype=pl.String), _all_of(
            _AS_TEXT[kind][0], len(values)
        )
    texts = [value if type(value) is str else memos[type(value)][value] for value in values]
    numbers = {kind: KINDS.index(_AS_TEXT[kind][0]) for kind in types}
    kinds = np.fromiter(map(numbers.__getitem__, map(type, values)), dtype=np.uint8, count=len(values))
    return pl.Series(texts, dtype=pl.String), _KINDS.gather(kinds)


def _frames(rows: list[list], errors: dict[tuple[int, int], str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cells and kinds from rows of Python values that start at the sheet's first cell."""
    height = max(len(rows), max((row for row, _ in errors), default=0))
    width = max(max(map(len, rows), default=0), max((column for _, column in errors), default=0))
    columns = list(zip(*rows, strict=True)) if rows else []
    texts: dict[str, pl.Series] = {}
    kinds: dict[str, pl.Series] = {}
    by_column: dict[int, dict[int, str]] = {}
    for (row, column), name in errors.items():
        by_column.setdefault(column, {})[row - 1] = name
    for number in range(1, width + 1):
        if number <= len(columns):
            text, kind = _column(columns[number - 1])
            columns[number - 1] = ()
        else:
            text, kind = pl.Series([], dtype=pl.String), pl.Series([], dtype=KIND)
        if text.len() < height:
            text, kind = (s.extend_constant(None, height - s.len()) for s in (text, kind))
        if number in by_column:
            places = list(by_column[number])
            text = text.scatter(places, list(by_column[number].values()))
            kind = kind.scatter(places, pl.Series(["error"] * len(places), dtype=KIND))
        texts[f"c{number}"], kinds[f"c{number}"] = text, kind
    return _finish(pl.DataFrame(texts), pl.DataFrame(kinds))


def _finish(texts: pl.DataFrame, kinds: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Blank cells to null, errors told, blank rows below and blank columns right of the data dropped."""
    names = texts.columns
    filled = pl.all().str.strip_chars(" \t\r\n\u00a0\u200b\ufeff") != ""
    texts = texts.select(pl.when(filled).then(pl.all()))
    last_column = max(
        (n for n, name in enumerate(names, 1) if texts[name].null_count() < texts.height), default=0
    )
    names = names[:last_column]
    if not names:
        empty = pl.DataFrame(schema={"row": pl.Int64})
        return empty, empty
    # One pass for all columns: a thousand small files have thousands of them.
    is_error = {
        name: pl.col(name).is_in(ERRORS) | pl.col(name).str.contains(rf"^{_ODS_ERROR.pattern}$")
        for name in names
    }
    both = texts.select(names).hstack(kinds.select(pl.col(name).alias(f"_{name}") for name in names))
    both = both.with_row_index("row", offset=1).with_columns(
        pl.col("row").cast(pl.Int64),
        pl.any_horizontal(pl.col(names).is_not_null()).alias("_filled"),
        *(
            pl.when(pl.col(name).is_not_null())
            .then(pl.when(test).then(pl.lit("error", dtype=KIND)).otherwise(pl.col(f"_{name}")))
            .alias(f"_{name}")
            for name, test in is_error.items()
        ),
    )
    last_row = int(both["_filled"].arg_true().max()) + 1
    both = both.head(last_row)
    return both.select("row", *names), both.select("row", *(pl.col(f"_{name}").alias(name) for name in names))


# --- csv, tsv ---------------------------------------------------------------------------------------------


def _read_text(
    data: bytes, stem: str, suffix: str, limits: Limits, encoding: str | None, delimiter: str | None
) -> Workbook:
    if suffix in ("xlsx", "xlsm", "xls", "ods"):
        start = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        if start.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<head", b"<body")):
            raise BrokenWorkbook(
                f"the file is a web page named .{suffix}: open it in Excel and save it as .xlsx."
            )
        if start.startswith(b"<?xml"):
            raise BrokenWorkbook(
                f"the file is an XML export named .{suffix}: open it in Excel and save it as .xlsx."
            )
        raise BrokenWorkbook(
            f"the file is named .{suffix} but is no such workbook: if it is a text table, name it .csv; "
            "if it was cut off, copy it again."
        )
    if len(data) > limits.unpacked_bytes:
        raise _bomb()
    text, encoding, is_guessed = _decode(data, encoding)
    start = text[:2000].lstrip().lower()
    if start.startswith(("<!doctype", "<html", "<table", "<?xml")):
        raise BrokenWorkbook(
            "the file is a web page or XML, not a table: open it in Excel and save it as .xlsx."
        )
    declared = re.match(r'"?sep=(.)"?\r?\n', text)
    if declared:
        # Excel's own line about the delimiter; Excel does not show it, so row 1 is the next line.
        text = text[declared.end() :]
        delimiter = delimiter or declared[1]
    delimiter = delimiter or _delimiter(text)
    frame = _records(text, delimiter, limits)
    del text
    kind = _all_of("text", frame.height)
    cells, kinds = _finish(frame, pl.DataFrame(dict.fromkeys(frame.columns, kind)))
    sheet = Sheet(1, stem, cells, kinds)
    return Workbook(
        "tsv" if delimiter == "\t" else "csv",
        (sheet,),
        encoding=encoding,
        is_encoding_guessed=is_guessed,
        delimiter=delimiter,
        decimal=_decimal(cells),
    )


_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _decode(data: bytes, encoding: str | None) -> tuple[str, str, bool]:
    """The text, its encoding, and whether that was guessed from the frequency of letters."""
    not_text = BrokenWorkbook(
        "the file is neither a spreadsheet nor text: export the table as .xlsx or .csv."
    )
    is_guessed = False
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and b"\x00" in data[:4000]:
        sample = data[:4000]
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        if max(even, odd) < len(sample) / 8:
            raise not_text
        encoding = "utf-16-be" if even > odd else "utf-16-le"
    if encoding is None:
        try:
            return _clean(data.decode("utf-8"), not_text), "utf-8", False
        except UnicodeDecodeError:
            encoding, is_guessed = _guess(data), True
    try:
        text = data.decode(encoding)
    except LookupError:
        raise BrokenWorkbook(
            "the encoding that is set is not known: use a name such as utf-8 or cp1252."
        ) from None
    except UnicodeDecodeError:
        raise BrokenWorkbook(
            "the text does not fit its encoding: export it again as UTF-8, or correct `encoding` in cohort.yaml."
        ) from None
    return _clean(text, not_text), encoding.removesuffix("-sig"), is_guessed


def _clean(text: str, not_text: BrokenWorkbook) -> str:
    text = text.removeprefix("\ufeff")
    sample = text[:100_000]
    controls = len(re.findall(r"[\x00-\x08\x0e-\x1f\x7f]", sample))
    if controls > len(sample) / 100:
        raise not_text
    return text


# Signs that stand inside words only where Polish or Czech was read as Western (p³eæ, ci¹¿a), and words of
# nothing but accented letters, as Cyrillic gives.
_NOT_WESTERN = re.compile(
    "[a-zA-Zà-ÿ][¹³¿¼¾£¥Ÿ»][a-zA-Zà-ÿ]|[à-ÿ][¹³¿]|[À-ÿ]{4}|[¹³¿][à-ÿ]|[bcdfgjklmnpqtvwxz][¹³]"
)


def _guess(data: bytes) -> str:
    sample = b"\n".join(line for line in data.splitlines() if any(byte > 127 for byte in line))[:20_000]
    try:
        # By far the most usual; a frequency of letters over a few words takes años for Polish.
        is_western = not _NOT_WESTERN.search(sample.decode("cp1252"))
    except UnicodeDecodeError:
        is_western = False
    best = (
        None if is_western else from_bytes(sample, cp_isolation=_ENCODINGS, preemptive_behaviour=False).best()
    )
    encoding = best.encoding if best else "cp1252"
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
    return encoding


def _delimiter(text: str) -> str:
    """The sign that cuts the first 200 records into the same number of cells most often, and into most."""
    lines = text[:200_000].splitlines(keepends=True)
    if len(lines) > 1 and len(text) > 200_000:
        lines = lines[:-1]
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths: list[int] = []
        try:
            for record in csv.reader(iter(lines), delimiter=delimiter):
                if any(record):
                    widths.append(len(record))
                if len(widths) == 200:
                    break
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        usual = max(set(wide), key=lambda width: (wide.count(width), width))
        if delimiter == "," and usual == 2 and _is_one_column(lines):
            # A column of numbers with a decimal comma, below a header without one.
            best = ";"
            continue
        score = (wide.count(usual) / len(widths), usual)
        # Half of the records in step is enough: lead rows and legends are out of it.
        score = (round(min(score[0], 0.95), 1), usual)
        if score > best_score:
            best, best_score = delimiter, score
    return best


_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


def _is_one_column(lines: list[str]) -> bool:
    """Whether a header without a comma stands first, and every line with one is a number with a decimal comma."""
    first = next((line for line in lines if line.strip()), "")
    is_header = "," not in first and any(character.isalpha() for character in first)
    return is_header and all(_DECIMAL_COMMA.fullmatch(line) for line in lines if "," in line)


# A quoted cell over more lines than this is a quotation mark that was never closed.
_MAX_LINES_IN_CELL = 100
# Records that are Python lists at one time: bounds their memory.
_RECORDS = 50_000


def _records(text: str, delimiter: str, limits: Limits) -> pl.DataFrame:
    """Cells c1 … cN of a text, one row a record; short records end in nulls."""
    csv.field_size_limit(10_000_000)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise BrokenWorkbook("the delimiter that is set is not one character: use one such as ; or ,")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    blocks: list[pl.DataFrame] = []
    height = width = 0
    while True:
        try:
            rows = list(islice(reader, _RECORDS))
        except csv.Error:
            raise BrokenWorkbook(
                "the text cannot be cut into cells: export it again with quoted cells."
            ) from None
        if not rows:
            break
        for number, row in enumerate(rows, height + 1):
            if any(cell.count("\n") > _MAX_LINES_IN_CELL for cell in row if len(cell) > _MAX_LINES_IN_CELL):
                raise BrokenWorkbook(f"row {number}: a quotation mark is not closed: correct that row.")
        height += len(rows)
        width = max(width, *map(len, rows))
        if height * width > limits.cells:
            raise BrokenWorkbook("the table has more cells than can be read: split the file.")
        rows[0] = rows[0] or [""]
        columns = zip_longest(*rows)
        blocks.append(
            pl.DataFrame({f"c{n}": pl.Series(cells, dtype=pl.String) for n, cells in enumerate(columns, 1)})
        )
        del rows, columns
    if '"' in text and _is_open(text, delimiter):
        raise BrokenWorkbook(f"row {height}: a quotation mark is not closed: correct that row.")
    frame = pl.concat(blocks, how="diagonal") if blocks else pl.DataFrame()
    return frame.select(sorted(frame.columns, key=lambda name: int(name[1:])))


def _is_open(text: str, delimiter: str) -> bool:
    """Whether the text ends inside quotation marks: one more line then joins the last record."""
    probe = list(csv.reader(io.StringIO(text[-2_000_000:] + "\n\x01", newline=""), delimiter=delimiter))
    return not (probe and probe[-1] == ["\x01"]) and text.count('"') % 2 == 1


def _decimal(cells: pl.DataFrame) -> str | None:
    """The decimal sign that most numbers with one have; None where there is none or it is undecided."""
    names = [name for name in cells.columns if name != "row"]
    if not names:
        return None
    sample = cells.select(names).head(2000)
    found = {
        sign: int(sample.select(pl.sum_horizontal(pl.all().str.contains(rf"^\s*-?\d+{mark}\d{{1,2}}\s*$").sum())).item() or 0)
        for sign, mark in ((".", r"\."), (",", ","))
    }  # fmt: skip
    if found["."] == found[","]:
        return None
    return max(found, key=lambda sign: found[sign])
