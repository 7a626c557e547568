"""Posted results beside the cohort, registered time frames over it, and the explanation of a verdict."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline import lake
from pipeline.errors import ReleaseError
from pipeline.registry import schemas
from pipeline.release.explain import explain
from tests.support.warehouse import Warehouse
from tests.trials.protocols import criterion, need, write_registry

TRIAL = "NCT90000921"
ARR, EDSS = "Annualized Relapse Rate", "Change From Baseline in EDSS"


def fill(table: str, rows: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schemas.lake_columns(table))


def posted(ordinal: int, kind: str, measure: str, **more) -> dict:
    row = {
        "nct_id": TRIAL, "outcome_ordinal": ordinal, "class_ordinal": 1, "category_ordinal": 1, "outcome_kind": kind,
        "measure": measure, "group_id": "OG000", "arm_title": "Relampamab", "participants": 100, "param_type": "NUMBER",
        "unit": "relapses per year",
    }  # fmt: skip
    return row | more


RESULTS = [
    posted(1, "arr", ARR, value=0.3, raw_value="0.3", dispersion_type="95% Confidence Interval", lower_limit=0.2, upper_limit=0.4,
           lower_limit_raw="0.2", upper_limit_raw="0.4"),
    posted(1, "arr", ARR, class_ordinal=2, value=30.0, raw_value="30", unit="relapses per 100 patient-years", param_type="MEAN"),
    posted(2, "edss_change", EDSS, class_title="Month 12", value=-0.3, raw_value="-0.3", param_type="MEAN", unit="score",
           dispersion_type="Standard Deviation", dispersion_value=1.0, dispersion_raw="1.0"),
    posted(2, "edss_change", EDSS, class_title="Month 24", class_ordinal=2, value=None, raw_value="NA", param_type="MEAN", unit="score"),
    posted(2, "edss_change", EDSS, class_title="Month 30", class_ordinal=3, value=-0.1, raw_value="-0.1", param_type="MEAN", unit="score"),
    posted(3, "arr", "A rate nobody registered", value=0.2, raw_value="0.2"),
    posted(4, "edss_change", "Participants with a change", value=12.0, raw_value="12", param_type="COUNT_OF_PARTICIPANTS", unit="Participants"),
]  # fmt: skip
OUTCOMES = [
    (1, ARR, "arr"),
    (2, EDSS, "edss_change"),
    (4, "Participants with a change", "edss_change"),
    (5, "Smell", "other"),
]
EPOCHS = [
    (1, "Up to 1 year", "range", "unstated", 0.0, 1.0, "year"),
    (2, "Baseline", "point", "baseline", 0.0, 0.0, "day"),
    (2, "Month 12", "point", "baseline", 12.0, 12.0, "month"),
    (2, "Month 24", "point", "baseline", 24.0, 24.0, "month"),
    (4, "Month 12", "point", "baseline", 12.0, 12.0, "month"),
    (5, "Month 12", "point", "baseline", 12.0, 12.0, "month"),
]
BASE = {
    "sex": "female",
    "birth_date": "1980-01-01",
    "onset_date": "2008-01-01",
    "course": "RR",
    "history_from": "2008-01-01",
}
CHANGES = {"p1": -1.0, "p2": 0.0, "p3": 0.5, "p4": -0.5, "p5": -1.5, "out": 3.0}
RELAPSES = {"p1": 2, "p2": 0, "p3": 1, "p4": 0, "p5": 0, "out": 5}


def patients() -> dict[str, list[dict]]:
    rows: dict[str, list[dict]] = {
        name: [] for name in ("patients", "edss", "relapses", "infusions", "treatments", "mri_scans")
    }
    for name, change in CHANGES.items():
        # p5 was followed for half a year only
        last = "2014-09-01" if name == "p5" else "2016-06-01"
        rows["patients"].append(
            {"patient_id": name, "last_contact_date": last}
            | BASE
            | ({"course": "PP"} if name == "out" else {})
        )
        rows["infusions"].append({"patient_id": name, "drug": "Lemtrada", "drug_inn": "alemtuzumab", "infusion_date": "2014-03-01", "dose_mg": 12.0})  # fmt: skip
        rows["edss"].append({"patient_id": name, "visit_date": "2014-02-20", "edss": 4.0})
        if name != "p5":
            rows["edss"].append({"patient_id": name, "visit_date": "2015-03-10", "edss": 4.0 + change})
        rows["relapses"] += [
            {"patient_id": name, "onset_date": f"2014-{4 + 2 * k:02d}-10"}
            for k in range(min(RELAPSES[name], 4))
        ]
        rows["relapses"].append(
            {"patient_id": name, "onset_date": "2015-03-01"}
        )  # the day on which the year ends
        rows["mri_scans"].append({"patient_id": name, "scan_date": "2015-03-01", "new_or_enlarging_t2": 0})
    rows["relapses"] = [
        row for row in rows["relapses"] if not (row["patient_id"] == "p5" and row["onset_date"] > "2014-09")
    ]
    return rows


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("comparison"))
    built.cohort(**patients())
    write_registry(
        built.lake,
        {
            TRIAL: [
                criterion("inclusion", need("disease_course", "rrms")),
                criterion("inclusion", need("informed_consent")),
            ]
        },
    )
    folder = built.lake / "registry" / "current"
    outcomes = [
        {
            "nct_id": TRIAL,
            "outcome_type": "primary",
            "ordinal": ordinal,
            "measure": measure,
            "outcome_kind": kind,
        }
        for ordinal, measure, kind in OUTCOMES
    ]
    epochs = [
        {"nct_id": TRIAL, "outcome_type": "primary", "ordinal": ordinal, "epoch_number": place, "epoch_label": label, "epoch_kind": kind,
         "anchor": anchor, "start_offset": start, "end_offset": end, "offset_unit": unit, "parse_status": "parsed", "quote": label}
        for place, (ordinal, label, kind, anchor, start, end, unit) in enumerate(EPOCHS, start=1)
    ]  # fmt: skip
    measures = [
        {"nct_id": TRIAL, "ordinal": 3, "title": "A rate nobody registered", "description": "Negative binomial model, by region."}
    ]  # fmt: skip
    for table, rows in (
        ("outcomes", outcomes),
        ("outcome_epochs", epochs),
        ("outcome_results", RESULTS),
        ("outcome_measures", measures),
    ):
        shutil.rmtree(folder / table)
        lake.write_table(folder.resolve(), table, fill(table, rows))
    built.build(
        "+trials__comparison +trials__protocol_epochs +trials__patient_criteria +trials__patient_eligibility "
        "registry__studies registry__criteria stg_registry__studies stg_registry__criteria",
        commands=("seed", "run"),
    )
    return built


@pytest.fixture(scope="module")
def rows(warehouse: Warehouse) -> dict[tuple[int, int], dict]:
    found = warehouse.sql("select * from trials.comparison").to_dicts()
    return {(row["outcome_ordinal"], row["class_ordinal"]): row for row in found}


def test_a_posted_rate_stands_beside_the_pooled_rate_of_the_eligible(rows: dict):
    row = rows[1, 1]
    assert (row["cohort_n_eligible"], row["cohort_n_eligible_on_evaluable"], row["cohort_n_analysed"]) == (
        0,
        5,
        5,
    )
    # four whole years of 365 days and 185 days (to the last contact, that day included); the relapse on the last day is next year's
    years = (4 * 365 + 185) / 365.25
    assert row["cohort_value"] == pytest.approx(3 / years)
    assert row["cohort_parameter"] == "pooled rate"
    # Byar's interval of 3 events is close to the exact 0.619 to 8.767
    assert row["cohort_lower_limit"] * years == pytest.approx(0.619, rel=0.03)
    assert row["cohort_upper_limit"] * years == pytest.approx(8.767, rel=0.01)
    assert row["trial_dispersion"] == "95% Confidence Interval 0.2 to 0.4"
    assert row["is_comparable"]
    assert "not the cohort's index therapy" in row["reason"]


def test_a_posted_mean_stands_beside_the_mean_over_patients(rows: dict):
    row = rows[1, 2]
    assert row["trial_value"] == pytest.approx(0.3)  # posted per 100 patient-years
    rates = [2 * 365.25 / 365, 0, 365.25 / 365, 0, 0]
    assert row["cohort_value"] == pytest.approx(sum(rates) / 5)
    assert row["cohort_parameter"] == "mean"


def test_edss_change_at_the_posted_month(rows: dict):
    row = rows[2, 1]
    assert row["epoch"] == "Month 12"
    assert row["cohort_n_analysed"] == 4
    assert row["cohort_value"] == pytest.approx((-1.0 + 0 + 0.5 - 0.5) / 4)
    assert row["cohort_sd"] == pytest.approx(0.6454972)
    assert not row["is_comparable"]
    assert row["reason"].startswith("fewer than 5 eligible patients")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ((2, 2), "the trial posted no number (NA)"),
        ((2, 3), "its time point is not a registered one"),
        ((3, 1), "the posted measure is not among the registered outcomes"),
        ((4, 1), "the trial posted a number of participants, not a change"),
    ],
)
def test_why_a_pair_is_not_comparable(rows: dict, key: tuple[int, int], reason: str):
    assert not rows[key]["is_comparable"]
    assert reason in rows[key]["reason"]


def test_registered_outcomes_that_the_cohort_can_answer(warehouse: Warehouse):
    found = warehouse.sql("select ordinal, epoch_label, patients, patients_observed, patients_with_data, is_answerable, reason from trials.protocol_epochs")  # fmt: skip
    by_key = {(row["ordinal"], row["epoch_label"]): row for row in found.to_dicts()}
    assert by_key[1, "Up to 1 year"] | {"reason": ""} == {
        "ordinal": 1, "epoch_label": "Up to 1 year", "patients": 6, "patients_observed": 5, "patients_with_data": 6,
        "is_answerable": True, "reason": "",
    }  # fmt: skip
    assert by_key[2, "Month 12"]["patients_with_data"] == 5
    assert by_key[2, "Month 24"]["is_answerable"] is False
    assert by_key[2, "Month 24"]["reason"] == "no patient has such data in this window"
    assert by_key[5, "Month 12"]["reason"] == "the cohort has no table for this kind of outcome"


def test_how_values_were_normalised_is_said(warehouse: Warehouse):
    found = dict(
        warehouse.sql(
            "select outcome_ordinal || '.' || class_ordinal, normalisation from trials.comparison where cohort = 'test'"
        ).rows()
    )
    silent = "the cohort's is unadjusted, the trial does not say whether its own is"
    assert found["1.1"] == f"posted per year; the cohort's is relapses over patient-years; {silent}"
    assert found["1.2"] == (
        f"posted per 100 patient-years, here per one; the cohort's is the mean of its patients' yearly rates; {silent}"
    )
    assert found["2.1"] == f"points from baseline; {silent}"
    # A description tells of the model that the title leaves out.
    assert found["3.1"] == (
        "posted per year; the cohort's is relapses over patient-years; the trial's is adjusted by a model, the cohort's is not"
    )


def test_explanation_names_sentence_answer_value_and_row(warehouse: Warehouse):
    with duckdb.connect(str(warehouse.file), read_only=True) as connection:
        text = explain(connection, "out", TRIAL.lower())
        assert "Verdict: ineligible" in text
        assert "[NO ]  1  sentence 1  <- excludes" in text
        assert "course rrms: no" in text
        assert "patient: course PP" in text
        assert "from delivery test-0001, sheet patients, row 7" in text
        assert "[ ? ]  2  sentence 2" in text
        assert explain(connection, "test/out", TRIAL) == text


@pytest.mark.parametrize(
    ("patient", "trial", "message"),
    [
        ("nobody", TRIAL, "No patient of this release has that pseudonym"),
        ("out", "NCT00000000", "NCT00000000 is not in this release"),
        ("elsewhere/out", TRIAL, "was not put to the patients"),
    ],
)
def test_explanation_of_what_is_not_there(warehouse: Warehouse, patient: str, trial: str, message: str):
    with duckdb.connect(str(warehouse.file)) as connection:
        connection.execute("create schema if not exists cohort")
        connection.execute(
            "create or replace view cohort.patients as select distinct cohort, patient_id from trials.patient_eligibility"
        )
        with pytest.raises(ReleaseError, match=message):
            explain(connection, patient, trial)


def test_a_text_of_the_registry_cannot_steer_a_terminal(warehouse: Warehouse, tmp_path: Path):
    copy = tmp_path / "copy.duckdb"
    shutil.copy(warehouse.file, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update registry.criteria set text = 'EDSS ' || chr(27) || '[2J' || chr(7)")
        text = explain(connection, "p1", TRIAL)
    assert "\x1b" not in text
    assert "\x07" not in text
