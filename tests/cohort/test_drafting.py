"""`remit map`: headers in several languages, values that decide, doubts that are marked."""

from __future__ import annotations

import pytest

from pipeline.cohort import drafting, mapping, queries
from pipeline.errors import BrokenWorkbook
from tests.support.cohorts import Clinic, table_csv, workbook


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
