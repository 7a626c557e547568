"""The page of single patients: what it shows, what it leaves out, and that no text of others becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from pipeline.release import explanations, report
from pipeline.release.page import CONTENT_POLICY

NASTY = "EDSS </script><script>alert(1)</script> <img src=x onerror=alert(1)> & \u2028 'x'"


@pytest.fixture
def release() -> duckdb.DuckDBPyConnection:
    """Two trials of two criteria, three patients; one text is not harmless."""
    connection = duckdb.connect()
    connection.execute("create schema trials; create schema registry")
    connection.execute(
        "create table registry.studies as select 'NCT90000001' as nct_id, 'Title' as brief_title"
    )
    connection.execute("create table registry.criteria (nct_id varchar, criterion_id varchar, text varchar)")
    connection.execute(
        "create table trials.patient_eligibility (cohort varchar, patient_id varchar, nct_id varchar, verdict varchar, "
        "criteria_met bigint, criteria_not_met bigint, criteria_unknown bigint, first_failing_criterion varchar, "
        "deciding_unknowns varchar[], screened_on date, screening_basis varchar)"
    )
    connection.execute(
        "create table trials.patient_criteria (cohort varchar, patient_id varchar, nct_id varchar, criterion_id varchar, "
        "position_in_text bigint, section varchar, part varchar, is_alternative boolean, is_satisfied boolean, "
        "unknown_kind varchar, reason varchar, patient_value varchar, patient_value_date date, source_file varchar, "
        "source_sheet varchar, source_row bigint, source_column varchar, quote varchar)"
    )
    people = [
        ("P1", "ineligible", 1, 1, 0, "edss", None, False, None),
        ("P2", "eligible", 2, 0, 0, None, None, True, None),
        ("P3", "indeterminate", 1, 0, 1, None, ["edss"], None, "missing"),
    ]
    for trial in ("NCT90000001", "NCT90000002"):
        for criterion, words in (("edss", NASTY), ("age", "Age 18 or older")):
            connection.execute("insert into registry.criteria values (?, ?, ?)", [trial, criterion, words])
        for name, verdict, met, out, unknown, failing, open_, passes, kind in people:
            connection.execute(
                "insert into trials.patient_eligibility values ('a', ?, ?, ?, ?, ?, ?, ?, ?, date '2014-03-01', 'index')",
                [name, trial, verdict, met, out, unknown, failing, open_],
            )
            for place, criterion, satisfied, why in ((1, "age", True, None), (2, "edss", passes, kind)):
                connection.execute(
                    "insert into trials.patient_criteria values ('a', ?, ?, ?, ?, 'inclusion', '', false, ?, ?, ?, ?, "
                    "date '2014-02-15', 'a-0001', 'edss', 7, 'C', 'EDSS')",
                    [
                        name,
                        trial,
                        criterion,
                        place,
                        satisfied,
                        why,
                        f"asked: {criterion}",
                        f"value of {criterion}",
                    ],
                )
    return connection  # fmt: skip


def data(file: Path) -> dict:
    found = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', file.read_text("utf-8"), re.S
    )
    assert len(found) == 1
    return json.loads(found[0])  # fmt: skip


def test_every_pair_with_both_sides_evidence(release, tmp_path: Path) -> None:
    assert explanations.write(release, tmp_path / "page.html")
    told = data(tmp_path / "page.html")
    texts, patients = told["texts"], told["patients"]
    assert [trial[0] for trial in told["trials"]] == ["NCT90000001", "NCT90000002"]
    _, title, criteria, pairs = told["trials"][0]
    assert texts[title] == "Title"
    assert [(row[0], texts[row[3]]) for row in criteria] == [(1, "Age 18 or older"), (2, NASTY)]
    by_patient = {tuple(patients[pair[0]]): pair for pair in pairs}
    # Nearest first.
    assert [patients[pair[0]][1] for pair in pairs] == ["P2", "P3", "P1"]
    out = by_patient["a", "P1"]
    assert texts[out[1]] == "ineligible"
    assert out[2] == 2  # the sentence that excludes
    assert texts[out[6]] == "2014-03-01"
    place, passes, reason, value, source, quote, kind = out[9][1]
    assert (place, passes, kind) == (2, 0, -1)
    assert [texts[number] for number in (reason, value, source, quote)] == [
        "asked: edss", "value of edss (2014-02-15)", "delivery a-0001, sheet edss, cell C7", "EDSS",
    ]  # fmt: skip
    undecided = by_patient["a", "P3"]
    assert undecided[8] == [2]
    assert undecided[9][1][1] == -1
    assert texts[undecided[9][1][6]] == "missing"


def test_a_text_of_others_is_never_markup(release, tmp_path: Path) -> None:
    explanations.write(release, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert CONTENT_POLICY in page.replace("&#39;", "'")
    assert page.count("<script") == 2
    assert "<img" not in page
    assert "innerHTML" not in page
    assert "\u2028" not in page


def test_it_is_bounded_and_says_what_it_leaves_out(release, tmp_path: Path) -> None:
    # Four criteria and room for four answers: one patient a trial, the nearest.
    explanations.write(release, tmp_path / "page.html", limit=4)
    told = data(tmp_path / "page.html")
    assert [[told["patients"][pair[0]][1] for pair in trial[3]] for trial in told["trials"]] == [
        ["P2"],
        ["P2"],
    ]
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "4 of 6 pairs of patient and trial are left out" in page
    assert "remit explain PATIENT TRIAL" in page  # fmt: skip


def test_the_report_links_to_it_where_there_is_one(release, tmp_path: Path) -> None:
    report.write(release, tmp_path / "full" / "index.html")
    assert 'href="patients_and_trials.html"' in (tmp_path / "full" / "index.html").read_text("utf-8")
    assert (tmp_path / "full" / "patients_and_trials.html").exists()
    release.execute("delete from trials.patient_criteria")
    report.write(release, tmp_path / "none" / "index.html")
    assert "patients_and_trials" not in (tmp_path / "none" / "index.html").read_text("utf-8")
    assert not (tmp_path / "none" / "patients_and_trials.html").exists()
