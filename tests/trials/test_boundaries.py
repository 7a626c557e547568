"""Patients on and beside every boundary of a protocol: what decides is a day, half a point, or a missing value."""

from __future__ import annotations

import polars as pl
import pytest

from tests.support.warehouse import Warehouse
from tests.trials.protocols import criterion, need, write_registry

INDEX = "2014-03-01"
CORE = [
    criterion("inclusion", need("age_range", low=18, max_value=56.0, max_inclusive=False, unit="years")),
    criterion("inclusion", need("edss_range", low=0, high=5.0, unit="points")),
    criterion("inclusion", need("relapse_count", low=1, unit="count", window=(1, "years"))),
    criterion("exclusion", need("washout", "natalizumab", polarity="forbid", window=(6, "months"))),
    criterion("inclusion", need("prior_therapy_required", "interferon beta", window=(6, "months"))),
    criterion(
        "exclusion", need("prior_therapy_forbidden", "alemtuzumab", polarity="forbid", window_anchor="ever")
    ),
    criterion("inclusion", need("disease_course", "rrms")),
    criterion("inclusion", need("informed_consent")),
]
MORE = [
    criterion(
        "exclusion",
        need(
            "prior_therapy_forbidden",
            "interferon beta",
            "glatiramer acetate",
            polarity="forbid",
            low=2,
            unit="count",
            measure="therapies",
            term_logic="all",
            window_anchor="ever",
        ),
    ),
    criterion("inclusion", need("gd_or_t2_activity", "new t2", low=1, unit="count", window=(1, "years"))),
    criterion(
        "exclusion",
        need(
            "prior_therapy_forbidden", "natalizumab", "leflunomide", polarity="forbid", window_anchor="ever"
        ),
    ),
    criterion("inclusion", need("contraception_required")),
]
GOOD = {
    "sex": "female", "birth_date": "1980-01-01", "onset_date": "2008-01-01", "course": "RR", "history_from": "2008-01-01",
    "last_contact_date": "2016-01-01",
}  # fmt: skip


