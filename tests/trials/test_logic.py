"""Groups, alternatives, parts, exceptions and the other kinds of data: Kleene's logic from constraint to verdict."""

from __future__ import annotations

import polars as pl
import pytest

from tests.support.warehouse import Warehouse
from tests.trials.protocols import criterion, need, write_registry

INDEX = "2014-03-01"
EDSS = need("edss_range", low=0, high=4, unit="points")
COURSE = need("disease_course", "rrms")
MRI = need("gd_or_t2_activity", "gadolinium-enhancing", low=1, window=(12, "months"))
TWO = need("relapse_count", low=2, unit="count", window=(1, "years"))
CONSENT = need("informed_consent")


def inside(
    *rows: dict, logic: str = "any", group: str = "g", parent: str | None = None, depth: int = 0, **more
) -> list[dict]:
    """Criteria as members of a group."""
    own = {"group_id": group, "group_logic": logic, "parent_group_id": parent, "group_depth": depth} | more
    return [row | own for row in rows]


PROTOCOLS = {
    # a group of alternatives: one suffices
    "NCT90000911": [
        criterion("inclusion", COURSE),
        *inside(criterion("inclusion", status="header"), criterion("inclusion", MRI), criterion("inclusion", TWO)),
    ],
    # at least two of three
    "NCT90000912": [
        criterion("inclusion", COURSE),
        *inside(criterion("inclusion", MRI), criterion("inclusion", TWO), criterion("inclusion", EDSS), group_minimum=2),
    ],
    # (MRI and two relapses) or EDSS, nested
    "NCT90000913": [
        criterion("inclusion", COURSE),
        *inside(criterion("inclusion", EDSS), group="top", depth=0),
        *inside(criterion("inclusion", MRI), criterion("inclusion", TWO), logic="all", group="both", parent="top", depth=1),
    ],
    # alternatives inside one sentence
    "NCT90000914": [
        criterion("inclusion", MRI | {"any_of_group": "a"}, TWO | {"any_of_group": "a"}, COURSE),
    ],
    # a part of the study for each kind of patient
    "NCT90000915": [
        criterion("inclusion", COURSE),
        criterion("inclusion", EDSS, part="part a"),
        criterion("inclusion", need("edss_range", low=6, unit="points"), part="part b"),
    ],
    # an alternative that nobody can look up does not replace one about the disease
    "NCT90000916": [criterion("inclusion", COURSE), *inside(criterion("inclusion", TWO), criterion("inclusion", CONSENT))],
    # an exception that was not read, an opinion, a sentence half read, one unread
    "NCT90000917": [
        criterion("inclusion", COURSE),
        criterion("exclusion", need("infection", "active infection", polarity="forbid", is_qualified=True)),
        criterion("exclusion", status="unparsed", is_subjective=True),
        criterion("inclusion", EDSS, status="partial"),
        criterion("exclusion", status="unparsed", text="Pregnancy wish"),
    ],
    # an unread sentence about the EDSS is not set aside
    "NCT90000918": [criterion("inclusion", COURSE), criterion("inclusion", status="unparsed", text="EDSS like our own")],
    # history, laboratory, current and forbidden treatment, numbers of drugs, steroids
    "NCT90000919": [
        criterion("exclusion", need("malignancy", "malignancy", polarity="forbid", window_anchor="ever")),
        criterion("exclusion", need("pregnancy_or_breastfeeding", "pregnancy", polarity="forbid")),
        criterion("exclusion", need("infection", "pneumonia", polarity="forbid")),
        criterion("exclusion", need("lab_limit", "alt", polarity="forbid", unit="xULN", min_value=3.0, min_inclusive=False)),
        criterion("exclusion", need("lab_limit", "lymphocytes", polarity="forbid", unit="/µL", max_value=800.0, max_inclusive=False)),
        criterion("exclusion", need("concomitant_therapy_forbidden", "interferon", polarity="forbid")),
        criterion("inclusion", need("prior_therapy_required", "ms disease-modifying therapy", low=2, unit="count", measure="therapies")),
        criterion("exclusion", need("steroid_use_forbidden", "corticosteroid", polarity="forbid", window=(30, "days"))),
        criterion("inclusion", need("relapse_on_therapy", "interferon beta", low=1, window=(1, "years"), on_therapy_value=6.0, on_therapy_unit="months")),
        criterion("inclusion", need("disease_duration", high=10, unit="years")),
        criterion("inclusion", need("no_relapse_within", window=(60, "days"))),
        criterion("exclusion", need("other_investigational_drug", "investigational drug", polarity="forbid")),
        criterion("exclusion", need("relapse_count", polarity="forbid", min_value=1.0, min_inclusive=False, window=(12, "months"), window_near_value=1.0, window_near_unit="months")),
    ],
}  # fmt: skip
BASE = {"sex": "female", "birth_date": "1980-01-01", "onset_date": "2008-01-01", "course": "RR", "history_from": "2008-01-01", "last_contact_date": "2016-01-01"}  # fmt: skip


