"""Spreadsheets to cells: every format, every ugly sheet, and what is refused before it is opened."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from odf import opendocument, style, table, text

from pipeline.cohort import workbook
from pipeline.errors import BrokenWorkbook
from tests.support import xls

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def xlsx(write: Callable[[xlsxwriter.Workbook], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **options}) as book:
        write(book)
    return buffer.getvalue()


def grid(rows: list[list[object]], **options: object) -> bytes:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("visits")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(r, c, value, day)
                elif value is not None:
                    sheet.write(r, c, value)

    return xlsx(write, **options)


def ods(rows: list[list[str | float]], *, repeat_rows: int = 1) -> bytes:
    book = opendocument.OpenDocumentSpreadsheet()
    sheet = table.Table(name="visits")
    for values in rows:
        row = table.TableRow(numberrowsrepeated=repeat_rows) if repeat_rows > 1 else table.TableRow()
        for value in values:
            if value == "":
                cell = table.TableCell()
            elif isinstance(value, str):
                cell = table.TableCell(valuetype="string")
                cell.addElement(text.P(text=value))
            else:
                cell = table.TableCell(valuetype="float", value=value)
                cell.addElement(text.P(text=str(value)))
            row.addElement(cell)
        sheet.addElement(row)
    book.spreadsheet.addElement(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def raw_sheet(xml: str, *, strings: str = "") -> bytes:
    """An xlsx whose one sheet is this XML."""
    base = io.BytesIO(grid([["x"]]))
    buffer = io.BytesIO()
    with zipfile.ZipFile(base) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = xml.encode()
            if name == "xl/sharedStrings.xml" and strings:
                content = strings.encode()
            target.writestr(name, content)
    return buffer.getvalue()


def only(content: bytes, name: str = "site.xlsx", **options: object) -> workbook.Sheet:
    (sheet,) = workbook.read(content, name, **options).sheets
    return sheet


def rows(sheet: workbook.Sheet) -> list[list[str | None]]:
    assert sheet.cells["row"].to_list() == list(range(1, sheet.height + 1))
    return [list(row[1:]) for row in sheet.cells.iter_rows()]


def kinds(sheet: workbook.Sheet) -> list[list[str | None]]:
    return [list(row[1:]) for row in sheet.kinds.iter_rows()]


# --- workbooks --------------------------------------------------------------------------------------------


def test_every_kind_of_cell() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("visits")
        forms = {
            f: book.add_format({"num_format": f})
            for f in ("yyyy-mm-dd", "dd.mm.yy hh:mm", "hh:mm", "[h]:mm", "0.00")
        }
        sheet.write_row(0, 0, ["text", " padded ", "007", 12.0, 0.1 + 0.2, 1e20, True, -3.25, 123456789012])
        sheet.write_datetime(1, 0, datetime(2014, 3, 2), forms["yyyy-mm-dd"])
        sheet.write_datetime(1, 1, datetime(2014, 3, 2, 9, 30), forms["dd.mm.yy hh:mm"])
        sheet.write_datetime(1, 2, time(9, 30), forms["hh:mm"])
        sheet.write_number(1, 3, 1.5, forms["[h]:mm"])
        sheet.write_number(1, 4, 2.5, forms["0.00"])
        sheet.write_formula(1, 5, "=1+1", None, 2)
        sheet.write_formula(1, 6, "=NA()", None, "#N/A")
        sheet.write_formula(1, 7, "=1/0", None, "#DIV/0!")
        sheet.write_string(1, 8, "   ")

    sheet = only(xlsx(write))
    assert rows(sheet) == [
        ["text", " padded ", "007", "12", "0.3", "1e+20", "true", "-3.25", "123456789012"],
        ["2014-03-02", "2014-03-02 09:30:00", "09:30:00", "36:00:00", "2.5", "2", "#N/A", "#DIV/0!", None],
    ]
    assert kinds(sheet) == [
        ["text", "text", "text", "number", "number", "number", "boolean", "number", "number"],
        ["date", "date", "time", "duration", "number", "number", "error", "error", None],
    ]
    assert (sheet.formulas, sheet.errors) == (3, 2)
    assert sheet.long().filter(pl.col("row") == 2)["column"].to_list() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_no_content_in_a_representation() -> None:
    book = workbook.read(grid([["secret"]]), "secret.xlsx")
    assert "secret" not in repr(book)
    assert "visits" not in repr(book)


def test_rows_and_columns_are_numbered_as_the_spreadsheet_shows_them() -> None:
    sheet = only(grid([[], [], [None, None, "id", "edss"], [], [None, None, 1, 2.5], []]))
    assert (sheet.height, sheet.width) == (5, 4)
    assert rows(sheet)[2] == [None, None, "id", "edss"]
    assert rows(sheet)[4] == [None, None, "1", "2.5"]
    assert rows(sheet)[0] == rows(sheet)[3] == [None] * 4


def test_days_of_the_1904_system_are_the_same_days() -> None:
    content = grid([[date(2014, 3, 2), date(1950, 1, 31)]], date_1904=True)
    assert workbook.read(content, "a.xlsx").is_1904
    assert rows(only(content)) == [["2014-03-02", "1950-01-31"]]
    assert not workbook.read(grid([["x"]]), "a.xlsx").is_1904


def test_several_sheets_hidden_ones_and_charts() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("a").write(0, 0, "x")
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=a!$A$1:$A$1"})
        book.add_chartsheet("chart").set_chart(chart)
        hidden = book.add_worksheet("b")
        hidden.write(0, 0, "y")
        hidden.hide()
        very = book.add_worksheet("c")
        very.very_hidden()

    book = workbook.read(xlsx(write), "a.xlsx")
    assert [(s.position, s.number, s.name, s.is_hidden) for s in book.sheets] == [
        (1, 1, "a", False),
        (3, 3, "b", True),
        (4, 4, "c", True),
    ]
    assert (book.sheets[2].height, book.sheets[2].width) == (0, 0)
    assert book.sheets[2].cells.columns == ["row"]
    assert book.sheets[2].long().is_empty()


def test_hidden_rows_columns_and_merged_cells_are_told() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("visits")
        sheet.merge_range(0, 1, 0, 3, "Visit 1")
        sheet.merge_range(1, 0, 2, 0, "id")
        sheet.write_row(2, 1, ["date", "edss", "note"])
        sheet.write_row(3, 0, [1, 2, 3, 4])
        sheet.set_row(3, None, None, {"hidden": True})
        sheet.set_column(2, 2, None, None, {"hidden": True})

    sheet = only(xlsx(write))
    assert set(sheet.merged) == {workbook.Merged(1, 2, 1, 4), workbook.Merged(2, 1, 3, 1)}
    assert rows(sheet)[0] == [None, "Visit 1", None, None]
    assert (sheet.hidden_rows, sheet.hidden_columns) == ((4,), (3,))
    assert rows(sheet)[3] == ["1", "2", "3", "4"]


def test_a_formula_that_was_never_calculated_is_no_blank() -> None:
    book = openpyxl.Workbook()
    book.active.append(["id", "edss"])
    book.active.append([1, "=1+1"])
    book.active["D3"] = "=A1"
    buffer = io.BytesIO()
    book.save(buffer)
    sheet = only(buffer.getvalue())
    assert rows(sheet)[1] == ["1", workbook.NOT_CALCULATED, None, None]
    assert rows(sheet)[2] == [None, None, None, workbook.NOT_CALCULATED]
    assert kinds(sheet)[2] == [None, None, None, "error"]
    assert (sheet.formulas, sheet.errors) == (2, 2)
    # A result that is empty text says so and is a blank.
    cells = '<c r="A1" t="str"><f>IF(B1,1,"")</f><v></v></c><c r="B1"><f>1+1</f><v>2</v></c><c r="C1"><f>A9</f></c>'
    sheet = only(raw_sheet(f'<worksheet {NS}><sheetData><row r="1">{cells}</row></sheetData></worksheet>'))
    assert rows(sheet) == [[None, "2", workbook.NOT_CALCULATED]]


def test_formatted_blanks_far_away_are_trimmed() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("visits")
        red = book.add_format({"bg_color": "red"})
        sheet.write_row(0, 0, ["id", "edss"])
        sheet.write_row(1, 0, [1, 2.5])
        sheet.write_blank(1_048_575, 0, None, red)
        sheet.write_blank(0, 16_383, None, red)
        sheet.write_string(500, 5, "  ")

    assert rows(only(xlsx(write))) == [["id", "edss"], ["1", "2.5"]]


def test_a_stray_cell_far_away_is_refused_before_memory_is_taken() -> None:
    content = grid([["id"], *([None] for _ in range(3))])
    assert rows(only(content)) == [["id"]]

    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("visits")
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "stray")

    with pytest.raises(BrokenWorkbook, match=r"sheet 1 reaches further.*delete what lies beyond"):
        workbook.read(xlsx(write), "a.xlsx")


def test_a_stray_cell_below_is_read() -> None:
    def write(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("visits")
        sheet.write(0, 0, "id")
        sheet.write(99_999, 1, "total")

    sheet = only(xlsx(write))
    assert (sheet.height, sheet.width) == (100_000, 2)
    assert sheet.long().rows() == [(1, 1, "id", "text"), (100_000, 2, "total", "text")]


def test_prefixed_and_unnumbered_xml() -> None:
    prefixed = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
        '<x:row r="2" hidden="1"><x:c r="A2" t="e"><x:v>#N/A</x:v></x:c><x:c r="B2"><x:v>3</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    sheet = only(raw_sheet(prefixed))
    assert rows(sheet) == [[None, None], ["#N/A", "3"]]
    assert sheet.hidden_rows == (2,)
    bare = f"<worksheet {NS}><sheetData><row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row></sheetData></worksheet>"
    assert rows(only(raw_sheet(bare))) == [["1", "2"], ["3", None]]
    # One wide row and many short ones without numbers: a rectangle of 500 million cells in 200 kB.
    wide = "<row>" + "<c><v>1</v></c>" * 16_000 + "</row>" + "<row><c><v>1</v></c></row>" * 32_000
    with pytest.raises(BrokenWorkbook, match="reaches further"):
        workbook.read(raw_sheet(f"<worksheet {NS}><sheetData>{wide}</sheetData></worksheet>"), "a.xlsx")


def test_opendocument() -> None:
    sheet = only(ods([["id", "EDSS", ""], [1, 2.5, ""], ["", "#REF!", ""], ["Err:502", "", "ä"]]), "a.ods")
    assert rows(sheet) == [
        ["id", "EDSS", None],
        ["1", "2.5", None],
        [None, "#REF!", None],
        ["Err:502", None, "ä"],
    ]
    assert kinds(sheet)[2][1] == "error"
    assert kinds(sheet)[3][0] == "error"
    with pytest.raises(BrokenWorkbook, match="reaches further"):
        workbook.read(ods([["x"] * 40], repeat_rows=1_048_000), "a.ods")


def test_opendocument_facts() -> None:
    book = opendocument.OpenDocumentSpreadsheet()
    gone = style.Style(name="gone", family="table")
    gone.addElement(style.TableProperties(display="false"))
    book.automaticstyles.addElement(gone)
    for name, kind in (("shown", None), ("kept back", "gone")):
        sheet = table.Table(name=name, stylename=kind) if kind else table.Table(name=name)
        row = table.TableRow()
        wide = table.TableCell(valuetype="string", numbercolumnsspanned=2)
        wide.addElement(text.P(text="visit"))
        row.addElement(wide)
        row.addElement(table.CoveredTableCell())
        sheet.addElement(row)
        hidden = table.TableRow(visibility="collapse")
        cell = table.TableCell(valuetype="date", datevalue="2014-03-02")
        cell.addElement(text.P(text="02.03.14"))
        hidden.addElement(cell)
        hidden.addElement(table.TableCell(numbercolumnsrepeated=1022))
        sheet.addElement(hidden)
        sheet.addElement(table.TableRow(numberrowsrepeated=1_048_574))
        book.spreadsheet.addElement(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    shown, kept = workbook.read(buffer.getvalue(), "a.ods").sheets
    assert (shown.is_hidden, kept.is_hidden) == (False, True)
    assert shown.merged == (workbook.Merged(1, 1, 1, 2),)
    assert shown.hidden_rows == (2,)
    assert rows(shown)[1][0] == "2014-03-02"
    assert kinds(shown)[1][0] == "date"


def test_excel_97() -> None:
    content = xls.workbook(
        {
            "visits": [
                [],
                [None, "id", "edss"],
                [None, 1, 2.5],
                [None, True, "#DIV/0!"],
                [],
                [None, "ä", "#N/A"],
            ],
            "days": [[date(2014, 3, 2)]],
        },
        hidden=("days",),
        merged=((1, 1, 1, 2),),
    )
    book = workbook.read(content, "a.xls")
    visits, days = book.sheets
    assert (book.format, [s.is_hidden for s in book.sheets]) == ("xls", [False, True])
    assert rows(visits) == [
        [None, None, None], [None, "id", "edss"], [None, "1", "2.5"], [None, "true", "#DIV/0!"], [None, None, None],
        [None, "ä", "#N/A"],
    ]  # fmt: skip
    assert kinds(visits)[3] == [None, "boolean", "error"]
    assert visits.merged == (workbook.Merged(2, 2, 2, 3),)
    assert (rows(days), kinds(days)) == ([["2014-03-02"]], [["date"]])
    assert rows(only(xls.workbook({"a": [[date(2014, 3, 2)]]}, is_1904=True), "a.xls")) == [["2014-03-02"]]


# --- refused ----------------------------------------------------------------------------------------------


LIMITS = workbook.Limits()


def refusal(content: bytes | Path, name: str = "Anna Muster.xlsx", limits: workbook.Limits = LIMITS) -> str:
    with pytest.raises(BrokenWorkbook) as caught:
        workbook.read(content, name, limits)
    message = str(caught.value)
    assert "\n" not in message
    assert "Anna" not in message
    assert caught.value.__cause__ is None
    return message


def test_hidden_rows_and_columns_of_excel_97_are_told() -> None:
    content = xls.workbook(
        {"a": [["id", "x", "y"], ["1", 2, 3], ["4", 5, 6]]}, hidden_rows=(1,), hidden_columns=(0, 2)
    )
    sheet = only(content, "a.xls")
    assert (sheet.hidden_rows, sheet.hidden_columns) == ((2,), (1, 3))
    assert rows(sheet)[1] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "extent",
    [(0x0C000000, 21, 0, 3), (0, 0xFFFFFFFF, 0, 3), (0, 65_537, 0, 3), (0, 21, 0, 257), (0, 21, 9, 3)],
)
def test_an_extent_that_excel_97_cannot_hold_is_refused(extent: tuple[int, int, int, int]) -> None:
    # calamine takes memory for what is declared: 480 GB here, and the process is gone.
    place = GOOD_XLS.index(b"\x00\x02\x0e\x00") + 4
    content = GOOD_XLS[:place] + struct.pack("<IIHH", *extent) + GOOD_XLS[place + 12 :]
    assert "damaged" in refusal(content, "a.xls")


def test_more_shared_strings_than_the_file_has_bytes_are_refused() -> None:
    # The list of sheets' record is turned into one of strings.
    place = GOOD_XLS.index(b"\x85\x00\x0a\x00")
    content = (
        GOOD_XLS[:place] + b"\xfc\x00\x0a\x00" + struct.pack("<II", 1, 2**31 - 1) + GOOD_XLS[place + 12 :]
    )
    assert "damaged" in refusal(content, "a.xls")


def test_what_is_no_spreadsheet() -> None:
    assert "is empty" in refusal(b"")
    assert "is empty" in refusal(b"\r\n \x00\x00")
    assert "name it .csv" in refusal(b"id;edss\n1;2\n")
    assert "name it .csv" in refusal(b"id;edss\n1;2\n", "Anna.xls")
    assert "web page" in refusal(b"<html><table><tr><td>Anna</td></tr></table>", "Anna.xls")
    assert "web page" in refusal(b"<!DOCTYPE html><p>Anna", "Anna.csv")
    assert "XML" in refusal(b'<?xml version="1.0"?><Workbook/>', "Anna.xls")
    assert "PDF" in refusal(b"%PDF-1.7 Anna", "Anna.pdf")
    assert "not a spreadsheet" in refusal(b"\x89PNG\r\n\x1a\n", "Anna.csv")
    assert "neither a spreadsheet nor text" in refusal(bytes(range(256)) * 20, "Anna.csv")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("Anna.csv", "id,edss")
    assert "an archive" in refusal(buffer.getvalue())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("word/document.xml", "x")
    assert "a document" in refusal(buffer.getvalue())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/workbook.bin", "x")
    assert ".xlsb" in refusal(buffer.getvalue())


def test_damaged_workbooks() -> None:
    content = grid([["Anna", 1], ["Muster", 2]])
    for cut in (10, 100, len(content) // 2, len(content) - 30):
        assert "damaged" in refusal(content[:cut])
    assert "damaged" in refusal(raw_sheet("<worksheet"))
    assert "damaged" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"Anna" * 500, "Anna.xls")
    shared = (
        f'<worksheet {NS}><sheetData><row r="1"><c r="A1" t="s"><v>99</v></c></row></sheetData></worksheet>'
    )
    refusal(raw_sheet(shared))


def test_passwords() -> None:
    office = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(1000)
        + "EncryptedPackage".encode("utf-16-le")
        + bytes(1000)
    )
    assert "remove the password" in refusal(office)
    assert "remove the password" in refusal(xls.workbook({"Anna": [["x"]]}, is_encrypted=True), "Anna.xls")
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ods([["x"]]))) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "META-INF/manifest.xml":
                content = content.replace(
                    b"</manifest:manifest>", b"<manifest:encryption-data/></manifest:manifest>"
                )
            target.writestr(name, content)
    assert "remove the password" in refusal(buffer.getvalue(), "Anna.ods")


def test_files_too_large_are_refused_unread(tmp_path: Path) -> None:
    limits = workbook.Limits(file_bytes=1000)
    assert "the limit is" in refusal(bytes(1001), limits=limits)
    file = tmp_path / "Anna.xlsx"
    file.write_bytes(bytes(1001))
    file.chmod(0)
    assert "the limit is" in refusal(file, limits=limits)  # not opened: the size is enough
    assert "cannot be read" in refusal(tmp_path / "absent.xlsx")


def test_bombs() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", bytes(80_000_000))
    assert "unpacks to far more" in refusal(buffer.getvalue())
    assert "unpacks to far more" in refusal(grid([["x"]]), limits=workbook.Limits(unpacked_bytes=1000))
    bomb = gzip.compress(bytes(80_000_000))
    assert "unpacks to far more" in refusal(bomb, "Anna.csv.gz")
    # A part that unpacks to more than it declares.
    honest = grid([["id", "x" * 30_000]])
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        entry = archive.getinfo("xl/theme/theme1.xml")
    lie = honest.replace(entry.file_size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lie != honest
    assert "damaged" in refusal(lie)
    # One long text that half a million cells name: 3 MB of XML, 50 GB of cells.
    cells = '<c t="s"><v>0</v></c>' * 5000
    sheet = f"<worksheet {NS}><sheetData>{f'<row>{cells}</row>' * 10}</sheetData></worksheet>"
    strings = f"<sst {NS}><si><t>{'x' * 30_000}</t></si></sst>"
    assert "unpacks to far more" in refusal(raw_sheet(sheet, strings=strings))
    entities = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", f'<?xml version="1.0"?>{entities}]><workbook>&j;</workbook>')
    assert refusal(buffer.getvalue())


# --- text files -------------------------------------------------------------------------------------------


def test_canonical_csv() -> None:
    book = workbook.read(b"patient_id,visit_date,edss\nP1,2014-03-02,2.5\n", "some/folder/edss.csv")
    assert (book.format, book.is_text, book.encoding, book.delimiter, book.decimal) == (
        "csv",
        True,
        "utf-8",
        ",",
        ".",
    )
    (sheet,) = book.sheets
    assert (sheet.name, sheet.position) == ("edss", 1)
    assert rows(sheet) == [["patient_id", "visit_date", "edss"], ["P1", "2014-03-02", "2.5"]]
    assert {kind for row in kinds(sheet) for kind in row} == {"text"}


@pytest.mark.parametrize(
    ("encoding", "reported"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32")],
)  # fmt: skip
def test_unicode_encodings(encoding: str, reported: str) -> None:
    content = "id;Größe\n1;2,5\n2;übel\n".encode(encoding)
    book = workbook.read(content, "a.csv")
    assert (book.encoding, book.is_encoding_guessed) == (reported, False)
    assert rows(book.sheets[0]) == [["id", "Größe"], ["1", "2,5"], ["2", "übel"]]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", ["Schübe", "männlich", "Größe", "für", "Müdigkeit", "Fußhebung", "Doppelbilder – ja"]),
        ("cp1252", ["sexe féminin", "poussée", "traitement arrêté", "née à Orléans", "dernière", "démyélinisation"]),
        ("cp1252", ["años", "inyección", "diagnóstico", "síntomas", "niño", "esclerosis múltiple"]),
        ("cp1250", ["mężczyzna", "płeć żeńska", "wtórnie postępująca", "leczenie wstrzymane – ciąża", "początek objawów"]),
        ("cp1251", ["женщина", "рассеянный склероз", "обострение", "начало терапии", "диагноз"]),
    ],
)  # fmt: skip
def test_one_byte_encodings_are_guessed_and_said_to_be(encoding: str, words: list[str]) -> None:
    content = "\r\n".join(["id;text", *(f"{n};{word}" for n, word in enumerate(words))]).encode(encoding)
    book = workbook.read(content, "a.csv")
    assert book.is_encoding_guessed
    assert [row[1] for row in rows(book.sheets[0])][1:] == words
    assert workbook.read(content, "a.csv", encoding=encoding).encoding == encoding


def test_an_encoding_that_is_set_must_fit() -> None:
    with pytest.raises(BrokenWorkbook, match="not known"):
        workbook.read(b"a;b", "a.csv", encoding="klingon")
    with pytest.raises(BrokenWorkbook, match="does not fit"):
        workbook.read("ü;b".encode("cp1252"), "a.csv", encoding="utf-8")
    with pytest.raises(BrokenWorkbook, match="not one character"):
        workbook.read(b"a;b", "a.csv", delimiter=";;")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    lines = [
        ["id", "text", "edss"],
        ["1", "a, b; c | d\te", "2"],
        ["2", 'say "no"', ""],
        ["3", "two\nlines", "3"],
    ]
    content = "\r\n".join(
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines
    ).encode()
    book = workbook.read(content, "a.csv")
    assert book.delimiter == delimiter
    assert book.format == ("tsv" if delimiter == "\t" else "csv")
    assert rows(book.sheets[0]) == [[cell or None for cell in line] for line in lines]


def test_decimal_commas_do_not_become_columns() -> None:
    book = workbook.read(b"id;edss;msss\n1;2,5;3,14\n2;3,0;2,72\n3;1,5;\n", "a.csv")
    assert (book.delimiter, book.decimal) == (";", ",")
    quoted = workbook.read(b'id,edss\n1,"2,5"\n2,"3,0"\n', "a.csv")
    assert (quoted.delimiter, quoted.decimal) == (",", ",")
    assert workbook.read(b"id;x\n1;2\n", "a.csv").decimal is None


def test_lead_rows_and_legends_do_not_fool_the_delimiter() -> None:
    lines = [
        "Clinic of X, ward 3, floor 2, east",
        "",
        "id;sex;edss",
        *(f"{n};F;2,5" for n in range(30)),
        "",
        "F = female, M = male",
    ]
    book = workbook.read("\n".join(lines).encode(), "a.csv")
    assert book.delimiter == ";"
    assert rows(book.sheets[0])[2] == ["id", "sex", "edss"]
    assert book.sheets[0].height == len(lines)


def test_blank_lines_keep_their_numbers_and_excels_own_line_has_none() -> None:
    assert rows(only(b"\n\nid;edss\n\n1;2\n\n\n", "a.csv")) == [
        [None, None],
        [None, None],
        ["id", "edss"],
        [None, None],
        ["1", "2"],
    ]
    assert rows(only(b"sep=;\r\nid;edss\r\n1;2\r\n", "a.csv")) == [["id", "edss"], ["1", "2"]]
    assert rows(only(b"id\n1\n2\n", "a.csv")) == [["id"], ["1"], ["2"]]
    assert rows(only(b"id,edss\r1,2\r", "a.csv")) == [["id", "edss"], ["1", "2"]]
    assert rows(only(b"id,edss\n1,2,3\n4\n", "a.csv")) == [
        ["id", "edss", None],
        ["1", "2", "3"],
        ["4", None, None],
    ]


def test_a_quotation_mark_that_is_not_closed_is_refused_with_its_row() -> None:
    short = b'id,note\n1,ok\n2,"Anna\n3,x\n'
    assert "row 3: a quotation mark" in refusal(short, "Anna.csv")
    long = b'id,note\n1,"Anna\n' + b"2,x\n" * 300 + b'3,"y"\n'
    assert "row 2: a quotation mark" in refusal(long, "Anna.csv")
    assert rows(only(b'id,note\n1,5" scar\n2,"6"" scar"\n', "a.csv"))[1:] == [
        ["1", '5" scar'],
        ["2", '6" scar'],
    ]


def test_gzip() -> None:
    content = b"id,edss\n1,2\n"
    book = workbook.read(gzip.compress(content), "edss.csv.gz")
    assert book.sheets[0].name == "edss"
    assert rows(book.sheets[0]) == [["id", "edss"], ["1", "2"]]
    assert rows(only(gzip.compress(content[:5]) + gzip.compress(content[5:]), "edss.csv.gz"))[1] == ["1", "2"]
    assert rows(only(gzip.compress(grid([["id"], [7]])), "a.xlsx.gz")) == [["id"], ["7"]]
    assert "too early" in refusal(gzip.compress(content)[:-4], "Anna.csv.gz")
    assert "damaged" in refusal(b"\x1f\x8b\x08" + b"Anna" * 9, "Anna.csv.gz")
    assert "twice" in refusal(gzip.compress(gzip.compress(content)), "Anna.csv.gz")


def test_errors_in_text_are_errors() -> None:
    sheet = only(b"id,edss\n1,#REF!\n2,#N/A\n3,N/A\n", "a.csv")
    assert [row[1] for row in kinds(sheet)] == ["text", "error", "error", "text"]
    assert sheet.errors == 2


# --- properties -------------------------------------------------------------------------------------------

_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cf")),
    min_size=1,
    max_size=8,
)
_CELL = (
    st.none()
    | _TEXT.filter(lambda t: not t.startswith(("=", "{", "@")))
    | st.integers(-(10**9), 10**9)
    | st.dates(date(1900, 3, 1), date(2100, 1, 1))
)
_GRID = st.lists(st.lists(_CELL, min_size=1, max_size=6), min_size=1, max_size=8)


def expected(values: list[list[object]]) -> list[list[str | None]]:
    texts = [[None if v is None else str(v) for v in row] for row in values]
    while texts and not any(texts[-1]):
        texts.pop()
    width = max((n for row in texts for n, v in enumerate(row, 1) if v), default=0)
    return [(row + [None] * width)[:width] for row in texts]


@given(_GRID)
@settings(max_examples=60, deadline=None)
def test_xlsx_comes_back(values: list[list[object]]) -> None:
    content = grid(values, strings_to_numbers=False, strings_to_formulas=False, strings_to_urls=False)
    assert rows(only(content)) == expected(values)


@given(_GRID, st.sampled_from([",", ";", "\t"]))
@settings(max_examples=60, deadline=None)
def test_csv_comes_back(values: list[list[object]], delimiter: str) -> None:
    texts = expected(values)
    lines = [delimiter.join('"' + (cell or "").replace('"', '""') + '"' for cell in row) for row in texts]
    if not any(any(row) for row in texts):
        return
    sheet = only("\n".join(lines).encode(), "a.csv", delimiter=delimiter)
    assert rows(sheet) == texts


@given(st.binary(max_size=400), st.sampled_from(["a.xlsx", "a.csv", "a.xls", "a.ods", "a.csv.gz"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_cells_or_a_refusal(content: bytes, name: str) -> None:
    if (message := _refused(content, name)) is not None:
        assert "\n" not in message


def _refused(content: bytes, name: str) -> str | None:
    try:
        assert workbook.read(content, name).sheets
    except BrokenWorkbook as error:
        return str(error)
    return None


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_to_a_workbook_is_survived(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([GOOD_XLSX, GOOD_ODS, GOOD_XLS])))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert "secret" not in (_refused(bytes(content), "a.xlsx") or "")


GOOD_XLSX = grid([["id", "secret", "edss"], *([n, "secret", n / 2] for n in range(20))])
GOOD_XLS = xls.workbook({"a": [["id", "secret", "edss"], *([n, "secret", n / 2] for n in range(20))]})
GOOD_ODS = ods([["id", "secret", "edss"], *([n, "secret", n / 2] for n in range(20))])


# --- real workbooks ---------------------------------------------------------------------------------------


def test_the_mexican_workbook(shared: Path) -> None:
    (sheet,) = workbook.read(shared / "cohorts/inbox/mexico_cis/mexico_cis_conversion.xlsx", "m.xlsx").sheets
    header = rows(sheet)[3]
    assert rows(sheet)[:3] == [[None] * 20] * 3
    assert header[0] == "Patient"
    assert header[18] == " final EDSS"  # the blank in front is the clinic's
    data = sheet.cells.filter(pl.col("row").is_between(5, 277))
    assert data["c1"].null_count() == 0
    assert data.height == 273
    assert data["c18"].is_not_null().sum() == 125
    assert sheet.height == 292
    legend = sheet.cells.filter(pl.col("row") > 277)
    assert legend.filter(pl.any_horizontal(pl.exclude("row").is_not_null())).height == 15


def test_the_open_data(shared: Path) -> None:
    folder = shared / "cohorts/inbox/open_ms"
    cross = workbook.read(folder / "open_ms_cross_sectional.csv", "cross.csv")
    assert (cross.delimiter, cross.encoding, cross.sheets[0].height) == (",", "utf-8", 31)
    assert (cross.sheets[0].cells["c5"] == "N/A").sum() > 0
    assert (cross.sheets[0].cells["c5"] == "0.5").sum() > 0
    longitudinal = workbook.read(folder / "open_ms_longitudinal.csv", "longitudinal.csv")
    assert longitudinal.sheets[0].height == 21
    assert longitudinal.sheets[0].cells["c5"].null_count() > 0


def test_the_toy_workbook(shared: Path) -> None:
    book = workbook.read(shared / "cohorts/inbox/msprog_toy/msprog_toydata.xlsx", "toy.xlsx")
    visits, relapses = book.sheets
    assert (visits.name, visits.height, relapses.name, relapses.height) == ("visits", 58, "relapses", 6)
    assert set(visits.kinds["c2"][1:]) == {"date"}
    assert visits.cells["c2"][1:].str.to_date("%Y-%m-%d", strict=False).null_count() == 0


def test_what_another_program_wrote_is_read_the_same() -> None:
    """openpyxl: dates from 1904, hidden rows and columns, merged cells, errors, digits as text, numeric headers."""
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(["id", 2014, 2015.5, "when", "merged", "error"])
    sheet.append(["007", 1, 2.5, datetime(2014, 3, 2), "both", "#REF!"])
    sheet.append(["008", 2, 3, datetime(1904, 1, 2), None, "#N/A"])
    sheet["A2"].data_type = sheet["A3"].data_type = "s"
    sheet["F2"].data_type = sheet["F3"].data_type = "e"
    sheet.merge_cells("E2:E3")
    sheet.row_dimensions[3].hidden = True
    sheet.column_dimensions["C"].hidden = True
    out = io.BytesIO()
    book.save(out)
    read = workbook.read(out.getvalue(), "mac.xlsx")
    (found,) = read.sheets
    assert read.is_1904
    assert found.cells.rows() == [
        (1, "id", "2014", "2015.5", "when", "merged", "error"),
        (2, "007", "1", "2.5", "2014-03-02", "both", "#REF!"),
        (3, "008", "2", "3", "1904-01-02", None, "#N/A"),
    ]
    assert found.kinds.row(1) == (2, "text", "number", "number", "date", "text", "error")
    assert (found.hidden_rows, found.hidden_columns) == ((3,), (3,))
    assert found.merged == (workbook.Merged(2, 5, 3, 5),)
    assert found.errors == 2


def test_hidden_columns_of_an_opendocument_are_told() -> None:
    book = opendocument.OpenDocumentSpreadsheet()
    sheet = table.Table(name="visits")
    sheet.addElement(table.TableColumn(numbercolumnsrepeated=2))
    sheet.addElement(table.TableColumn(visibility="collapse", numbercolumnsrepeated=2))
    row = table.TableRow()
    for value in "abcde":
        cell = table.TableCell(valuetype="string")
        cell.addElement(text.P(text=value))
        row.addElement(cell)
    sheet.addElement(row)
    book.spreadsheet.addElement(sheet)
    out = io.BytesIO()
    book.write(out)
    (found,) = workbook.read(out.getvalue(), "v.ods").sheets
    assert found.hidden_columns == (3, 4)
    assert found.cells.row(0) == (1, "a", "b", "c", "d", "e")


@pytest.mark.parametrize("numbers", ["2,5\n3,0\n3,5\n", "2,5\n3\n", "-1,25\n"])
def test_one_column_with_a_decimal_comma_stays_one(numbers: str) -> None:
    read = workbook.read(f"EDSS\n{numbers}".encode(), "v.csv")
    assert read.sheets[0].width == 1
    assert read.decimal == ","


def test_two_columns_of_whole_numbers_stay_two() -> None:
    for content in (b"id,edss\n1,2\n3,4\n", b"Export of today\nid,edss\n1,2\n3,4\n"):
        assert workbook.read(content, "v.csv").sheets[0].width == 2
