"""Query lists and `remit check`: complete, escaped, private."""

from __future__ import annotations

import html

import openpyxl
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from pipeline.cohort import queries
from pipeline.errors import BrokenWorkbook, MappingError
from tests.support.cohorts import PATIENTS, Clinic, table_csv, workbook

EVIL = [
    '=HYPERLINK("http://evil.example","x")',
    "<script>alert(1)</script>",
    "@SUM(A1)",
    "http://evil.example",
]


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


def test_the_list_names_cell_value_and_what_is_expected(clinic):
    edss = [
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": value} for value in ("2.3", "99", "x", 2)
    ]
    clinic.put("site", "my data.xlsx", workbook(patients=PATIENTS, edss=edss))
    clinic.run()
    folder = clinic.private / "queries" / "site"
    sheet = openpyxl.load_workbook(folder / "site-0001.xlsx")["queries"]
    rows = {tuple(row) for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert ("edss", "C2", "edss", "2.3", "0, 1.0, 1.5 … 10.0", "edss_step", "error") in rows
    assert ("edss", "C4", "edss", "x", "a number", "bad_number", "error") in rows
    summary = openpyxl.load_workbook(folder / "site-0001.xlsx")["summary"]
    assert summary["A1"].value == "site-0001 – my data.xlsx"
    page = (folder / "site-0001.html").read_text()
    assert "<td class=c>C3<td>99" in page
    assert "1 × edss: expected 0, 1.0, 1.5 … 10.0" in page


def test_no_cell_becomes_a_formula_a_link_or_markup(clinic):
    edss = [
        {"patient_id": evil, "visit_date": evil, "edss": evil, evil: "1"}
        for evil in EVIL
    ]  # fmt: skip
    good = [{"patient_id": "P1", "visit_date": "2010-01-01", "edss": value} for value in EVIL]
    clinic.put("site", "edss.csv", table_csv(good))
    clinic.put("evil", "edss.csv", table_csv(edss))
    clinic.run()
    for cohort in ("site", "evil"):
        folder = clinic.private / "queries" / cohort
        for file in folder.glob("*.xlsx"):
            for sheet in openpyxl.load_workbook(file):
                for row in sheet.iter_rows():
                    assert not [cell for cell in row if cell.data_type == "f" or cell.hyperlink]
        for file in folder.glob("*.html"):
            page = file.read_text()
            assert "<script" not in page
            assert "default-src 'none'" in page
            assert "href" not in page
    assert html.escape(EVIL[1]) in (clinic.private / "queries" / "site" / "site-0001.html").read_text()


def test_nothing_to_correct_says_so(clinic):
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.run()
    assert "Nothing to correct" in (clinic.private / "queries" / "site" / "site-0001.html").read_text()


def test_lists_of_replaced_deliveries_go(clinic):
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.run()
    clinic.put("site", "patients.csv", table_csv(PATIENTS[:2]))
    clinic.run()
    names = {path.name for path in (clinic.private / "queries" / "site").iterdir()}
    assert names == {"site-0002.html", "site-0002.xlsx"}


def test_rejected_rows_keep_their_values_in_private(clinic):
    rows = [{"patient_id": "P1", "visit_date": "2010-01-01", "edss": "hello"}]
    clinic.put("site", "edss.csv", table_csv(rows))
    clinic.run()
    kept = pl.read_parquet(clinic.private / "rejected" / "site.parquet").row(0, named=True)
    assert kept["delivery_id"] == "site-0001"
    assert kept["row_number"] == 2
    assert kept["cells"] == ["P1", "2010-01-01", "hello"]


def test_check_gives_the_same_without_loading(clinic):
    edss = [{"patient_id": p, "visit_date": "2010-01-01", "edss": "2.3"} for p in ("P1", "P8")]
    file = clinic.put("site", "Daten Müller.xlsx", workbook(patients=PATIENTS, edss=edss))
    report = queries.check_file(file)
    assert not report.is_clean
    assert [(s.name, s.rows_accepted, s.rows_rejected) for s in report.sheets] == [
        ("patients", 3, 0),
        ("edss", 0, 2),
    ]
    text = "\n".join(report.lines())
    assert "C2: 2.3" in text
    assert "A3: P8" in text
    assert not clinic.lake.exists()
    clinic.run()
    rejected = clinic.table("rejected_rows")
    assert set(rejected["rule"]) == set(report.items.filter(pl.col("level") == "error")["rule"])


def test_check_uses_the_map_and_ledger_beside_the_file(clinic):
    file = clinic.put("site", "a.csv", table_csv([["nr", "d", "e"], ["1", "01.02.2010", "2,5"]]))
    assert not queries.check_file(file).is_clean
    clinic.put(
        "site",
        "cohort.yaml",
        "date_order: dmy\nsheets: [{tables: [{table: edss, columns: {patient_id: nr, visit_date: d, edss: e}}]}]\n",
    )
    report = queries.check_file(file)
    assert report.is_clean
    assert report.lines()[-1] == "Nothing is rejected."
    other = clinic.put("site", "other.yaml", "preset: nonsense\n")
    with pytest.raises(MappingError, match="line 1"):
        queries.check_file(file, map_path=other)


def test_check_of_no_file_and_of_no_workbook(clinic, tmp_path):
    with pytest.raises(BrokenWorkbook, match="no such file"):
        queries.check_file(tmp_path / "nothing.xlsx")
    broken = clinic.put("site", "broken.xlsx", b"PK\x03\x04nonsense")
    with pytest.raises(BrokenWorkbook):
        queries.check_file(broken)


def test_long_lists_are_counted_to_the_end(clinic):
    edss = [{"patient_id": "P1", "visit_date": f"20{n // 300:02}-01-01", "edss": "bad"} for n in range(700)]
    clinic.put("site", "edss.csv", table_csv(edss))
    clinic.run()
    folder = clinic.private / "queries" / "site"
    assert "… and 500 more in the xlsx." in (folder / "site-0001.html").read_text()
    rows = CalamineWorkbook.from_path(folder / "site-0001.xlsx").get_sheet_by_name("queries").to_python()
    assert len(rows) == 701


def test_check_reports_what_was_detected(clinic):
    text = table_csv([["patient_id", "visit_date", "edss"], ["Müller", "2010-01-01", "2,5"]], ";")
    file = clinic.put("site", "edss.csv", text.encode("cp1252"))
    report = queries.check_file(file)
    assert report.is_clean
    assert "cp1252 (guessed), delimiter ';', decimal sign ','" in report.lines()[0]


def test_a_file_of_which_nothing_is_known_is_not_clean(tmp_path):
    file = tmp_path / "empty.xlsx"
    openpyxl.Workbook().save(file)
    report = queries.check_file(file)
    assert not report.is_clean
    assert report.lines()[-1].startswith("Nothing would be loaded")
