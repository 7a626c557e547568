"""A withdrawn patient is nowhere any more: landing, lake, private lists; and stays out."""

from __future__ import annotations

import polars as pl
import pytest
import zstandard

from pipeline.cohort import pseudonyms, withdrawal
from pipeline.errors import CohortError
from pipeline.settings import CohortSettings
from tests.support.cohorts import EDSS, KEY, PATIENTS, Clinic, adds_up, pseudonym, table_csv, workbook


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    clinic = Clinic(tmp_path)
    patients = [row | {"patient_id": row["patient_id"].replace("P1", "SUBJECT-77")} for row in PATIENTS]
    edss = [row | {"patient_id": row["patient_id"].replace("P1", "SUBJECT-77")} for row in EDSS]
    bad = {"patient_id": "SUBJECT-77", "visit_date": "2012-13-13", "edss": "2"}
    clinic.put("site", "edss.csv", table_csv(edss[:1]))
    clinic.run()
    clinic.put("site", "edss.csv", table_csv([*edss, bad]))
    clinic.put("site", "patients.xlsx", workbook(patients=patients))
    ledger = "sheet,cell,table,patient_id,field,old_value,new_value,who,when,why\n"
    ledger += ",,patients,SUBJECT-77,sex,female,male,me,2026-01-01,letter\n"
    ledger += ",,patients,P2,course,,RR,me,2026-01-01,letter\n"
    clinic.put("site", "corrections.csv", ledger)
    clinic.run()
    return clinic


def withdraw(clinic: Clinic, patient: str, **options) -> withdrawal.Withdrawal:
    return withdrawal.withdraw(
        clinic.landing,
        clinic.lake,
        clinic.private,
        CohortSettings(),
        key=KEY,
        cohort="site",
        patient=patient,
        **options,
    )


def everything(clinic: Clinic) -> bytes:
    """All that is kept, with stored forms decoded."""
    found = []
    for path in [*clinic.landing.root.rglob("*"), *clinic.private.rglob("*"), *clinic.lake.rglob("*")]:
        if not path.is_file():
            continue
        if path.suffix == ".zst":
            content = zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read()
            if content[:2] == b"PK":
                content = _unzipped(content)
            found.append(content)
        elif path.suffix == ".parquet":
            found.append(pl.read_parquet(path).write_ndjson().encode())
        elif path.suffix == ".xlsx":
            found.append(_unzipped(path.read_bytes()))
        else:
            found.append(path.read_bytes())
    return b"\n".join(found)


def _unzipped(content: bytes) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def test_nothing_of_the_patient_is_left(clinic):
    assert b"SUBJECT-77" in everything(clinic)
    assert pseudonym("SUBJECT-77").encode() in everything(clinic)
    cleaned = []
    done = withdraw(clinic, " SUBJECT-77 ", clean_releases=lambda *who: cleaned.append(who) or 2)
    assert cleaned == [("site", pseudonym("SUBJECT-77"))]
    # Three EDSS and one more in the older file, the patient's own row, a line of the ledger.
    assert (done.releases, done.rows) == (2, 6)
    left = everything(clinic)
    assert b"SUBJECT-77" not in left
    # Its pseudonym stands in the journal alone, to keep the patient out.
    assert left.count(pseudonym("SUBJECT-77").encode()) == 1
    assert clinic.table("patients").height == 2
    assert clinic.table("edss")["patient_id"].n_unique() == 2
    assert clinic.table("edss")["source_row"].to_list() == [4, 5]


def test_what_the_last_build_left_in_the_lake_is_cleaned_too(clinic):
    gone, stays = pseudonym("SUBJECT-77"), pseudonym("P2")
    file = clinic.lake.parent / "derived" / "events.parquet"
    file.parent.mkdir()
    rows = {"cohort": ["site", "site", "other"], "patient_id": [gone, stays, gone], "n": [1, 2, 3]}
    pl.DataFrame(rows).write_parquet(file)
    pl.DataFrame({"cohort": ["site"], "rate": [0.5]}).write_parquet(file.with_name("rates.parquet"))
    withdraw(clinic, "SUBJECT-77")
    assert pl.read_parquet(file)["n"].to_list() == [2, 3]


def test_the_file_in_the_inbox_does_not_bring_the_patient_back(clinic):
    withdraw(clinic, "SUBJECT-77")
    report = clinic.run()
    assert b"SUBJECT-77" not in everything(clinic)
    assert clinic.table("deliveries")["delivery_id"].unique().sort().to_list() == ["site-0002", "site-0003"]
    assert adds_up(report)


def test_a_new_delivery_with_the_patient_is_loaded_without_and_says_so(clinic):
    withdraw(clinic, "SUBJECT-77")
    again = [*EDSS[2:], {"patient_id": "SUBJECT-77", "visit_date": "2015-01-01", "edss": "3"}]
    clinic.put("site", "edss.csv", table_csv(again))
    report = clinic.run()
    assert adds_up(report)
    assert clinic.rules()[("edss", 4)] == {"withdrawn_patient"}
    assert any("withdrawn patients" in problem.message for problem in report.all_problems)
    assert pseudonym("SUBJECT-77") not in clinic.table("edss")["patient_id"].to_list()
    assert pseudonyms.read_crosswalk(clinic.private, "site").height == 2


def test_unknown_cohorts_and_patients_change_nothing(clinic):
    before = everything(clinic)
    with pytest.raises(CohortError, match="identifier"):
        withdraw(clinic, "P99")
    with pytest.raises(CohortError, match="no such cohort"):
        withdrawal.withdraw(
            clinic.landing, clinic.lake, clinic.private, CohortSettings(), key=KEY, cohort="x", patient="P1"
        )
    assert everything(clinic) == before
