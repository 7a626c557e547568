"""The ledger of corrections: `corrections.csv` beside the workbooks says which cell is to be read otherwise.

The spreadsheet is never edited. A correction names a cell (sheet and cell) or a record (table, patient,
date), the field, the old and the new value, who, when and why; it is refused where the old value no longer
stands there. Nothing here types or validates values.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.cohort.mapping import RecordPlan, column_number, normal
from pipeline.cohort.schemas import TABLES

COLUMNS = (
    "file",
    "sheet",
    "cell",
    "table",
    "patient_id",
    "date",
    "field",
    "old_value",
    "new_value",
    "who",
    "when",
    "why",
)
_CELL = re.compile(r"([A-Za-z]{1,3})([1-9][0-9]{0,6})")


@dataclass(frozen=True)
class Correction:
    """One line of the ledger. Either `cell` (with `sheet`), or `table`, `patient_id` and `field` are given."""

    line: int
    file: str
    sheet: str
    column: int | None
    row: int | None
    table: str
    patient_id: str
    date: str
    field: str
    old_value: str
    new_value: str


@dataclass(frozen=True)
class Refused:
    """A line of the ledger that was not applied, and why; without values."""

    line: int
    reason: str

    @property
    def message(self) -> str:
        return f"corrections.csv, line {self.line}: {self.reason}"


def parse(content: bytes) -> tuple[list[Correction], list[Refused]]:
    """The corrections of a ledger, and the lines that are incomplete.

    Args:
        content: CSV (comma, semicolon or tab; UTF-8 or Windows-1252) with the columns of `COLUMNS`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = {normal(name or ""): name for name in reader.fieldnames or ()}
    missing = [c for c in ("old_value", "new_value", "who", "when", "why") if normal(c) not in names]
    if missing:
        reason = f"no column {', '.join(missing)}. The columns are {', '.join(COLUMNS)}."
        return [], [Refused(1, reason)] if text.strip() else []
    corrections, refused = [], []
    try:
        for row in reader:
            line = reader.line_num
            values = {c: (row.get(names.get(normal(c), "")) or "").strip() for c in COLUMNS}
            if not any(values.values()):
                continue
            found = _correction(line, values)
            (corrections if isinstance(found, Correction) else refused).append(found)
    except csv.Error:
        refused.append(Refused(reader.line_num, "this line is not CSV. Check its quotes."))
    return corrections, refused


def _correction(line: int, values: dict[str, str]) -> Correction | Refused:
    for name in ("who", "when", "why"):
        if not values[name]:
            return Refused(line, f"{name} is blank. Say who corrects, when and why.")
    try:
        date.fromisoformat(values["when"][:10])
    except ValueError:
        return Refused(line, "`when` is no date like 2026-03-02. Correct it.")
    column = row = None
    table = normal(values["table"]).replace(" ", "_")
    if values["cell"]:
        match = _CELL.fullmatch(values["cell"])
        if not match:
            return Refused(line, "`cell` is no cell like E12. Correct it.")
        if not values["sheet"]:
            return Refused(
                line, "`sheet` is blank. Give the name or number of the sheet that the cell is in."
            )
        column, row = column_number(match[1]), int(match[2])
    else:
        if table not in TABLES:
            return Refused(line, "neither a cell nor a canonical `table` is given. Give one of them.")
        if not values["patient_id"]:
            return Refused(line, "`patient_id` is blank. Name the record that is meant.")
        if normal(values["field"]).replace(" ", "_") not in {f.name for f in TABLES[table]}:
            return Refused(line, f"`field` is no field of {table}. Correct it.")
    return Correction(
        line=line,
        file=values["file"],
        sheet=values["sheet"],
        column=column,
        row=row,
        table=table,
        patient_id=values["patient_id"],
        date=values["date"],
        field=normal(values["field"]).replace(" ", "_"),
        old_value=values["old_value"],
        new_value=values["new_value"],
    )


class Ledger:
    """The corrections of one cohort while its sheets are read; it remembers which were applied."""

    def __init__(self, corrections: Iterable[Correction]):
        self.corrections = tuple(corrections)
        self._applied: set[int] = set()
        self._mismatched: set[int] = set()

    def apply(
        self, raw: pl.DataFrame, plan: RecordPlan, *, file: str, sheet: str, number: int
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Text of one record plan with corrections, and what was corrected (`source_row`, `column`).

        Args:
            raw: `source_row` and one text column a field.
            file: name of the file. sheet, number: name and number of the sheet.
        """
        corrected: list[tuple[int, str]] = []
        for correction in self.corrections:
            if correction.file and not fnmatch.fnmatchcase(file.casefold(), correction.file.casefold()):
                continue
            if correction.sheet and not (
                normal(correction.sheet) == normal(sheet) or correction.sheet == str(number)
            ):
                continue
            for field in self._fields(correction, plan):
                raw = self._one(raw, correction, field, corrected)
        schema = {"source_row": pl.Int64(), "column": pl.String()}
        return raw, pl.DataFrame(corrected, schema=schema, orient="row")

    def refused(self) -> list[Refused]:
        """After all sheets were read: corrections that met no cell, or another value than the old one."""
        result = []
        for correction in self.corrections:
            if correction.line in self._applied:
                continue
            if correction.line in self._mismatched:
                reason = (
                    "the old value no longer stands there, nothing was changed. Remove or renew this line."
                )
            else:
                reason = (
                    "no such cell or record was delivered, nothing was changed. Remove or correct this line."
                )
            result.append(Refused(correction.line, reason))
        return result

    @staticmethod
    def _fields(correction: Correction, plan: RecordPlan) -> list[str]:
        if correction.column is not None:
            return [name for name, source in plan.sources.items() if source.column == correction.column]
        is_here = correction.table == plan.table and correction.field in plan.sources
        return [correction.field] if is_here else []

    def _one(
        self, raw: pl.DataFrame, correction: Correction, field: str, corrected: list[tuple[int, str]]
    ) -> pl.DataFrame:
        if correction.row is not None:
            is_meant = pl.col("source_row") == correction.row
        else:
            is_meant = _same("patient_id", correction.patient_id)
            if correction.date:
                dated = [
                    f.name for f in TABLES[correction.table] if f.kind == "date" and f.name in raw.columns
                ]
                if not dated:
                    return raw
                is_meant &= _same(dated[0], correction.date)
        is_old = _same(field, correction.old_value)
        meant = raw.select(is_meant.fill_null(False).alias("meant"), is_old.fill_null(False).alias("old"))
        if not meant["meant"].any():
            return raw
        both = meant["meant"] & meant["old"]
        # A record named by patient and date must be one record: else nobody knows which was meant.
        if not both.any() or (correction.row is None and both.sum() > 1):
            self._mismatched.add(correction.line)
            return raw
        self._applied.add(correction.line)
        corrected += [(row, field) for row in raw["source_row"].filter(both)]
        new = correction.new_value or None
        return raw.with_columns(
            pl.when(both).then(pl.lit(new, dtype=pl.String)).otherwise(pl.col(field)).alias(field)
        )


def _same(field: str, text: str) -> pl.Expr:
    """A cell holds this text; 12.0 and 12 are one number, blank and absent are the same."""
    cell = pl.col(field).fill_null("").str.strip_chars()
    plain = cell.str.replace(r"^(-?\d+)\.0+$", "$1")
    return (cell == text) | (plain == re.sub(r"^(-?\d+)\.0+$", r"\1", text))