def person(name: str, *, edss: float | None = 3.0, relapse: str | None = "2013-10-01", treatments: tuple = (("interferon beta-1a", "2012-01-01", "2014-02-20"),), **own) -> dict:  # fmt: skip
    """One patient who fits, and what is different about this one."""
    return {
        "patients": [{"patient_id": name} | GOOD | own],
        "edss": [{"patient_id": name, "visit_date": "2014-02-15", "edss": edss}] if edss is not None else [],
        "relapses": [{"patient_id": name, "onset_date": relapse}] if relapse else [],
        "treatments": [
            {"patient_id": name, "drug": drug, "drug_inn": drug, "start_date": start, "end_date": end}
            for drug, start, end in treatments
        ],
        "infusions": [
            {"patient_id": name, "drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}
        ],
    }  # fmt: skip


def scan(name: str) -> dict:
    """A scan two months before screening that shows nothing new."""
    row = {"patient_id": name, "scan_date": "2014-01-01", "new_or_enlarging_t2": 0, "gd_lesions": 0}
    return {"mri_scans": [row]}


INTERFERON = ("interferon beta-1a", "2012-01-01", "2014-02-20")
PEOPLE = [
    person("fits"),
    person("age 17 years 364 days", birth_date="1996-03-02"),
    person("age 18 today", birth_date="1996-03-01"),
    person("age 18 or 17", birth_date="1996"),
    person("age 55 to the last day", birth_date="1958-03-02"),
    person("age 56 today", birth_date="1958-03-01"),
    person("edss 5.0", edss=5.0),
    person("edss 5.5", edss=5.5),
    person("no edss", edss=None),
    person("relapse 364 days before", relapse="2013-03-02"),
    person("relapse 365 days before", relapse="2013-03-01"),
    person("relapse 366 days before", relapse="2013-02-28"),
    person("relapse in march, which day?", relapse="2013-03"),
    person("relapse in february 2013", relapse="2013-02"),
    person("no relapse", relapse=None),
    person("no relapse, history from 2013-06", relapse=None, history_from="2013-06-01"),
    person("relapse, history from 2013-06", history_from="2013-06-01"),
    person(
        "natalizumab stopped 5 months before",
        treatments=(INTERFERON, ("natalizumab", "2011-01-01", "2013-10-01")),
    ),
    person(
        "natalizumab stopped 7 months before",
        treatments=(INTERFERON, ("natalizumab", "2011-01-01", "2013-08-01")),
    ),
    person(
        "natalizumab stopped in september", treatments=(INTERFERON, ("natalizumab", "2011-01-01", "2013-09"))
    ),
    person("natalizumab stopped in 2013", treatments=(INTERFERON, ("natalizumab", "2011-01-01", "2013"))),
    person("unknown drug", treatments=(INTERFERON, (None, "2013-11-01", "2013-12-01"))),
    person("interferon for 5 months", treatments=(("interferon beta-1a", "2013-09-15", "2014-02-20"),)),
    person("interferon for 7 months", treatments=(("interferon beta-1a", "2013-07-15", "2014-02-20"),)),
    person("interferon since an unknown month", treatments=(("interferon beta-1a", "2013", "2014-02-20"),)),
    person("no interferon", treatments=()),
    person("no interferon, history from 2013-06", treatments=(), history_from="2013-06-01"),
    person("alemtuzumab before", treatments=(INTERFERON, ("alemtuzumab", "2013-01-01", "2013-01-05"))),
    person("secondary progressive", course="SP", progression_onset_date="2013-01-01"),
    person("progressive later", course="SP", progression_onset_date="2015-01-01"),
    person("progressive, since when?", course="SP"),
    person("course unknown", course="unknown"),
    person(
        "both first-line drugs", treatments=(INTERFERON, ("glatiramer acetate", "2009-01-01", "2011-01-01"))
    ),
    person("two interferons", treatments=(INTERFERON, ("interferon beta-1b", "2009-01-01", "2011-01-01"))),
    person("scan without lesions") | scan("scan without lesions"),
    person("no contraception")
    | {
        "medical_history": [
            {"patient_id": "no contraception", "category": "contraception", "status": "absent"}
        ]
    },
    # of a table with a rejected row of this patient nothing is shown to be absent
    person("no relapse, a row set aside", relapse=None, incomplete_tables="edss,relapses"),
    person("a relapse, a row set aside", incomplete_tables="relapses"),
    person("no natalizumab, a row set aside", incomplete_tables="treatments"),
    person("no natalizumab, an infusion set aside", incomplete_tables="infusions"),
    person("no natalizumab, a relapse set aside", incomplete_tables="relapses"),
    person("scan without lesions, one set aside", incomplete_tables="mri_scans")
    | scan("scan without lesions, one set aside"),
]
UNKNOWN_EVERYWHERE = {
    "patients": [{"patient_id": "unknown everywhere", "sex": "unknown", "birth_date": None}],
    "infusions": [{"patient_id": "unknown everywhere", "drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}],
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    root = tmp_path_factory.mktemp("boundaries")
    built = Warehouse(root)
    tables: dict[str, list[dict]] = {}
    for one in [*PEOPLE, UNKNOWN_EVERYWHERE]:
        for table, rows in one.items():
            tables.setdefault(table, []).extend(rows)
    built.cohort(**tables)
    write_registry(built.lake, {"NCT90000901": CORE, "NCT90000902": MORE})
    built.build("+trials__patient_eligibility +trials__patient_criteria", commands=("seed", "run"))
    return built


@pytest.fixture(scope="module")
def answers(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.sql("select * from trials.patient_criteria")


def satisfied(answers: pl.DataFrame, patient: str, ordinal: int, study: str = "NCT90000901") -> bool | None:
    found = answers.filter(
        (pl.col("nct_id") == study)
        & (pl.col("patient_id") == patient)
        & (pl.col("position_in_text") == ordinal)
    )
    assert len(found) == 1
    return found["is_satisfied"][0]


@pytest.mark.parametrize(
    ("patient", "ordinal", "expected"),
    [
        ("age 17 years 364 days", 1, False),
        ("age 18 today", 1, True),
        ("age 18 or 17", 1, None),
        ("age 55 to the last day", 1, True),
        ("age 56 today", 1, False),
        ("edss 5.0", 2, True),
        ("edss 5.5", 2, False),
        ("no edss", 2, None),
        ("relapse 364 days before", 3, True),
        ("relapse 365 days before", 3, True),
        ("relapse 366 days before", 3, False),
        ("relapse in march, which day?", 3, True),
        ("relapse in february 2013", 3, False),
        ("no relapse", 3, False),
        ("no relapse, history from 2013-06", 3, None),
        ("relapse, history from 2013-06", 3, True),
        ("natalizumab stopped 5 months before", 4, False),
        ("natalizumab stopped 7 months before", 4, True),
        ("natalizumab stopped in september", 4, False),
        ("natalizumab stopped in 2013", 4, None),
        ("unknown drug", 4, None),
        ("interferon for 5 months", 5, False),
        ("interferon for 7 months", 5, True),
        ("interferon since an unknown month", 5, None),
        ("no interferon", 5, False),
        ("no interferon, history from 2013-06", 5, None),
        ("fits", 6, True),
        (
            "alemtuzumab before",
            6,
            True,
        ),  # it is this patient's index therapy, which starts on the screening day
        ("secondary progressive", 7, False),
        ("progressive later", 7, True),
        ("progressive, since when?", 7, None),
        ("course unknown", 7, None),
        ("fits", 8, None),
        ("no relapse, a row set aside", 3, None),
        ("a relapse, a row set aside", 3, True),
        ("no natalizumab, a row set aside", 4, None),
        ("no natalizumab, an infusion set aside", 4, None),
        ("no natalizumab, a relapse set aside", 4, True),
    ],
)
def test_each_boundary(answers: pl.DataFrame, patient: str, ordinal: int, expected: bool | None):
    assert satisfied(answers, patient, ordinal) is expected


@pytest.mark.parametrize(
    ("patient", "ordinal", "expected"),
    [
        ("fits", 1, True),
        ("both first-line drugs", 1, False),
        ("two interferons", 1, True),
        ("fits", 2, None),
        ("scan without lesions", 2, False),
        ("scan without lesions, one set aside", 2, None),
    ],
)
def test_both_of_two_drugs_and_lesions(
    answers: pl.DataFrame, patient: str, ordinal: int, expected: bool | None
):
    assert satisfied(answers, patient, ordinal, "NCT90000902") is expected


def test_unknown_everywhere_is_never_a_pass(answers: pl.DataFrame, warehouse: Warehouse):
    own = answers.filter(pl.col("patient_id") == "unknown everywhere")
    assert own["answer"].unique().to_list() == ["unknown"]
    row = warehouse.sql(
        "select * from trials.patient_eligibility where nct_id = 'NCT90000901' and patient_id = 'unknown everywhere'"
    )
    assert row["verdict"][0] == "indeterminate"
    assert row["criteria_unknown"][0] == len(CORE)
    assert len(row["deciding_unknowns"][0]) == len(CORE)


@pytest.mark.parametrize(
    ("patient", "verdict", "first_failing"),
    [
        ("fits", "eligible_on_evaluable", None),
        ("edss 5.5", "ineligible", "NCT90000901-i-2"),
        ("no edss", "indeterminate", None),
        ("natalizumab stopped in 2013", "indeterminate", None),
        ("no interferon", "ineligible", "NCT90000901-i-5"),
    ],
)
def test_verdicts(warehouse: Warehouse, patient: str, verdict: str, first_failing: str | None):
    row = warehouse.sql(
        f"select * from trials.patient_eligibility where nct_id = 'NCT90000901' and patient_id = '{patient}'"
    )
    assert row["verdict"].to_list() == [verdict]
    assert row["first_failing_criterion"][0] == first_failing


def test_the_missing_value_that_would_decide_comes_first(warehouse: Warehouse):
    row = warehouse.sql("select * from trials.patient_eligibility where patient_id = 'no edss'")
    assert row["deciding_unknowns"][0].to_list() == ["NCT90000901-i-2", "NCT90000901-i-8"]


def test_evidence_names_the_cell(answers: pl.DataFrame):
    own = answers.filter((pl.col("patient_id") == "edss 5.5") & (pl.col("position_in_text") == 2))
    assert own["patient_value"][0] == "EDSS 5.5"
    assert str(own["patient_value_date"][0]) == "2014-02-15"
    assert own["source_sheet"][0] == "edss"
    assert own["source_row"][0] == 2 + [p["patients"][0]["patient_id"] for p in PEOPLE if p["edss"]].index(
        "edss 5.5"
    )
    assert own["quote"][0] == "edss_range as the text says"


def test_exclusions_that_do_not_apply_are_answered_not_met(answers: pl.DataFrame):
    own = answers.filter(
        (pl.col("nct_id") == "NCT90000901")
        & (pl.col("patient_id") == "fits")
        & (pl.col("position_in_text") == 4)
    )
    assert own["answer"].to_list() == ["not_met"]
    assert own["is_satisfied"][0] is True


def test_an_answer_says_that_rows_were_set_aside(answers: pl.DataFrame):
    own = answers.filter(
        (pl.col("nct_id") == "NCT90000901")
        & (pl.col("patient_id") == "no relapse, a row set aside")
        & (pl.col("position_in_text") == 3)
    )
    assert own["reason"][0].endswith(
        "no record proves it, and rows of the patient were set aside (edss,relapses)"
    )


def test_an_answer_says_what_is_not_collected(answers: pl.DataFrame):
    def reason(patient: str, ordinal: int) -> str:
        return answers.filter(
            (pl.col("nct_id") == "NCT90000902")
            & (pl.col("patient_id") == patient)
            & (pl.col("position_in_text") == ordinal)
        )["reason"][0]

    assert reason("fits", 3).endswith(": none found, but not each of them is in the cohort's data")
    assert reason("no contraception", 4).endswith(
        ": whether the patient needs it is not in the cohort's data"
    )
