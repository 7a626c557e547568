"""An amended protocol over the same patients: who changes verdict, and by which criteria."""

from __future__ import annotations

import pytest

from tests.support.warehouse import Warehouse
from tests.trials.protocols import criterion, need, write_registry

TRIAL, UNTOUCHED = "NCT90000911", "NCT90000912"
INDEX = "2014-03-01"


def protocol(*, edss: float, natalizumab: bool, oldest: bool = False) -> list[dict]:
    """Adults with RRMS up to an EDSS; in one version natalizumab before excludes."""
    rows = [
        criterion("inclusion", need("age_range", low=30 if oldest else 18, unit="years"), criterion_id=f"age-{oldest}"),
        criterion("inclusion", need("disease_course", "rrms"), criterion_id="course"),
        criterion("inclusion", need("edss_range", low=0, high=edss, unit="points"), criterion_id=f"edss-{edss}"),
        criterion("inclusion", need("informed_consent"), criterion_id="consent"),
    ]  # fmt: skip
    if natalizumab:
        forbidden = need("prior_therapy_forbidden", "natalizumab", polarity="forbid", window_anchor="ever")
        rows.append(criterion("exclusion", forbidden, criterion_id="natalizumab"))
    return rows


def patient(name: str, edss: float, birth: str = "1980-01-01", natalizumab: bool = False) -> dict:
    return {
        "patients": [
            {"patient_id": name, "sex": "female", "birth_date": birth, "onset_date": "2008-01-01", "course": "RR",
             "history_from": "2008-01-01", "last_contact_date": "2016-01-01"}
        ],
        "edss": [{"patient_id": name, "visit_date": "2014-02-15", "edss": edss}],
        "treatments": [{"patient_id": name, "drug": "natalizumab", "drug_inn": "natalizumab", "start_date": "2011-01-01", "end_date": "2012-01-01"}]
        if natalizumab
        else [],
        "infusions": [{"patient_id": name, "drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}],
    }  # fmt: skip


PATIENTS = [
    patient("stays", 3.0),
    patient("edss 5.5", 5.5),
    patient("edss 6.0", 6.0),
    patient("natalizumab", 3.0, natalizumab=True),
    patient("natalizumab and edss 5.5", 5.5, natalizumab=True),
    patient("25 years old", 3.0, birth="1989-01-01"),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("amendments"))
    tables: dict[str, list[dict]] = {}
    for one in PATIENTS:
        for table, rows in one.items():
            tables.setdefault(table, []).extend(rows)
    built.cohort(**tables)
    now = protocol(edss=5.5, natalizumab=True)
    before = protocol(edss=5.0, natalizumab=False)
    write_registry(
        built.lake,
        {TRIAL: now, UNTOUCHED: now},
        earlier=[{TRIAL: before}, {TRIAL: protocol(edss=5.0, natalizumab=False, oldest=True)}],
    )
    built.build("+marts.trials", commands=("seed", "run"))
    return built


def test_who_changes_verdict(warehouse: Warehouse) -> None:
    found = warehouse.sql(
        "select patient_id, nct_id, verdict_before, verdict_after, effect, is_changed from trials.amendments order by patient_id"
    ).rows()
    fits, out = "eligible_on_evaluable", "ineligible"
    assert found == [
        ("25 years old", TRIAL, fits, fits, "none", False),
        ("edss 5.5", TRIAL, out, fits, "gained", True),
        ("edss 6.0", TRIAL, out, out, "none", False),
        ("natalizumab", TRIAL, fits, out, "lost", True),
        ("natalizumab and edss 5.5", TRIAL, out, out, "none", False),
        ("stays", TRIAL, fits, fits, "none", False),
    ]


def test_the_verdict_after_the_latest_amendment_is_the_present_one(warehouse: Warehouse) -> None:
    assert (
        warehouse.sql(
            "select count(*) from trials.amendments as a join trials.patient_eligibility as e using (cohort, patient_id, nct_id) "
            "where a.verdict_after <> e.verdict or a.first_failing_criterion_after is distinct from e.first_failing_criterion"
        ).item()
        == 0
    )


def test_earlier_versions_stand_in_no_mart_of_the_present(warehouse: Warehouse) -> None:
    for table in ("patient_eligibility", "patient_criteria", "attrition", "coverage"):
        found = warehouse.sql(f"select * from trials.{table} where nct_id = '{TRIAL}'").height
        twin = warehouse.sql(f"select * from trials.{table} where nct_id = '{UNTOUCHED}'").height
        assert found == twin > 0, table
    assert warehouse.sql(
        "select count(*) from trials.attrition where criterion_id = 'edss-5.0'"
    ).item() == 0  # fmt: skip
    # An answer counts once for each criterion of the present: two studies, six patients.
    assert warehouse.sql("select answers from trials.answer_shares where kind = 'edss_range'").item() == 2 * 6


def test_what_the_amendment_touched(warehouse: Warehouse) -> None:
    found = warehouse.sql(
        "select change_kind, criterion_id, patients_violating, patients_unknown from trials.amended_criteria order by all"
    ).rows()
    assert found == [
        ("added", "edss-5.5", 1, 0),
        ("added", "natalizumab", 2, 0),
        ("removed", "edss-5.0", 3, 0),
    ]
    summary = warehouse.sql("select * from trials.amendment_summary").to_dicts()
    assert len(summary) == 1
    expected = {
        "nct_id": TRIAL, "amendment": 1, "version": "v-1", "criteria_removed": 1, "criteria_added": 2, "patients": 6,
        "patients_changed": 2, "candidates_gained": 1, "candidates_lost": 1, "candidates_before": 3, "candidates_after": 3,
        "ineligible_before": 3, "ineligible_after": 3,
    }  # fmt: skip
    assert {name: summary[0][name] for name in expected} == expected
