"""A registered protocol's own text, read by the grammar and put to invented patients on and beside its boundaries."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.registry import eligibility, mirror
from tests.support.warehouse import Warehouse
from tests.trials.protocols import as_protocol, write_registry

NCT_ID = "NCT03368664"
INDEX = "2018-03-01"
GLATIRAMER = ("glatiramer acetate", "2014-06-01", "2015-12-01")
INTERFERON = ("interferon beta-1a", "2016-01-01", "2018-02-20")
FUMARATE = ("dimethyl fumarate", "2015-01-01", "2016-06-01")
FIRST = "2016-08-01"
PERSON = {
    "sex": "female", "birth_date": "2003-01-01", "onset_date": "2014-01-01", "course": "RR", "history_from": "2014-01-01",
    "last_contact_date": "2019-01-01",
}  # fmt: skip
# What the protocol calls each criterion that the tests ask about.
WORDS = {
    "registry age": "Registry field, age",
    "age and course": "Participants with RRMS aged",
    "edss": "Expanded Disability Status Scale",
    "attacks on therapy": "At least 2 recorded MS attacks",
    "lesion": "new or enlarging T2",
    "two relapses": "Two or more relapses",
    "two therapies": "Tried at least 2",
    "course": "Any progressive",
    "natalizumab": "Treatment with natalizumab",
    "teriflunomide": "Treatment with teriflunomide",
    "cytotoxic": "Previous treatment with mitoxantrone",
    "platelets": "Prior documented history of thrombocytopenia",
}


def person(
    name: str,
    *,
    edss: float | None = 3.0,
    relapses: tuple[str, ...] = (FIRST, "2017-10-01"),
    treatments: tuple[tuple[str, str, str], ...] = (GLATIRAMER, INTERFERON),
    lesions: int | None = None,
    platelets: float | None = None,
    **own: str,
) -> dict[str, list[dict]]:
    """One patient who fits, and what is different about this one."""
    tables: dict[str, list[dict]] = {
        "patients": [PERSON | own],
        "edss": [{"visit_date": "2018-02-15", "edss": edss}] if edss is not None else [],
        "relapses": [{"onset_date": onset} for onset in relapses],
        "treatments": [
            {"drug": drug, "drug_inn": drug, "start_date": start, "end_date": end}
            for drug, start, end in treatments
        ],
        "infusions": [
            {"drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}
        ],
        "mri_scans": [{"scan_date": "2018-01-15", "new_or_enlarging_t2": lesions, "gd_lesions": 0}]
        if lesions is not None
        else [],
        "laboratory": [
            {"sampled_on": "2018-02-15", "test": "platelets", "value": platelets, "unit": "10^9/L"}
        ]
        if platelets is not None
        else [],
    }
    return {table: [{"patient_id": name} | row for row in rows] for table, rows in tables.items()}


PEOPLE = [
    person("fits"),
    person("9 years 364 days", birth_date="2008-03-02"),
    person("10 years", birth_date="2008-03-01"),
    person("17 years 364 days", birth_date="2000-03-02"),
    person("18 years", birth_date="2000-03-01"),
    person("edss 5.0", edss=5.0),
    person("edss 5.5", edss=5.5),
    person("no edss", edss=None),
    person("attack 364 days before", relapses=(FIRST, "2017-03-02")),
    person("attack 366 days before", relapses=(FIRST, "2017-02-28")),
    person("one attack ever", relapses=("2017-10-01",)),
    person("natalizumab stopped 5 months before", treatments=(GLATIRAMER, INTERFERON, ("natalizumab", "2016-06-01", "2017-10-01"))),
    person("natalizumab stopped 7 months before", treatments=(GLATIRAMER, INTERFERON, ("natalizumab", "2016-06-01", "2017-08-01"))),
    person("interferon for 5 months", relapses=(FIRST, "2018-02-01"), treatments=(FUMARATE, ("interferon beta-1a", "2017-09-15", "2018-02-20"))),
    person("interferon for 7 months", relapses=(FIRST, "2018-02-01"), treatments=(FUMARATE, ("interferon beta-1a", "2017-07-15", "2018-02-20"))),
    person("attack in the third month of interferon", treatments=(FUMARATE, ("interferon beta-1a", "2017-07-15", "2018-02-20"))),
    person("teriflunomide stopped 11 months before", treatments=(GLATIRAMER, INTERFERON, ("teriflunomide", "2016-06-01", "2017-04-01"))),
    person("teriflunomide stopped 13 months before", treatments=(GLATIRAMER, INTERFERON, ("teriflunomide", "2016-06-01", "2017-02-01"))),
    person("mitoxantrone once", treatments=(GLATIRAMER, INTERFERON, ("mitoxantrone", "2015-12-05", "2015-12-20"))),
    person("interferon stopped two months before", treatments=(GLATIRAMER, ("interferon beta-1a", "2016-01-01", "2018-01-01"))),
    person("secondary progressive", course="SP", progression_onset_date="2017-01-01"),
    person("one therapy, one relapse, no lesion", treatments=(INTERFERON,), lesions=0),
    person("one therapy, one relapse, one lesion", treatments=(INTERFERON,), lesions=1),
    person("one therapy, one relapse, no scan", treatments=(INTERFERON,)),
    person("one therapy, two relapses, no lesion", relapses=("2017-06-01", "2017-10-01"), treatments=(INTERFERON,), lesions=0),
    person("platelets 100", platelets=100.0),
    person("platelets 250", platelets=250.0),
    {
        "patients": [{"patient_id": "unknown everywhere", "sex": "unknown", "birth_date": None}],
        "infusions": [
            {"patient_id": "unknown everywhere", "drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}
        ],
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def read(shared: Path) -> dict[str, pl.DataFrame]:
    """Criteria and constraints of the mirror's page."""
    page = mirror.parse((shared / "seeds" / f"mirror_{NCT_ID}.md").read_text(encoding="utf-8"))
    module = page.study["protocolSection"]["eligibilityModule"]
    study = {
        "nct_id": NCT_ID,
        "eligibility_text": module["eligibilityCriteria"],
        "minimum_age_years": float(module["minimumAge"].removesuffix(" Years")),
        "maximum_age_years": float(module["maximumAge"].removesuffix(" Years")),
        "sex": module["sex"],
    }
    return eligibility.parse(pl.DataFrame([study]))


