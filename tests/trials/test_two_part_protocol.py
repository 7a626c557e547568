"""A protocol of two parts, as the slides sketch NCT01624714, put to patients on its boundaries.

The registry's text of that trial is not at hand: the sentences are ours, what they ask for is the slides'.
"""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.registry import eligibility
from tests.support.warehouse import Warehouse
from tests.trials.protocols import as_protocol, write_registry

NCT_ID = "NCT01624714"
INDEX = "2014-03-01"
TEXT = """Inclusion Criteria (Cohort A):

* At least one documented relapse
* Previous treatment with an approved disease-modifying therapy
* More than one prior course of alemtuzumab

Inclusion Criteria (Cohort B):

* At least one relapse within the previous 2 years while on disease-modifying therapy
* Previous treatment with a disease-modifying therapy
* EDSS of 3.0 to 7.0 at screening

Exclusion Criteria:

* Pregnancy
* History of malignancy
* Active infection
* Uncontrolled autoimmune disease
"""
WORDS = {
    "courses": "More than one prior course",
    "relapse on therapy": "At least one relapse within",
    "prior therapy": "Previous treatment with a disease",
    "edss": "EDSS of 3.0",
    "pregnancy": "Pregnancy",
    "malignancy": "History of malignancy",
    "infection": "Active infection",
    "autoimmunity": "Uncontrolled autoimmune",
}
INTERFERON = ("interferon beta-1a", "2011-01-01", "2014-02-20")
ABSENT = ("pregnancy", "malignancy", "infection", "autoimmunity")


def person(
    name: str,
    *,
    edss: float | None = 4.0,
    relapse: str | None = "2013-06-01",
    treatments: tuple[tuple[str, str, str], ...] = (INTERFERON,),
    present: str | None = None,
    **own: str,
) -> dict[str, list[dict]]:
    """One patient who fits cohort B, and what is different about this one."""
    patient = {
        "sex": "female", "birth_date": "1980-01-01", "onset_date": "2008-01-01", "course": "RR", "history_from": "2008-01-01",
        "last_contact_date": "2016-01-01",
    }  # fmt: skip
    tables: dict[str, list[dict]] = {
        "patients": [patient | own],
        "edss": [{"visit_date": "2014-02-15", "edss": edss}] if edss is not None else [],
        "relapses": [{"onset_date": relapse}] if relapse else [],
        "treatments": [
            {"drug": drug, "drug_inn": drug, "start_date": start, "end_date": end}
            for drug, start, end in treatments
        ],
        "infusions": [{"drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}],
        "medical_history": [
            {"category": category, "status": "present" if category == present else "absent", "onset_date": "2014-01-01"}
            for category in ABSENT
        ],
    }  # fmt: skip
    return {table: [{"patient_id": name} | row for row in rows] for table, rows in tables.items()}


PEOPLE = [
    person("fits"),
    person("edss 2.5", edss=2.5),
    person("edss 3.0", edss=3.0),
    person("edss 7.0", edss=7.0),
    person("edss 7.5", edss=7.5),
    person("no edss", edss=None),
    person("relapse two years before to the day", relapse="2012-03-01"),
    person("relapse a day earlier", relapse="2012-02-29"),
    person("relapse before the therapy", relapse="2012-06-01", treatments=(("interferon beta-1a", "2012-07-01", "2014-02-20"),)),
    person("relapse in an unknown month of 2012", relapse="2012"),
    person("no therapy", treatments=()),
    *(person(f"{category} present", present=category) for category in ABSENT),
    {
        "patients": [{"patient_id": "unknown everywhere", "sex": "unknown", "birth_date": None}],
        "infusions": [{"patient_id": "unknown everywhere", "drug": "alemtuzumab", "drug_inn": "alemtuzumab", "infusion_date": INDEX, "dose_mg": 12.0}],
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def read() -> dict[str, pl.DataFrame]:
    return eligibility.parse(pl.DataFrame([{"nct_id": NCT_ID, "eligibility_text": TEXT}]))


@pytest.fixture(scope="module")
def warehouse(read: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    built = Warehouse(tmp_path_factory.mktemp("parts"))
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
    texts = read["criteria"].select("criterion_id", "text").rows()
    names = {
        next(key for key, text in texts if text.startswith(words)): name for name, words in WORDS.items()
    }
    rows = warehouse.sql("select patient_id, criterion_id, is_satisfied from trials.patient_criteria").rows()
    return {(patient, names[key]): answer for patient, key, answer in rows if key in names}


def test_the_parts_are_read(read: dict[str, pl.DataFrame]) -> None:
    asked = read["criteria"].filter(~pl.col("parse_status").is_in(["header", "note"]))
    parts = dict(asked.group_by("part").agg(pl.len()).rows())
    assert len(parts) == 3
    assert parts[""] == 4
    assert sorted(parts.values()) == [3, 3, 4]


@pytest.mark.parametrize(
    ("patient", "criterion", "expected"),
    [
        ("edss 2.5", "edss", False),
        ("edss 3.0", "edss", True),
        ("edss 7.0", "edss", True),
        ("edss 7.5", "edss", False),
        ("no edss", "edss", None),
        ("relapse two years before to the day", "relapse on therapy", True),
        ("relapse a day earlier", "relapse on therapy", False),
        ("relapse before the therapy", "relapse on therapy", False),
        ("relapse in an unknown month of 2012", "relapse on therapy", None),
        ("no therapy", "prior therapy", False),
        ("fits", "prior therapy", True),
        # the first infusion is no earlier course
        ("fits", "courses", False),
        ("pregnancy present", "pregnancy", False),
        ("fits", "pregnancy", True),
        ("malignancy present", "malignancy", False),
        ("infection present", "infection", False),
        ("unknown everywhere", "edss", None),
        ("unknown everywhere", "pregnancy", None),
        ("unknown everywhere", "relapse on therapy", None),
        # no rule reads "uncontrolled": never a pass
        ("autoimmunity present", "autoimmunity", None),
        ("fits", "autoimmunity", None),
    ],
)
def test_each_boundary(satisfied: dict, patient: str, criterion: str, expected: bool | None) -> None:
    assert satisfied[patient, criterion] is expected


@pytest.mark.parametrize(
    ("patient", "verdict"),
    [
        # one of the two parts is enough
        ("fits", "eligible_on_evaluable"),
        ("edss 3.0", "eligible_on_evaluable"),
        ("edss 7.0", "eligible_on_evaluable"),
        ("edss 2.5", "ineligible"),
        ("edss 7.5", "ineligible"),
        ("no edss", "indeterminate"),
        ("relapse two years before to the day", "eligible_on_evaluable"),
        ("relapse a day earlier", "ineligible"),
        ("no therapy", "ineligible"),
        ("pregnancy present", "ineligible"),
        ("malignancy present", "ineligible"),
        ("infection present", "ineligible"),
        ("unknown everywhere", "indeterminate"),
    ],
)
def test_verdicts(warehouse: Warehouse, patient: str, verdict: str) -> None:
    row = warehouse.sql(f"select verdict from trials.patient_eligibility where patient_id = '{patient}'")
    assert row["verdict"].to_list() == [verdict]
