"""Cells that hold more than their own field, from the file to the lake."""

from __future__ import annotations

import pytest

from tests.support.cohorts import PATIENTS, Clinic, adds_up, pseudonym, table_csv


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


def test_a_concentration_below_the_limit_sets_its_flag_and_limit(clinic):
    sample = {"patient_id": "P1", "first_dose_at": "2014-03-02 09:00"}
    samples = [
        sample | {"time_h": "0", "concentration": "BLQ"},
        sample | {"time_h": "30 min", "concentration": "12,5 ng/ml"},
        sample | {"time_h": "24", "concentration": "<0.1"},
    ]
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "pk_samples.csv", table_csv(samples, ";"))
    assert adds_up(clinic.run())
    table = clinic.table("pk_samples").sort("time_h")
    assert table["concentration"].to_list() == [0, 12.5, 0.1]
    assert table["is_below_quantification"].to_list() == [True, None, True]
    assert table["lower_limit"].to_list() == [None, None, 0.1]
    assert table["time_h"].to_list() == [0, 0.5, 24]
    assert table["unit"].to_list() == [None, "ng/ml", None]


def test_a_treatment_that_goes_on_has_no_end_and_a_dose_brings_its_unit(clinic):
    treatments = [
        {
            "patient_id": "P1",
            "drug": "Rebif 44",
            "start_date": "2010-01-01",
            "end_date": "ongoing",
            "dose": "44 mcg",
        },
        {"patient_id": "P2", "drug": "Tysabri", "start_date": "ongoing", "end_date": "", "dose": "300"},
    ]
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "treatments.csv", table_csv(treatments))
    assert adds_up(clinic.run())
    table = clinic.table("treatments")
    assert table.select("drug_inn", "end_date_earliest", "dose", "dose_unit").rows() == [
        ("interferon beta-1a", None, 44, "mcg")
    ]
    rejected = clinic.table("rejected_rows")
    assert rejected.select("column_name", "rule").rows() == [("start_date", "bad_date")]


def test_a_patient_knows_the_tables_of_which_a_row_was_set_aside(clinic):
    relapses = [
        {"patient_id": "P1", "onset_date": "2012-02-01", "severity": "mild"},
        {"patient_id": "P1", "onset_date": "2013-02-01", "severity": "terrible"},
        {"patient_id": "P2", "onset_date": "2012-03-01", "severity": "mild"},
        {"patient_id": "P2", "onset_date": "2012-03-01", "severity": "mild"},  # a repeated row loses nothing
    ]
    edss = [{"patient_id": "P1", "visit_date": "2012-02-01", "edss": "2.3"}]
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "relapses.csv", table_csv(relapses))
    clinic.put("site", "edss.csv", table_csv(edss))
    assert adds_up(clinic.run(rejected_share_limit=1))
    incomplete = dict(clinic.table("patients").select("patient_id", "incomplete_tables").rows())
    assert incomplete == {pseudonym("P1"): "edss,relapses", pseudonym("P2"): None, pseudonym("P3"): None}