@pytest.fixture(scope="module")
def warehouse(read: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("registered"))
    tables: dict[str, list[dict]] = {}
    for one in PEOPLE:
        for table, rows in one.items():
            tables.setdefault(table, []).extend(rows)
    built.cohort(**tables)
    write_registry(built.lake, {NCT_ID: as_protocol(read)})
    built.build("+trials__patient_eligibility +trials__patient_criteria", commands=("seed", "run"))
    return built


@pytest.fixture(scope="module")
def satisfied(warehouse: Warehouse, read: dict[str, pl.DataFrame]) -> dict[tuple[str, str], bool | None]:
    """(patient, name in WORDS) → whether the patient passes."""
    texts = dict(read["criteria"].select("criterion_id", "text").iter_rows())
    names = {}
    for name, words in WORDS.items():
        (names[next(key for key, text in texts.items() if words in text)],) = [name]
    rows = warehouse.sql("select patient_id, criterion_id, is_satisfied from trials.patient_criteria").rows()
    return {(patient, names[key]): answer for patient, key, answer in rows if key in names}


@pytest.mark.parametrize(
    ("patient", "criterion", "expected"),
    [
        ("9 years 364 days", "registry age", False),
        ("10 years", "registry age", True),
        ("9 years 364 days", "age and course", False),
        # the same sentence asks for diagnostic criteria that no table of a cohort holds: no pass
        ("10 years", "age and course", None),
        ("17 years 364 days", "age and course", None),
        ("18 years", "age and course", False),
        # the registry's own field says "18 Years" and no more; the text is stricter
        ("18 years", "registry age", True),
        ("secondary progressive", "age and course", False),
        ("secondary progressive", "course", False),
        ("fits", "course", True),
        ("edss 5.0", "edss", True),
        ("edss 5.5", "edss", False),
        ("no edss", "edss", None),
        ("attack 364 days before", "attacks on therapy", True),
        ("attack 366 days before", "attacks on therapy", False),
        ("one attack ever", "attacks on therapy", False),
        ("interferon for 5 months", "attacks on therapy", False),
        ("interferon for 7 months", "attacks on therapy", True),
        ("attack in the third month of interferon", "attacks on therapy", False),
        ("interferon stopped two months before", "attacks on therapy", False),
        ("natalizumab stopped 5 months before", "natalizumab", False),
        # "or … residual immune suppression from these" is a physician's judgement: no pass, and no failure
        ("natalizumab stopped 7 months before", "natalizumab", None),
        # perhaps the elimination procedure was done
        ("teriflunomide stopped 11 months before", "teriflunomide", None),
        ("teriflunomide stopped 13 months before", "teriflunomide", True),
        ("mitoxantrone once", "cytotoxic", False),
        # cytotoxic drugs for other diseases are not among the treatments that clinics record
        ("fits", "cytotoxic", None),
        ("one therapy, one relapse, no lesion", "lesion", False),
        # nobody says whether the lesion came "while on that same prior therapy"
        ("one therapy, one relapse, one lesion", "lesion", None),
        ("one therapy, one relapse, no scan", "lesion", None),
        ("one therapy, two relapses, no lesion", "two relapses", True),
        ("fits", "two relapses", False),
        ("fits", "two therapies", True),
        ("one therapy, one relapse, no scan", "two therapies", False),
        ("platelets 100", "platelets", False),
        # the same sentence asks for a history of thrombocytopenia
        ("platelets 250", "platelets", None),
    ],
)
def test_each_boundary(satisfied: dict, patient: str, criterion: str, expected: bool | None) -> None:
    assert satisfied[patient, criterion] is expected