def tables() -> dict[str, list[dict]]:
    people = {
        "lesions": {"edss": 5.0, "gd": 2, "relapses": ["2013-10-01"]},
        "relapses": {"edss": 5.0, "gd": 0, "relapses": ["2013-10-01", "2013-06-01"]},
        "both": {"edss": 5.0, "gd": 1, "relapses": ["2013-10-01", "2013-06-01"]},
        "neither": {"edss": 5.0, "gd": 0, "relapses": ["2013-10-01"]},
        "low edss": {"edss": 2.0, "gd": 0, "relapses": ["2013-10-01"]},
        "high edss": {"edss": 6.5, "gd": 0, "relapses": ["2013-10-01"]},
        "no scan": {"edss": 2.0, "gd": None, "relapses": ["2013-10-01"]},
        "no scan, two relapses": {"edss": 5.0, "gd": None, "relapses": ["2013-10-01", "2013-06-01"]},
    }
    found: dict[str, list[dict]] = {name: [] for name in ("patients", "edss", "relapses", "mri_scans", "infusions", "treatments", "medical_history", "laboratory")}  # fmt: skip
    for name, own in people.items():
        found["patients"].append({"patient_id": name} | BASE)
        found["edss"].append({"patient_id": name, "visit_date": "2014-02-15", "edss": own["edss"]})
        found["relapses"] += [
            {"patient_id": name, "onset_date": day, "steroids": False} for day in own["relapses"]
        ]
        found["infusions"].append({"patient_id": name, "drug": "x", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0})  # fmt: skip
        if own["gd"] is not None:
            found["mri_scans"].append({"patient_id": name, "scan_date": "2013-12-01", "gd_lesions": own["gd"], "new_or_enlarging_t2": 0})  # fmt: skip
    ill, well = "relapses", "both"
    found["medical_history"] = [
        {"patient_id": ill, "category": "malignancy", "status": "past", "onset_date": "2001"},
        {"patient_id": well, "category": "malignancy", "status": "absent"},
        {
            "patient_id": ill,
            "category": "pregnancy",
            "status": "present",
            "onset_date": "2014-01-01",
            "end_date": "2014-09-30",
        },
        {
            "patient_id": well,
            "category": "pregnancy",
            "status": "past",
            "onset_date": "2015-01-01",
            "end_date": "2015-09-30",
        },
        {"patient_id": ill, "category": "infection", "status": "present", "onset_date": "2014-02-01"},
        {"patient_id": well, "category": "infection", "status": "absent"},
    ]
    found["laboratory"] = [
        {"patient_id": ill, "sampled_on": "2014-02-20", "test": "ALT", "value": 200.0, "unit": "U/L"},
        {
            "patient_id": ill,
            "sampled_on": "2014-02-20",
            "test": "lymphocytes",
            "value": 0.7,
            "unit": "10^9/L",
        },
        {"patient_id": well, "sampled_on": "2014-02-20", "test": "alt", "value": 30.0, "unit": "U/L"},
        {
            "patient_id": well,
            "sampled_on": "2014-02-20",
            "test": "lymphocytes",
            "value": 1.7,
            "unit": "10^9/l",
        },
        {"patient_id": "neither", "sampled_on": "2013-02-20", "test": "alt", "value": 30.0, "unit": "U/L"},
    ]
    found["treatments"] = [
        {
            "patient_id": ill,
            "drug": "a",
            "drug_inn": "interferon beta-1a",
            "start_date": "2013-01-01",
            "end_date": "2014-02-10",
        },
        {
            "patient_id": ill,
            "drug": "b",
            "drug_inn": "natalizumab",
            "start_date": "2011-01-01",
            "end_date": "2012-10-01",
        },
        {
            "patient_id": ill,
            "drug": "c",
            "drug_inn": "prednisolone",
            "start_date": "2014-02-10",
            "end_date": "2014-02-14",
        },
        {
            "patient_id": well,
            "drug": "a",
            "drug_inn": "interferon beta-1a",
            "start_date": "2013-05-01",
            "end_date": "2014-01-10",
        },
    ]
    return found


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("logic"))
    built.cohort(**tables())
    write_registry(built.lake, PROTOCOLS)
    built.build(
        "+trials__attrition +trials__patient_criteria +trials__patient_eligibility", commands=("seed", "run")
    )
    return built


@pytest.fixture(scope="module")
def verdicts(warehouse: Warehouse) -> dict[tuple[str, str], str]:
    rows = warehouse.sql("select nct_id, patient_id, verdict from trials.patient_eligibility")
    return {(nct, patient): verdict for nct, patient, verdict in rows.rows()}


