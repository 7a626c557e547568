"""Each rule once: what it rejects or flags, and what it lets through."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.cohort import schemas, validation
from tests.support.cohorts import PATIENTS, Clinic, adds_up, pseudonym, table_csv, workbook


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


def load(clinic: Clinic, settings: str = "", **tables):
    clinic.put("site", "data.xlsx", workbook(**{"patients": PATIENTS, **tables}))
    if settings:
        clinic.put("site", "cohort.yaml", settings)
    report = clinic.run()
    assert adds_up(report)
    assert not report.all_problems
    return report


def test_values_of_single_cells(clinic):
    rows = [
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": "2.0"},
        {"patient_id": "P1", "visit_date": "2010-02-30", "edss": "2.0"},
        {"patient_id": "P1", "visit_date": "2010-03-01", "edss": "2.3"},
        {"patient_id": "P1", "visit_date": "2010-04-01", "edss": "11"},
        {"patient_id": "P1", "visit_date": "2010-05-01", "edss": "two"},
        {"patient_id": "P1", "visit_date": "", "edss": "2.0"},
        {"patient_id": "", "visit_date": "2010-06-01", "edss": "2.0"},
        {"patient_id": "P1", "visit_date": "2199-06-01", "edss": "2.0"},
        {"patient_id": "P1", "visit_date": "2010-07-01", "edss": "0.5"},
    ]
    load(clinic, edss=rows)
    assert clinic.rules() == {
        ("edss", 3): {"impossible_date"},
        ("edss", 4): {"edss_step"},
        ("edss", 5): {"out_of_range"},
        ("edss", 6): {"bad_number"},
        ("edss", 7): {"required"},
        ("edss", 8): {"required"},
        ("edss", 9): {"future_date"},
    }
    assert clinic.warnings("edss")[10] == {"edss_half"}
    messages = dict(clinic.table("rejected_rows").select("rule", "message").iter_rows())
    assert messages["out_of_range"] == "expected a number from 0 to 10 points"


def test_patients_with_one_id_and_different_values_are_all_rejected(clinic):
    rows = [
        *PATIENTS,
        {"patient_id": "P1", "sex": "male", "birth_date": "1980-05-01"},
        {"patient_id": "P2", "sex": "male", "birth_date": "1975-11-30", "onset_date": "2001"},
    ]
    edss = [{"patient_id": "P1", "visit_date": "2010-01-01", "edss": 1}]
    load(clinic, patients=rows, edss=edss)
    assert clinic.rules() == {
        ("patients", 2): {"patient_conflict"},
        ("patients", 5): {"patient_conflict"},
        ("patients", 6): {"duplicate_row"},
        ("edss", 2): {"patient_rejected"},
    }
    assert set(clinic.table("patients")["patient_id"]) == {pseudonym("P2"), pseudonym("P3")}


def test_unknown_patients_and_patients_whose_row_was_rejected(clinic):
    patients = [*PATIENTS, {"patient_id": "P4", "sex": "x?y", "birth_date": "1980-01-01"}]
    edss = [
        {"patient_id": "P4", "visit_date": "2010-01-01", "edss": 1},
        {"patient_id": "P5", "visit_date": "2010-01-01", "edss": 1},
        {"patient_id": " P1 ", "visit_date": "2010-01-01", "edss": 1},
    ]
    load(clinic, patients=patients, edss=edss)
    assert clinic.rules() == {
        ("patients", 5): {"unknown_code"},
        ("edss", 2): {"patient_rejected"},
        ("edss", 3): {"unknown_patient"},
    }


def test_two_edss_of_a_day_are_kept_and_flagged_and_copies_are_not(clinic):
    edss = [
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": 2},
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": 2.5},
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": 2},
        {"patient_id": "P2", "visit_date": "2010-01-01", "edss": 2},
    ]
    load(clinic, edss=edss)
    assert clinic.rules() == {("edss", 4): {"duplicate_row"}}
    assert clinic.warnings("edss") == {2: {"same_day_edss"}, 3: {"same_day_edss"}}


def test_dates_against_birth_death_onset_and_last_contact(clinic):
    patients = [
        {"patient_id": "P1", "sex": "f", "birth_date": "1980-05-01", "onset_date": "2005-03-02",
         "last_contact_date": "2015-01-01", "death_date": "2015-06-01"},
        {"patient_id": "P2", "sex": "m", "birth_date": "1975", "onset_date": "2005", "last_contact_date": "",
         "death_date": ""},
    ]  # fmt: skip
    edss = [
        {"patient_id": "P1", "visit_date": "1979-01-01", "edss": 1},
        {"patient_id": "P1", "visit_date": "2015-07-01", "edss": 1},
        {"patient_id": "P1", "visit_date": "2015-03-01", "edss": 1},
        {"patient_id": "P2", "visit_date": "1975-02-01", "edss": 1},
    ]
    relapses = [
        {"patient_id": "P1", "onset_date": "2004-03-01"},
        {"patient_id": "P1", "onset_date": "2005"},
        {"patient_id": "P2", "onset_date": "2005-01-01"},
    ]
    load(clinic, patients=patients, edss=edss, relapses=relapses)
    # A partial date is only wrong where no day of it could be right: 2005 may be after 2 March 2005.
    assert clinic.rules() == {
        ("edss", 2): {"before_birth"},
        ("edss", 3): {"after_death"},
        ("relapses", 2): {"relapse_before_onset"},
    }
    assert clinic.warnings("edss") == {4: {"after_last_contact"}}


def test_dates_within_the_patient_s_own_row(clinic):
    patients = [
        {"patient_id": "P1", "sex": "f", "birth_date": "1980-05-01", "onset_date": "1979-03-02"},
        {"patient_id": "P2", "sex": "f", "birth_date": "1980", "onset_date": "2005", "diagnosis_date": "2004-12-31"},
        {"patient_id": "P3", "sex": "f", "birth_date": "1980", "onset_date": "2005",
         "progression_onset_date": "2003", "course": "RR"},
        {"patient_id": "P4", "sex": "f", "birth_date": "1980", "last_contact_date": "2011-01-01", "death_date": "2010"},
    ]  # fmt: skip
    load(clinic, patients=patients)
    assert clinic.rules() == {("patients", 2): {"before_birth"}}
    assert clinic.warnings("patients") == {
        3: {"diagnosis_before_onset"},
        4: {"progression_before_onset", "course_progression"},
        5: {"contact_after_death"},
    }


def test_ends_overlaps_and_conflicts_of_treatments(clinic):
    rows = [
        {"patient_id": "P1", "drug": "Avonex", "start_date": "2010-01-01", "end_date": "2009-01-01"},
        {"patient_id": "P2", "drug": "Tysabri", "start_date": "2010-01-01", "end_date": "2012-01-01"},
        {"patient_id": "P2", "drug": "Gilenya", "start_date": "2011-01-01", "end_date": "2013-01-01"},
        {"patient_id": "P3", "drug": "Tysabri", "start_date": "2010-01-01", "end_date": "2012-01-20"},
        {"patient_id": "P3", "drug": "Gilenya", "start_date": "2012-01-01", "end_date": ""},
        {"patient_id": "P3", "drug": "Gilenya", "start_date": "2012-01-01", "end_date": "2014"},
        {"patient_id": "P3", "drug": "mystery", "start_date": "2012-01-01", "end_date": ""},
    ]
    load(clinic, treatments=rows)
    assert clinic.rules() == {("treatments", 2): {"end_before_start"}}
    # 19 days of overlap are a switch; a year is a question.
    assert clinic.warnings("treatments") == {
        4: {"overlapping_treatments"},
        6: {"conflicting_rows"},
        7: {"conflicting_rows"},
        8: {"unknown_drug"},
    }
    unknown = clinic.table("treatments").filter(pl.col("source_row") == 8)
    assert unknown["drug_inn"].to_list() == [None]
    assert unknown["drug"].str.starts_with("unmapped drug ").all()


def test_jumps_of_the_edss_and_their_threshold(clinic):
    edss = [
        {"patient_id": "P1", "visit_date": f"20{10 + n}-01-01", "edss": value}
        for n, value in enumerate((2, 4.5, 8, 8))
    ]
    load(clinic, edss=edss)
    assert clinic.warnings("edss") == {4: {"edss_jump"}}
    load(clinic, "thresholds: {edss_jump_points: 2.5}\n", edss=edss)
    assert clinic.warnings("edss") == {3: {"edss_jump"}, 4: {"edss_jump"}}


def test_courses_and_regimen_of_alemtuzumab(clinic):
    def course(patient, start, days, dose):
        return [
            {"patient_id": patient, "drug": "Lemtrada", "infusion_date": f"{start}-{day:02}", "dose_mg": dose}
            for day in range(1, days + 1)
        ]

    rows = course("P1", "2014-03", 5, 12) + course("P1", "2015-03", 3, 12)
    rows += course("P2", "2014-03", 5, 12) + course("P2", "2014-10", 3, 12)
    rows += course("P3", "2014-03", 4, 12)
    load(clinic, infusions=rows)
    early, short = set(range(15, 18)), set(range(18, 22))
    assert clinic.warnings("infusions") == {
        **{row: {"course_order"} for row in early},
        **{row: {"dose_regimen"} for row in short},
    }


def test_levels_can_be_set_for_a_cohort(clinic):
    rows = [{"patient_id": "P1", "onset_date": "2010-01-01", "end_date": "2009-01-01"}]
    load(clinic, "rules: {end_before_start: warning}\n", relapses=rows)
    assert clinic.rules() == {}
    assert clinic.warnings("relapses") == {2: {"end_before_start"}}
    load(clinic, "rules: {end_before_start: 'off'}\n", relapses=rows)
    assert clinic.warnings("relapses") == {}
    edss = [{"patient_id": "P1", "visit_date": "2010-01-01", "edss": 0.5}]
    load(clinic, "rules: {edss_half: error}\n", edss=edss)
    assert clinic.rules() == {("edss", 2): {"edss_half"}}


def test_laboratory_comparators_and_units_in_the_cell(clinic):
    rows = [
        {"patient_id": "P1", "sampled_on": "2010-01-01", "test": "cd4", "value": "<0.1", "unit": "10^9/L"},
        {"patient_id": "P1", "sampled_on": "2010-01-01", "test": "alt", "value": "35 U/l", "unit": ""},
    ]
    load(clinic, laboratory=rows)
    lab = clinic.table("laboratory").sort("source_row")
    assert lab["comparator"].to_list() == ["<", None]
    assert lab["value"].to_list() == [0.1, 35.0]


def test_the_date_shift_keeps_intervals_and_hides_dates(clinic):
    edss = [
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": 2},
        {"patient_id": "P1", "visit_date": "2011-01-01", "edss": 2},
    ]
    load(clinic, edss=edss)
    true = clinic.table("edss").sort("source_row")
    load(clinic, "date_shift: true\n", edss=edss)
    shifted = clinic.table("edss").sort("source_row")
    days = (shifted["visit_date_earliest"] - true["visit_date_earliest"]).dt.total_days().unique().to_list()
    assert len(days) == 1
    assert days[0] < 0
    assert not {"2010-01-01", "2011-01-01"} & set(shifted["visit_date_text"])


def test_every_table_s_schema_takes_its_empty_frame():
    for table in schemas.TABLES:
        validation.schema(table).validate(schemas.empty(table), lazy=True)


def test_every_rule_has_a_level_and_says_what_is_expected():
    assert {rule.level for rule in validation.RULES.values()} == {"error", "warning"}
    assert all(rule.expected for rule in validation.RULES.values())


def test_csv_and_xlsx_give_the_same(clinic, tmp_path):
    edss = [{"patient_id": "P1", "visit_date": "2010-01-01", "edss": "2,5"}]
    clinic.put("site", "patients.csv", table_csv(PATIENTS, ";"))
    clinic.put("site", "edss.csv", table_csv(edss, ";"))
    clinic.run()
    assert clinic.table("edss")["edss"].to_list() == [2.5]


def test_the_rules_are_documented_as_they_are(project):
    text = (project / "docs" / "spreadsheets.md").read_text()
    for name, rule in validation.RULES.items():
        settable = "yes" if rule.is_settable else "no"
        assert f"| `{name}` | {rule.level} | {settable} | {rule.expected} |" in text


def test_free_text_is_no_term(clinic):
    rows = [{"patient_id": "P1", "drug": "x" * 201, "start_date": "2010-01-01"}]
    load(clinic, treatments=rows)
    assert clinic.rules() == {("treatments", 2): {"text_too_long"}}