@pytest.mark.parametrize(
    ("patient", "verdict"),
    [
        ("fits", "eligible_on_evaluable"),
        ("17 years 364 days", "eligible_on_evaluable"),
        ("18 years", "ineligible"),
        ("edss 5.0", "eligible_on_evaluable"),
        ("edss 5.5", "ineligible"),
        ("no edss", "indeterminate"),
        ("attack 364 days before", "eligible_on_evaluable"),
        ("attack 366 days before", "ineligible"),
        ("natalizumab stopped 5 months before", "ineligible"),
        ("natalizumab stopped 7 months before", "eligible_on_evaluable"),
        ("interferon for 5 months", "ineligible"),
        ("interferon for 7 months", "eligible_on_evaluable"),
        ("teriflunomide stopped 11 months before", "indeterminate"),
        # one of three alternatives, printed on the level of their introduction
        ("one therapy, one relapse, no lesion", "ineligible"),
        ("one therapy, one relapse, no scan", "indeterminate"),
        ("one therapy, two relapses, no lesion", "eligible_on_evaluable"),
        ("unknown everywhere", "indeterminate"),
    ],
)
def test_verdicts(warehouse: Warehouse, patient: str, verdict: str) -> None:
    row = warehouse.sql(f"select verdict from trials.patient_eligibility where patient_id = '{patient}'")
    assert row["verdict"].to_list() == [verdict]


def test_unknown_everywhere_passes_and_fails_nothing(warehouse: Warehouse) -> None:
    answers = warehouse.sql(
        "select answer, is_satisfied from trials.patient_criteria where patient_id = 'unknown everywhere'"
    )
    assert len(answers) > 30
    assert answers["answer"].unique().to_list() == ["unknown"]
    assert answers["is_satisfied"].null_count() == len(answers)
