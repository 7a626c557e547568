"""`remit map`: headers in several languages, values that decide, doubts that are marked."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from pipeline.cohort import drafting, mapping, queries, validation
from pipeline.errors import BrokenWorkbook, MappingError
from tests.support.cohorts import PATIENTS, Clinic, table_csv, workbook


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


def read_as(draft: drafting.Draft) -> dict[str, str]:
    return {match.header: f"{match.table}.{match.field}" for match in draft.matches}


@pytest.mark.parametrize(
    ("headers", "values", "fields"),
    [
        (["Patienten-ID", "Geschlecht", "Geburtsdatum", "Erstdiagnose"],
         ["7", "w", "13.02.1980", "2004"],
         ["patient_id", "sex", "birth_date", "diagnosis_date"]),
        (["Numéro patient", "Sexe", "Date de naissance", "Date de début"],
         ["7", "F", "13/02/1980", "14/03/2004"],
         ["patient_id", "sex", "birth_date", "onset_date"]),
        (["Paciente", "Sexo", "Fecha de nacimiento", "Forma clínica"],
         ["7", "mujer", "13/02/1980", "RR"],
         ["patient_id", "sex", "birth_date", "course"]),
        (["Numer pacjenta", "Płeć", "Data urodzenia", "Data zgonu"],
         ["7", "K", "1980-02-13", ""],
         ["patient_id", "sex", "birth_date", "death_date"]),
        (["Subject ID", "Gender", "D.O.B", "Disease Course"],
         ["7", "F", "13 Feb 1980", "RRMS"],
         ["patient_id", "sex", "birth_date", "course"]),
    ],
)  # fmt: skip
def test_headers_in_several_languages(clinic, headers, values, fields):
    file = clinic.put("site", "p.csv", table_csv([headers, values, ["8", *values[1:]]]))
    draft = drafting.draft_map(file)
    assert read_as(draft) == {h: f"patients.{f}" for h, f in zip(headers, fields, strict=True)}
    clinic.put("site", "cohort.yaml", draft.text)
    report = clinic.run()
    assert not report.all_problems
    assert report.row_counts["patients"] == 2


def test_the_order_of_day_and_month_comes_from_the_values(clinic):
    rows = [["ID", "Datum", "EDSS"], ["1", "03/04/2014", "2"], ["1", "25/04/2015", "3"]]
    draft = drafting.draft_map(clinic.put("site", "dmy.csv", table_csv(rows)))
    assert mapping.parse(draft.text).sheets[0].date_order == "dmy"
    rows = [["ID", "Date", "EDSS"], ["1", "03/04/2014", "2"], ["1", "04/25/2015", "3"]]
    draft = drafting.draft_map(clinic.put("site", "mdy.csv", table_csv(rows)))
    assert mapping.parse(draft.text).sheets[0].date_order == "mdy"


def test_dates_that_fit_both_orders_are_marked(clinic):
    rows = [["ID", "Date", "EDSS"], ["1", "03/04/2014", "2"], ["1", "05/06/2015", "3"]]
    draft = drafting.draft_map(clinic.put("site", "v.csv", table_csv(rows)))
    assert "CHECK AMBIGUOUS" in draft.text
    assert any("day/month and month/day" in doubt for doubt in draft.doubts)


def test_values_decide_between_headers(clinic):
    # A column called EDSS that holds text is no EDSS.
    rows = [["ID", "Datum", "EDSS"], *[[str(n), "2014-01-01", "stable, walks"] for n in range(9)]]
    draft = drafting.draft_map(clinic.put("site", "v.csv", table_csv(rows)))
    assert "edss.edss" not in read_as(draft).values()


def test_a_few_cells_that_do_not_fit_leave_a_column_proposed(clinic):
    rows = [["Pat-Nr", "Schubbeginn", "EDSS"], ["1", "01.05.2012", "2,5"], ["2", "Herbst 2013", "ca. 3"], ["3", "2014", "3"]]  # fmt: skip
    draft = drafting.draft_map(clinic.put("site", "visits.csv", table_csv(rows)))
    assert read_as(draft)["EDSS"] == "edss.edss"
    assert "'EDSS' read as edss.edss (75 %)" in " ".join(draft.doubts)


def test_nothing_is_left_out_silently(clinic):
    rows = [["ID", "Datum", "EDSS", "Bemerkung", ""], ["1", "2014-01-01", "2", "x", "stray"]]
    file = clinic.put("site", "v.csv", table_csv(rows))
    draft = drafting.draft_map(file)
    parsed = mapping.parse(draft.text).sheets[0]
    assert parsed.ignore == ("Bemerkung",)
    assert parsed.ignore_columns == ("E",)
    (clinic.inbox / "site" / "cohort.yaml").write_text(draft.text)
    assert queries.check_file(file).is_clean


def test_a_sheet_without_patients_is_marked(clinic):
    file = clinic.put("site", "b.xlsx", workbook(Notes=[["todo", "who"], ["call", "K"]], Empty=[]))
    draft = drafting.draft_map(file)
    assert [sheet.is_legend for sheet in mapping.parse(draft.text).sheets] == [True, True]
    assert any("no column looks like a patient" in doubt for doubt in draft.doubts)


def test_headers_that_would_break_yaml_are_quoted(clinic):
    headers = ["ID", 'EDSS: "total" #1', "Date: {x}", "- [a]", "no"]
    file = clinic.put("site", "v.csv", table_csv([headers, ["1", "2", "2014-01-01", "y", "z"]]))
    draft = drafting.draft_map(file)
    mapping.parse(draft.text)
    (clinic.inbox / "site" / "cohort.yaml").write_text(draft.text)
    assert queries.check_file(file).sheets[0].status == "mapped"


def test_no_file(tmp_path):
    with pytest.raises(BrokenWorkbook, match="no such file"):
        drafting.draft_map(tmp_path / "nothing.xlsx")


def drafted(clinic, name: str, content: bytes | str) -> tuple[drafting.Draft, queries.CheckReport]:
    """The draft of a file, put beside it, and what `remit check` then says."""
    file = clinic.put("site", name, content)
    draft = drafting.draft_map(file)
    clinic.put("site", "cohort.yaml", draft.text)
    return draft, queries.check_file(file)


def two_lines() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Visits")
        sheet.write_string(0, 0, "Clinic of somewhere, exported in 2016")
        sheet.merge_range(2, 0, 3, 0, "Patient")
        sheet.merge_range(2, 1, 2, 2, "Visit 1")
        sheet.merge_range(2, 3, 2, 4, "Visit 2")
        sheet.write_row(3, 1, ["Date", "EDSS", "Date", "EDSS"])
        for row in range(4, 9):
            sheet.write_row(row, 0, [f"A{row}", f"2014-0{row}-01", 2.5, f"2015-0{row}-01", 3])
    return out.getvalue()


WIDE = [
    ["Pat-Nr", "Geschlecht", "Visite 1 Datum", "EDSS 1", "Visite 2 Datum", "EDSS 2"],
    ["1", "w", "03.04.2014", "2,5", "13.10.2014", "3,0"],
    ["2", "m", "13.05.2013", "4,0", "", ""],
]
TWICE = [["ID", "Date", "EDSS", "Date", "", "EDSS"], ["1", "2014-01-02", "2", "2015-01-02", "", "3"]]
DRUGS = [
    ["PatID", "DMT 1", "Start 1", "Stop 1", "DMT 2", "Start 2", "Stop 2"],
    ["1", "Avonex", "2010-01-02", "2011-02-03", "Tysabri", "2012-01-01", ""],
    ["2", "Rebif", "2010-01-02", "2011-02-03", "", "", ""],
]
RELAPSES = [["PatID", "Relapse 1", "Relapse 2"], ["1", "2010-01-02", "2011-02-03"], ["2", "2010-01-02", ""]]


@pytest.mark.parametrize(
    ("name", "content", "table", "records"),
    [
        ("wide.csv", table_csv(WIDE, ";").encode("cp1252"), "edss", 3),
        ("two.xlsx", two_lines(), "edss", 10),
        ("twice.csv", table_csv(TWICE), "edss", 2),
        ("drugs.csv", table_csv(DRUGS), "treatments", 3),
        ("relapses.tsv", table_csv(RELAPSES, "\t").encode("utf-16"), "relapses", 3),
    ],
)
def test_records_side_by_side_become_rows(clinic, name, content, table, records):
    draft, report = drafted(clinic, name, content)
    assert "repeat:" in draft.text
    assert report.is_clean, report.lines()
    clinic.run()
    assert clinic.table(table).height == records
    assert clinic.table(table)[f"{validation.main_date(table)}_earliest"].null_count() == 0


def test_two_header_lines_are_joined_only_where_that_names_more(clinic):
    draft, _ = drafted(clinic, "two.xlsx", two_lines())
    sheet = mapping.parse(draft.text).sheets[0]
    assert (sheet.header_row, sheet.header_rows) == (3, 2)
    rows = [["Person", "", "Disease"], ["ID", "Sex", "Course"], ["1", "F", "RR"], ["2", "M", "SP"]]
    draft = drafting.draft_map(clinic.put("other", "p.xlsx", workbook(Sheet=rows)))
    sheet = mapping.parse(draft.text).sheets[0]
    assert (sheet.header_row, sheet.header_rows) == (2, 1)


def test_lead_rows_totals_and_a_legend_elsewhere(clinic):
    rows = [
        ["Hospital del Sur"], ["Exportado en 2014"], [],
        ["Paciente", "Sexo", "Fecha de nacimiento", "Forma clínica"],
        ["1", "1", "13/02/1980", "RR"], ["2", "2", "14/03/1981", "SP"], ["3", "1", "15/03/1982", "RR"],
        ["Total", "", "", "3"], [], ["1 = Hombre"], ["2 = Mujer"],
    ]  # fmt: skip
    draft, report = drafted(clinic, "l.xlsx", workbook(Datos=rows))
    assert mapping.parse(draft.text).sheets[0].tables[0].columns["sex"].codes == {"1": "male", "2": "female"}
    (sheet,) = report.sheets
    assert (sheet.rows_accepted, sheet.rows_rejected, sheet.rows_not_data) == (3, 0, 4)


def test_numbers_that_belong_to_a_name_are_no_visits(clinic):
    rows = [["ID", "Scan date", "T1 Gd lesions", "T2 lesions"], ["1", "2014-01-02", "1", "7"]]
    draft, report = drafted(clinic, "mri.csv", table_csv(rows))
    assert "repeat:" not in draft.text
    assert read_as(draft)["T2 lesions"] == "mri_scans.t2_lesions"
    assert report.is_clean


def test_a_folder_is_drafted_and_checked_as_one_cohort(clinic):
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "visits.csv", table_csv([["ID", "Visit date", "EDSS"], ["P1", "2014-01-02", "2"]]))
    clinic.put(
        "site",
        "2013/Schübe.csv",
        table_csv([["ID", "Schubdatum"], ["P2", "2013-01-02"], ["P9", "2013-01-02"]]),
    )
    clinic.put("site", "broken.xlsx", b"PK\x03\x04nonsense")
    folder = clinic.inbox / "site"
    draft = drafting.draft_map(folder)
    assert any("broken.xlsx" in doubt for doubt in draft.doubts)
    assert {entry.file for entry in mapping.parse(draft.text).sheets} == {"visits.csv", "2013/Schübe.csv"}
    clinic.put("site", "cohort.yaml", draft.text)
    report = queries.check_file(folder)
    text = "\n".join(report.lines())
    # A patient who stands in another file is known, one who stands in none is not.
    assert "'2013/Schübe.csv', patient_id: 1 × unknown_patient" in text
    assert "problem: broken.xlsx: the workbook is damaged" in text
    assert {s.name: s.rows_accepted for s in report.sheets} == {
        "patients.csv": 3,
        "visits.csv": 1,
        "2013/Schübe.csv": 1,
    }
    clinic.put("site", "copy of visits.csv", (folder / "visits.csv").read_bytes())
    copied = queries.check_file(folder)
    assert "visits.csv has the content of copy of visits.csv and counts once" in copied.notes[0]
    assert len(copied.sheets) == len(report.sheets)
    (folder / "copy of visits.csv").unlink()
    two = queries.check_file(folder / "patients.csv", folder / "visits.csv")
    assert two.is_clean
    (folder / "visits.csv").unlink()
    assert any("is in no delivered file" in problem for problem in queries.check_file(folder).problems)


def test_a_stated_encoding_and_delimiter_apply_everywhere(clinic):
    # Nothing in "Płeć" tells Polish from Western bytes for certain, and : parts no cells by itself.
    rows = table_csv([["Numer pacjenta", "Płeć", "Data urodzenia"], ["1", "K", "1980-02-13"]], ":")
    file = clinic.put("site", "p.csv", rows.encode("cp1250"))
    clinic.put("site", "cohort.yaml", 'encoding: cp1250\ndelimiter: ":"\n')
    draft = drafting.draft_map(file)
    clinic.put("site", "cohort.yaml", draft.text)
    assert read_as(draft)["Płeć"] == "patients.sex"
    report = queries.check_file(file)
    assert report.is_clean
    assert "read as cp1250, delimiter ':'" in report.lines()[0]
    assert not clinic.run().all_problems
    assert clinic.table("patients")["sex"].to_list() == ["female"]


@pytest.mark.parametrize(
    ("line", "message"), [("encoding: latin-99", "encoding"), ("delimiter: ab", "one character")]
)
def test_a_wrong_encoding_or_delimiter_is_told_with_its_line(line, message):
    with pytest.raises(MappingError, match=f"line 2 .*{message}"):
        mapping.parse(f"preset: none\n{line}\n")
