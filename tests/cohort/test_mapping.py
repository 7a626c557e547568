"""cohort.yaml: what it can say, how it is wrong, and how sheets and headers are found."""

from __future__ import annotations

import json

import jsonschema
import polars as pl
import pytest
import yaml

from pipeline.cohort import mapping
from pipeline.errors import MappingError
from tests.support.cohorts import EDSS, PATIENTS, Clinic, adds_up, pseudonym, table_csv, workbook


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("preset: canonical\nsheets:\n  - sheet: A\n    tables:\n      - tabel: edss\n", 5, "not known"),
        ("preset: other\n", 1, "canonical"),
        ("date_order: dmy\ndate_order: mdy\n", 2, "stands twice"),
        ("sheets:\n  - tables:\n      - table: edss\n        columns:\n          eddss: EDSS\n", 3, "no field of edss"),
        ("sheets:\n - a: [\n", 3, "not YAML"),
        ("rules:\n  required: warning\n", 1, "cannot be set"),
        ("rules:\n  edss_jump: loud\n", 2, "error"),
        ("- a\n- b\n", 1, "expected settings"),
        ("sheets:\n  - tables:\n      - table: edss\n        columns:\n          edss: {header: a, constant: b}\n", 5, "exactly one"),
        ("codes:\n  colour: {1: red}\n", 1, "no canonical field"),
    ],
)  # fmt: skip
def test_a_wrong_map_names_its_line(text, line, words):
    with pytest.raises(MappingError) as error:
        mapping.parse(text)
    assert f"line {line}" in str(error.value)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_scalars_stay_text():
    parsed = mapping.parse(
        "missing: [no, 99, 1e3]\ncodes:\n  sex: {1: male, no: female}\n  course: {on: RR}\n"
    )
    assert parsed.missing == ("no", "99", "1e3")
    assert parsed.codes == {"sex": {"1": "male", "no": "female"}, "course": {"on": "RR"}}
    assert mapping.parse("") == mapping.CohortMap()


def test_the_shipped_schema_is_the_model_s(project):
    shipped = json.loads((project / "docs" / "cohort.schema.json").read_text())
    assert shipped == json.loads(json.dumps(mapping.json_schema()))


def test_the_schema_takes_the_maps_of_the_tests(project):
    schema = mapping.json_schema()
    for file in (project / "tests" / "data" / "cohort_maps").glob("*.yaml"):
        text = file.read_text()
        loaded = json.loads(json.dumps(yaml.safe_load(text)))
        jsonschema.validate(loaded, schema)
        mapping.parse(text)


