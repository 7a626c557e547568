"""An inbox, a landing area and a lake of their own for tests of the cohort side."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from pipeline import lake
from pipeline.cohort import load, pseudonyms, schemas
from pipeline.landing import Landing
from pipeline.settings import CohortSettings

KEY = pseudonyms.Key(b"a key for tests, sixteen and more")
PATIENTS = [
    {"patient_id": "P1", "sex": "female", "birth_date": "1980-05-01", "onset_date": "2005-03-02"},
    {"patient_id": "P2", "sex": "male", "birth_date": "1975-11-30", "onset_date": "2001"},
    {"patient_id": "P3", "sex": "female", "birth_date": "1990-02", "onset_date": "2012-07"},
]
EDSS = [
    {"patient_id": "P1", "visit_date": "2010-01-04", "edss": "2.0"},
    {"patient_id": "P1", "visit_date": "2011-01-04", "edss": "2.5"},
    {"patient_id": "P2", "visit_date": "2010-06-01", "edss": "4"},
    {"patient_id": "P3", "visit_date": "2014-09-09", "edss": "1.5"},
]

# A sound record of every table, of a patient who was born in 1980 and whose disease began in 2005.
SOUND: dict[str, dict[str, Any]] = {
    "patients": {"sex": "female", "birth_date": "1980-01-01", "onset_date": "2005-03", "course": "RR"},
    "edss": {"visit_date": "2014-05-06", "edss": 3.5, "in_relapse": "no"},
    "relapses": {"onset_date": "2013-01-02"},
    "treatments": {"drug": "Avonex", "start_date": "2010-01-02"},
    "infusions": {"drug": "Lemtrada", "infusion_date": "2014-01-02", "dose_mg": 12},
    "mri_scans": {"scan_date": "2014-02-03", "gd_lesions": 1},
    "assessments": {"assessed_on": "2014-02-03", "instrument": "SDMT", "scale": "total_correct", "value": 50},
    "adverse_events": {"term": "Headache", "onset_date": "2014-03-04", "grade": 1},
    "laboratory": {"sampled_on": "2014-03-04", "test": "alt", "value": 20, "unit": "U/L"},
    "medical_history": {"category": "hiv", "status": "absent"},
    "pk_samples": {"first_dose_at": "2014-01-02 09:00", "time_h": 1, "concentration": 5, "unit": "ng/mL"},
}


class Clinic:
    """One home: `put` files into the inbox, `run` collect and load, read tables of the lake."""

    def __init__(self, root: Path):
        self.inbox = root / "inbox"
        self.private = root / "private"
        self.lake = root / "lake" / "cohort"
        self.landing = Landing(root / "landing", "cohort")
        self.private.mkdir(parents=True)
        self.inbox.mkdir()
        self.report: load.LoadReport | None = None

    def put(self, cohort: str, name: str, content: bytes | str) -> Path:
        path = self.inbox / cohort / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, **settings: Any) -> load.LoadReport:
        load.collect(self.inbox, self.landing)
        return self.load(**settings)

    def load(self, **settings: Any) -> load.LoadReport:
        self.report = load.load(self.landing, self.lake, self.private, CohortSettings(**settings), key=KEY)
        return self.report

    def table(self, name: str, cohort: str = "site") -> pl.DataFrame:
        current = lake.current(self.lake / cohort)
        assert current is not None
        return pl.read_parquet(current / name / "part-0.parquet")

    def rules(self, cohort: str = "site") -> dict[tuple[str, int], set[str]]:
        """(sheet, row) → rules of its rejection."""
        found: dict[tuple[str, int], set[str]] = {}
        for row in self.table("rejected_rows", cohort).iter_rows(named=True):
            found.setdefault((row["sheet"], row["row_number"]), set()).add(row["rule"])
        return found

    def warnings(self, table: str, cohort: str = "site") -> dict[int, set[str]]:
        """Source row → its warnings."""
        rows = self.table(table, cohort).filter(pl.col("warnings").is_not_null())
        return {row["source_row"]: set(row["warnings"].split(",")) for row in rows.iter_rows(named=True)}


def pseudonym(patient: str, cohort: str = "site") -> str:
    return KEY.pseudonym(cohort, patient)


def workbook(**tables: Iterable[Mapping[str, Any]] | Sequence[Sequence[Any]]) -> bytes:
    """An xlsx with a sheet a table, from records or from rows of cells."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        for name, rows in tables.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(cells(rows)):
                for column, value in enumerate(row):
                    if value not in (None, ""):
                        sheet.write(number, column, value)
    return buffer.getvalue()


def cells(rows: Any) -> list[list[Any]]:
    """Records as a header and rows; rows as they are."""
    rows = list(rows)
    if not rows or not isinstance(rows[0], Mapping):
        return [list(row) for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [names, *([row.get(name) for name in names] for row in rows)]


def table_csv(rows: Any, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(
        ["" if value is None else value for value in row] for row in cells(rows)
    )
    return out.getvalue()


def adds_up(report: load.LoadReport) -> bool:
    """rows in = accepted + rejected + not data for every sheet, and every rejected row is listed."""
    for result in report.cohorts:
        for row in result.deliveries.iter_rows(named=True):
            if row["rows_in"] != row["rows_accepted"] + row["rows_rejected"] + row["rows_not_data"]:
                return False
            if min(row["rows_accepted"], row["rows_rejected"], row["rows_not_data"]) < 0:
                return False
            listed = result.rejected_rows.filter(
                pl.col("delivery_id") == row["delivery_id"], pl.col("sheet") == row["sheet"]
            )
            if listed["row_number"].n_unique() != row["rows_rejected"]:
                return False
    return True


def check_schema(clinic: Clinic, cohort: str = "site") -> None:
    """Every lake table is there with exactly the columns and types of the dictionary."""
    for table in schemas.LAKE_TABLES:
        assert dict(clinic.table(table, cohort).schema) == schemas.lake_columns(table), table
