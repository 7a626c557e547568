"""The ledger: applied before validation, refused where the old value is gone, shown in lineage."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.cohort import corrections
from tests.support.cohorts import PATIENTS, Clinic, adds_up, workbook

HEAD = "file,sheet,cell,table,patient_id,date,field,old_value,new_value,who,when,why\n"
SIGNED = ",Dr. K,2026-03-02,read from the letter\n"


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    clinic = Clinic(tmp_path)
    edss = [
        {"patient_id": "P1", "visit_date": "2010-01-01", "edss": 2},
        {"patient_id": "P1", "visit_date": "2011-01-01", "edss": 2.3},
        {"patient_id": "P1", "visit_date": "2012-01-01", "edss": "??"},
    ]
    clinic.put("site", "data.xlsx", workbook(patients=PATIENTS, edss=edss))
    return clinic


def test_cells_and_records_are_corrected_and_say_so(clinic):
    lines = ",edss,C3,,,,,2.3,2.5" + SIGNED + ",,,edss,P1,2012-01-01,edss,??,3" + SIGNED
    clinic.put("site", "corrections.csv", HEAD + lines)
    report = clinic.run()
    assert not report.all_problems
    assert adds_up(report)
    edss = clinic.table("edss").sort("source_row")
    assert edss["edss"].to_list() == [2.0, 2.5, 3.0]
    assert clinic.warnings("edss") == {3: {"corrected"}, 4: {"corrected"}}
    # The workbook is what it was.
    assert clinic.table("deliveries")["delivery_id"].unique().to_list() == ["site-0001"]


def test_a_correction_whose_old_value_is_gone_is_refused(clinic):
    lines = ",edss,C3,,,,,2.4,2.5" + SIGNED + ",edss,C99,,,,,1,2" + SIGNED
    lines += ",,,edss,P1,,edss,2,2.5" + SIGNED
    clinic.put("site", "corrections.csv", HEAD + lines)
    report = clinic.run()
    messages = [problem.message for problem in report.all_problems]
    assert "line 2: the old value no longer stands there" in messages[0]
    assert "line 3: no such cell or record" in messages[1]
    assert len(messages) == 2
    assert clinic.table("edss")["edss"].to_list() == [2.5]
    assert clinic.rules()[("edss", 3)] == {"edss_step"}


def test_a_record_that_is_not_one_record_is_refused(clinic):
    more = [{"patient_id": "P2", "onset_date": f"201{n}-01-01", "severity": "mild"} for n in range(3)]
    clinic.put("site", "more.xlsx", workbook(relapses=more))
    clinic.put("site", "corrections.csv", HEAD + ",,,relapses,P2,,severity,mild,severe" + SIGNED)
    report = clinic.run()
    assert len(report.all_problems) == 1
    assert set(clinic.table("relapses")["severity"]) == {"mild"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",edss,C3,,,,,2.3,2.5,,2026-03-02,why", "who is blank"),
        (",edss,C3,,,,,2.3,2.5,me,2026-03-02,", "why is blank"),
        (",edss,C3,,,,,2.3,2.5,me,yesterday,why", "no date"),
        (",,C3,,,,,2.3,2.5,me,2026-03-02,why", "`sheet` is blank"),
        (",edss,3C,,,,,2.3,2.5,me,2026-03-02,why", "no cell like E12"),
        (",,,visits,P1,,edss,2.3,2.5,me,2026-03-02,why", "neither a cell nor a canonical"),
        (",,,edss,,,edss,2.3,2.5,me,2026-03-02,why", "`patient_id` is blank"),
        (",,,edss,P1,,eddss,2.3,2.5,me,2026-03-02,why", "no field of edss"),
    ],
)
def test_incomplete_lines_are_refused_with_their_number(line, reason):
    parsed, refused = corrections.parse((HEAD + "\n" + line + "\n").encode())
    assert not parsed
    assert refused[0].line == 3
    assert reason in refused[0].reason
    assert "2.3" not in refused[0].message


def test_a_ledger_may_be_semicolons_in_windows_1252_or_nonsense():
    text = HEAD.replace(",", ";") + ";edss;C3;;;;;2,3;2,5;Jürgen;2026-03-02;weil\n"
    parsed, refused = corrections.parse(text.encode("cp1252"))
    assert not refused
    assert parsed[0].new_value == "2,5"
    assert (parsed[0].column, parsed[0].row) == (3, 3)
    assert corrections.parse(b"") == ([], [])
    _, refused = corrections.parse(b"\x00\x01nonsense\n\xff")
    assert "no column" in refused[0].reason


def test_a_patient_s_number_can_be_corrected(clinic):
    clinic.put("site", "corrections.csv", HEAD + ",edss,A2,,,,,P1,P2" + SIGNED)
    report = clinic.run()
    assert not report.all_problems
    moved = clinic.table("edss").filter(pl.col("source_row") == 2)
    patients = clinic.table("patients").sort("source_row")
    assert moved["patient_id"][0] == patients["patient_id"][1]


def test_a_correction_to_nothing_is_judged_like_any_blank(clinic):
    clinic.put("site", "corrections.csv", HEAD + ",edss,C2,,,,,2," + SIGNED)
    clinic.run()
    assert clinic.rules()[("edss", 2)] == {"required"}