def test_letters_and_numbers_of_columns():
    assert [mapping.letter(n) for n in (1, 26, 27, 702, 703)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [mapping.column_number(t) for t in ("a", "Z", "AA", "ZZ", "AAA", "7")] == [1, 26, 27, 702, 703, 7]
    assert mapping.column_number("E5") is None


def test_wide_visits_become_rows(clinic):
    rows = [
        ["ID", "Visit 1 date", "Visit 1 EDSS", "Visit 2 date", "Visit 2 EDSS", "Visit 10 date", "Visit 10 EDSS"],
        ["P1", "2010-01-01", "2", "2011-01-01", "2.5", "", ""],
        ["P2", "2010-01-02", "3", "", "", "2012-01-01", "4"],
        ["P3", "", "", "", "", "", ""],
        ["P4", "2010-01-03", "99", "2011-01-01", "1", "", ""],
    ]  # fmt: skip
    clinic.put("site", "wide.csv", table_csv(rows))
    clinic.put("site", "cohort.yaml", """
preset: none
sheets:
  - tables:
      - table: edss
        columns: {patient_id: ID}
        repeat:
          - {visit_date: "Visit {n} date", edss: "Visit {n} EDSS"}
""")  # fmt: skip
    report = clinic.run()
    edss = clinic.table("edss").sort("source_row", "visit_date_earliest")
    assert edss["edss"].to_list() == [2.0, 2.5, 3.0, 4.0, 1.0]
    assert edss["source_row"].to_list() == [2, 2, 3, 3, 5]
    delivery = clinic.table("deliveries").row(0, named=True)
    # P3 holds no visit; P4 has one bad and one good: its row counts as rejected, its good visit is kept.
    assert (delivery["rows_accepted"], delivery["rows_rejected"], delivery["rows_not_data"]) == (2, 1, 1)
    assert adds_up(report)
    letters = clinic.table("delivered_columns").filter(pl.col("column_name") == "edss")
    assert letters["column_letter"].to_list() == ["C,E,G"]


def test_two_header_rows_under_lead_rows_and_a_footer(clinic):
    rows = [
        ["Register of the clinic", "", "", ""],
        ["", "", "", ""],
        ["Patient", "Visit", "", "Notes"],
        ["No.", "Date", "EDSS", ""],
        ["P1", "2010-01-01", "2", "x"],
        ["P2", "2011-01-01", "3", ""],
        ["Total", "", "2", ""],
        ["Legend", "", "", "EDSS = Kurtzke"],
    ]
    clinic.put("site", "book.xlsx", workbook(Visits=rows))
    clinic.put("site", "cohort.yaml", """
sheets:
  - sheet: visits
    name: visits
    header_rows: 2
    tables:
      - table: edss
        columns: {patient_id: Patient / No., visit_date: Visit / Date, edss: Visit / EDSS}
    ignore: [Notes]
    not_data: {starts_with: [total], rows: [8]}
""")  # fmt: skip
    report = clinic.run()
    assert not report.all_problems
    delivery = clinic.table("deliveries").row(0, named=True)
    assert delivery["sheet"] == "visits"
    assert (delivery["rows_in"], delivery["rows_accepted"], delivery["rows_not_data"]) == (4, 2, 2)
    assert clinic.table("edss")["source_row"].to_list() == [5, 6]


def test_codes_constants_prefixes_and_columns_by_letter(clinic):
    rows = [["id", "id", "g", ""], ["1", "x", "1", "1980"], ["2", "y", "2", "1985-03"]]
    clinic.put("site", "a.csv", table_csv(rows))
    clinic.put("site", "cohort.yaml", """
sheets:
  - file: a.csv
    tables:
      - table: patients
        columns:
          patient_id: {column: A, prefix: n-}
          sex: {header: g, codes: {1: male, 2: female}}
          birth_date: {column: 4}
          course: {constant: RR}
    ignore_columns: [B]
""")  # fmt: skip
    report = clinic.run()
    assert not report.all_problems
    patients = clinic.table("patients").sort("source_row")
    assert patients["sex"].to_list() == ["male", "female"]
    assert patients["course"].to_list() == ["RR", "RR"]
    assert patients["birth_date_precision"].to_list() == ["year", "month"]
    assert patients["patient_id"].to_list() == [pseudonym("n-1"), pseudonym("n-2")]


def test_a_vanished_and_a_new_header_are_both_named(clinic):
    clinic.put(
        "site", "a.csv", table_csv([["nr", "datum", "edss neu", "Bemerkung"], ["1", "2010-01-01", "2", "?!"]])
    )
    clinic.put("site", "cohort.yaml", """
sheets:
  - tables:
      - table: edss
        columns: {patient_id: nr, visit_date: datum, edss: EDSS}
""")  # fmt: skip
    report = clinic.run()
    message = report.all_problems[0].message
    assert "columns 3, 4 are not in the map" in message
    assert "no column for `edss`" in message
    assert "Bemerkung" not in message
    private = (clinic.private / "queries" / "site" / "site-0001.html").read_text()
    assert "Bemerkung" in private
    assert "EDSS" in private


def test_a_header_that_stands_twice_must_be_named_by_letter(clinic):
    clinic.put(
        "site",
        "edss.csv",
        table_csv([["patient_id", "visit_date", "edss", "EDSS"], ["P1", "2010-01-01", "2", "3"]]),
    )
    report = clinic.run()
    assert "`edss` stands in columns C and D" in report.all_problems[0].message


def test_a_declared_sheet_that_is_not_delivered_stops(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.put(
        "site", "cohort.yaml", "sheets:\n  - {sheet: MRI, name: scans, tables: [{table: mri_scans}]}\n"
    )
    report = clinic.run()
    assert report.cohorts[0].status == "stopped"
    assert "`scans`" in report.all_problems[0].message
    clinic.put(
        "site", "cohort.yaml", "sheets:\n  - {sheet: MRI, tables: [{table: mri_scans}], optional: true}\n"
    )
    assert clinic.run().cohorts[0].status == "loaded"


def test_a_legend_sheet_is_no_data(clinic):
    clinic.put("site", "b.xlsx", workbook(edss=EDSS, Codes=[["1 = male"], ["2 = female"]]))
    clinic.put("site", "cohort.yaml", "sheets:\n  - {sheet: Codes, is_legend: true}\n")
    report = clinic.run()
    assert not report.all_problems
    assert adds_up(report)
    assert clinic.table("deliveries")["rows_rejected"].to_list() == [0, 0]


def test_msbase_export(clinic):
    clinic.put("site", "basic.csv", table_csv([
        ["PATIENT_ID", "gender", "BIRTH_DATE", "SYMPTOMS_DATE", "MSCOURSE_2", "VISIT_FK"],
        ["AU-1", "F", "02.03.1980", "04.05.2006", "RR", "77"],
    ]))  # fmt: skip
    clinic.put("site", "visits.csv", table_csv([
        ["PATIENT_ID", "DATE_OF_VISIT", "EDSS", "KFS_1", "KFS_AMBULATION"],
        ["AU-1", "05.06.2010", "2,5", "1", "0"],
    ]))  # fmt: skip
    clinic.put("site", "cohort.yaml", "preset: msbase\n")
    report = clinic.run()
    assert not report.all_problems
    assert str(clinic.table("edss")["visit_date_earliest"][0]) == "2010-06-05"
    assert clinic.table("edss")["edss"].to_list() == [2.5]
    assert str(clinic.table("patients")["birth_date_earliest"][0]) == "1980-03-02"


def test_edmus_export(clinic):
    clinic.put("site", "p.csv", table_csv([
        ["Patient ID", "Gender", "Date of birth", "MS Onset", "Disease Course", "Local identifier"],
        ["1", "F", "02/03/1980", "04/05/2006", "4", "x"],
    ], ";"))  # fmt: skip
    clinic.put("site", "a.csv", table_csv([
        ["Patient ID", "Assessment ID", "Date", "EDSS (entered)"],
        ["1", "9", "05/06/2010", "3.0"],
    ], ";"))  # fmt: skip
    clinic.put(
        "site", "e.csv", table_csv([["Patient ID", "Episode ID", "Date"], ["1", "2", "05/06/2009"]], ";")
    )
    clinic.put("site", "cohort.yaml", "preset: edmus\n")
    report = clinic.run()
    assert not report.all_problems
    assert clinic.table("patients")["course"].to_list() == ["SP"]
    assert str(clinic.table("relapses")["onset_date_earliest"][0]) == "2009-06-05"
    assert str(clinic.table("edss")["visit_date_earliest"][0]) == "2010-06-05"


def test_the_preset_does_not_swallow_other_sheets(clinic):
    clinic.put("site", "b.xlsx", workbook(patients=PATIENTS, codebook=[["patient_id", "x"], ["P1", "1"]]))
    report = clinic.run()
    # Only the template's own codebook is no data: this one holds patients.
    assert len(report.all_problems) == 1
    assert clinic.rules()[("sheet 2", 2)] == {"unmapped_sheet"}