@pytest.mark.parametrize(
    ("trial", "patient", "verdict"),
    [
        ("NCT90000911", "lesions", "eligible"),
        ("NCT90000911", "relapses", "eligible"),
        ("NCT90000911", "neither", "ineligible"),
        ("NCT90000911", "no scan", "indeterminate"),
        ("NCT90000911", "no scan, two relapses", "eligible"),
        ("NCT90000912", "both", "eligible"),
        ("NCT90000912", "lesions", "ineligible"),
        ("NCT90000912", "no scan", "indeterminate"),
        ("NCT90000913", "both", "eligible"),
        ("NCT90000913", "lesions", "ineligible"),
        ("NCT90000913", "low edss", "eligible"),
        ("NCT90000913", "no scan, two relapses", "indeterminate"),
        ("NCT90000914", "lesions", "eligible"),
        ("NCT90000914", "neither", "ineligible"),
        ("NCT90000914", "no scan", "indeterminate"),
        ("NCT90000915", "low edss", "eligible"),
        ("NCT90000915", "high edss", "eligible"),
        ("NCT90000915", "neither", "ineligible"),
        ("NCT90000916", "relapses", "eligible"),
        ("NCT90000916", "neither", "indeterminate"),
        ("NCT90000917", "low edss", "eligible_on_evaluable"),
        ("NCT90000917", "high edss", "ineligible"),
        ("NCT90000918", "low edss", "indeterminate"),
    ],
)
def test_groups_parts_and_what_is_set_aside(verdicts: dict, trial: str, patient: str, verdict: str):
    assert verdicts[trial, patient] == verdict


@pytest.mark.parametrize(
    ("position", "ill", "well", "silent"),
    [
        (1, False, True, None),  # malignancy, past counts
        (2, False, True, None),  # pregnancy now; one that began later was not there yet
        (3, None, True, None),  # pneumonia within infection: an infection may or may not be one
        (4, False, True, None),  # ALT above three times the limit; the silent one's sample is a year old
        (5, False, True, None),  # lymphocytes in other units
        (6, False, True, True),  # stopped 19 days before is current, 50 days before is not
        (7, True, False, False),  # two different drugs
        (8, False, True, True),  # steroids 15 days before
        (9, True, False, False),  # a relapse after six months on it; five months is too short
        (10, True, True, True),
        (11, True, True, True),
        (12, None, None, None),  # a list of treatments is no list of trials
        (13, False, False, True),  # two relapses between 12 and 1 months before
    ],
)
def test_each_kind(
    warehouse: Warehouse, position: int, ill: bool | None, well: bool | None, silent: bool | None
):
    rows = warehouse.sql(
        f"select patient_id, is_satisfied from trials.patient_criteria where nct_id = 'NCT90000919' and position_in_text = {position}"
    )
    answers = dict(rows.rows())
    assert (answers["relapses"], answers["both"], answers["neither"]) == (ill, well, silent)


def test_a_violated_exclusion_with_an_unread_exception_is_unknown(warehouse: Warehouse):
    row = warehouse.sql(
        "select answer, unknown_kind, reason from trials.patient_criteria "
        "where nct_id = 'NCT90000917' and position_in_text = 2 and patient_id = 'relapses'"
    )
    assert row.row(0)[:2] == ("unknown", "exception_not_read")


def test_attrition_adds_up_to_the_verdicts(warehouse: Warehouse):
    steps = warehouse.sql("select * from trials.attrition order by nct_id, position_in_text")
    ineligible = warehouse.sql(
        "select nct_id, count(*) filter (verdict = 'ineligible') as n, count(*) as patients from trials.patient_eligibility group by nct_id"
    )
    for nct_id, n, patients in ineligible.rows():
        own = steps.filter(pl.col("nct_id") == nct_id)
        assert own["excluded"].sum() == n
        assert own["remaining_before"][0] == patients
        assert (own["remaining_before"] - own["excluded"]).to_list() == own["remaining_after"].to_list()
        assert own["remaining_before"].to_list()[1:] == own["remaining_after"].to_list()[:-1]
        assert own["remaining_after"][-1] == patients - n


def test_answers_add_up(warehouse: Warehouse):
    wrong = warehouse.sql(
        """
        with counted as (
            select cohort, patient_id, nct_id, count(*) filter (is_satisfied) as met, count(*) filter (not is_satisfied) as not_met,
                count(*) filter (is_satisfied is null) as unknown
            from trials.patient_criteria group by all
        )
        select * from counted join trials.patient_eligibility as e using (cohort, patient_id, nct_id)
        where met <> e.criteria_met or not_met <> e.criteria_not_met or unknown <> e.criteria_unknown
        """
    )
    assert wrong.is_empty()
    missing = warehouse.sql(
        "select count(*) from trials.patient_eligibility where verdict in ('indeterminate', 'eligible_on_evaluable') and len(deciding_unknowns) = 0"
    )
    assert missing.item() == 0
