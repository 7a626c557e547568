"""`remit withdraw COHORT ID`: a patient leaves landing, lake, private lists and kept releases, and that is journalled.

Files in landing are written anew without the patient's rows, from the cells that Remit read (formulas become
their values); every other cell keeps its place. The file in the inbox is the clinic's own: a person deletes
the row there. Until then the patient's rows are left out of every load by the pseudonym in the journal.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl
import xlsxwriter

from pipeline import lake
from pipeline.cohort import load, mapping, pseudonyms, schemas, workbook
from pipeline.cohort.mapping import CohortMap
from pipeline.errors import BrokenWorkbook, CohortError, MappingError
from pipeline.landing import Entry, Landing
from pipeline.settings import CohortSettings


@dataclass(frozen=True)
class Withdrawal:
    """What was erased. `unsearched` counts sheets and files in which no patient column is known."""

    cohort: str
    pseudonym: str
    files: int
    rows: int
    snapshots: int
    releases: int
    unsearched: int

    def lines(self) -> list[str]:
        """For the person who asked."""
        lines = [
            f"{self.cohort}: patient withdrawn; {self.rows:,} rows left {self.files:,} landed files, "
            f"{self.snapshots:,} lake snapshots and {self.releases:,} releases were cleaned.",
            "Delete the patient in the spreadsheet of the inbox too, and run `remit run`.",
        ]
        if self.unsearched:
            lines.append(
                f"{self.unsearched:,} sheets have no known patient column and were searched for the number alone: "
                "look at them yourself."
            )
        return lines


def withdraw(
    landing: Landing,
    lake_root: Path,
    private: Path,
    settings: CohortSettings,
    *,
    key: pseudonyms.Key,
    cohort: str,
    patient: str,
    is_invented: bool = False,
    clean_releases: Callable[[str, str], int] | None = None,
) -> Withdrawal:
    """Erase one patient.

    Args:
        patient: the identifier as the clinic writes it (with the map's prefix where two files share numbers).
        clean_releases: gets cohort and pseudonym, rebuilds or removes kept releases, says how many.

    Raises:
        CohortError: no such cohort or patient; nothing was changed.
    """
    every, _ = load.inputs(landing)
    ever = {entry.source for entry in landing.entries()}
    if cohort not in ever:
        raise CohortError("there is no such cohort: give the name of its folder in the inbox.")
    pseudonym, original = _who(private, key, cohort, patient)
    given = next((g for g in every if g.cohort == cohort), None)
    cohort_map = CohortMap()
    if given is not None and given.map_sha256:
        try:
            cohort_map = mapping.parse(landing.read(given.map_sha256).decode("utf-8-sig", "replace"))
        except MappingError:
            cohort_map = CohortMap()
    files = rows = unsearched = 0
    obsolete: list[str] = []
    in_force = {(e.name, e.sha256): e for e in landing.current(cohort)}
    seen: set[tuple[str, str]] = set()
    # The intent comes first: a run killed in the middle leaves a patient out of every load all the same.
    landing.record(source=cohort, name="", event="erased", patient=pseudonym)
    for entry in list(landing.entries()):
        place = (entry.name, entry.sha256)
        is_file = entry.source == cohort and entry.event == "received"
        if not is_file or place in seen or not landing.blob(entry.sha256).exists():
            continue
        seen.add(place)
        content, gone, unknown = _without(landing, entry, cohort_map, key, pseudonym, original, settings)
        unsearched += unknown
        if not gone:
            continue
        files, rows = files + 1, rows + gone
        if place in in_force:
            new, size = landing.put(content)
            first = entry.details.get("replaces", entry.sha256)
            landing.record(source=cohort, name=entry.name, sha256=entry.sha256, event="erased")
            landing.record(source=cohort, name=entry.name, sha256=new, size=size, replaces=first)
        obsolete.append(entry.sha256)
    still = {entry.sha256 for entry in landing.current()}
    for sha256 in obsolete:
        if sha256 not in still:
            landing.blob(sha256).unlink(missing_ok=True)
    snapshots = _clean_lake(lake_root / cohort, pseudonym)
    _clean_derived(lake_root.parent, cohort, pseudonym)
    for old in (private / "queries" / cohort).glob("*"):
        old.unlink()
    (private / "rejected" / f"{cohort}.parquet").unlink(missing_ok=True)
    (private / "withheld" / f"{cohort}.xlsx").unlink(missing_ok=True)
    pseudonyms.forget(private, cohort, [pseudonym])
    load.load(landing, lake_root, private, settings, key=key, is_invented=is_invented)
    releases = clean_releases(cohort, pseudonym) if clean_releases else 0
    return Withdrawal(cohort, pseudonym, files, rows, snapshots, releases, unsearched)


def _who(private: Path, key: pseudonyms.Key, cohort: str, patient: str) -> tuple[str, str]:
    walk = pseudonyms.read_crosswalk(private, cohort)
    original = pl.select(pseudonyms.normalise(pl.lit(patient, dtype=pl.String))).item()
    found = walk.filter(pl.col("original_id") == original)
    if found.is_empty():
        # Where the map puts a prefix before numbers, the number alone may still be enough.
        found = walk.filter(pl.col("original_id").str.ends_with(original)) if original else found
    if found.height != 1:
        what = (
            "no patient of this cohort has" if found.is_empty() else "several patients of this cohort end in"
        )
        raise CohortError(f"{what} this identifier: give it as the spreadsheet does, with the map's prefix.")
    return found["patient_id"][0], found["original_id"][0]


def _without(
    landing: Landing,
    entry: Entry,
    cohort_map: CohortMap,
    key: pseudonyms.Key,
    pseudonym: str,
    original: str,
    settings: CohortSettings,
) -> tuple[bytes, int, int]:
    """A landed file without the patient's rows, how many those were, and sheets that could not be searched well."""
    content = landing.read(entry.sha256)
    if entry.name.casefold() in load.MAP_NAMES:
        return content, 0, 0
    if entry.name.casefold() == load.LEDGER_NAME:
        return *_ledger_without(content, original), 0
    try:
        book = workbook.read(
            content, entry.name, load.limits(settings), **mapping.text_file(entry.name, cohort_map)
        )
    except BrokenWorkbook:
        return content, 0, 1
    return _book_without(book, entry, cohort_map, key, pseudonym, original)


def _ledger_without(content: bytes, original: str) -> tuple[bytes, int]:
    """The ledger without the lines that name the patient, as patient or as a value."""
    lines = content.splitlines(keepends=True)
    named = re.compile(rb"(?:^|[,;\t\"\s])" + re.escape(original.encode()) + rb"(?:$|[,;\t\"\s])")
    kept = [line for number, line in enumerate(lines) if number == 0 or not named.search(line)]
    return b"".join(kept), len(lines) - len(kept)


def _book_without(
    book: workbook.Workbook,
    entry: Entry,
    cohort_map: CohortMap,
    key: pseudonyms.Key,
    pseudonym: str,
    original: str,
) -> tuple[bytes, int, int]:
    gone = unknown = 0
    kept: list[tuple[workbook.Sheet, pl.Series]] = []
    for sheet in book.sheets:
        plan = mapping.plan(entry.name, sheet, cohort_map, is_csv=book.is_text)
        columns = {
            (source.column, source.prefix)
            for record in plan.records
            if (source := record.sources.get("patient_id")) is not None and source.column is not None
        }
        is_patient = pl.repeat(False, sheet.cells.height, dtype=pl.Boolean, eager=True)
        for column, prefix in columns:
            ids = prefix + pseudonyms.normalise(sheet.cells[f"c{column}"])
            walk = key.pseudonyms(entry.source, ids)
            mine = walk.filter(pl.col("patient_id") == pseudonym)["written"]
            is_patient |= ids.is_in(mine.implode()).fill_null(False)
        if not columns and plan.status != "legend":
            unknown += 1
            for column in (c for c in sheet.cells.columns if c != "row"):
                text = pseudonyms.normalise(sheet.cells[column])
                # A short number stands in many cells that are no patient: only an unmistakable one is searched.
                if not original.isdigit() or len(original) > 4 or column == "c1":
                    is_patient |= (text == original).fill_null(False)
        gone += int(is_patient.sum())
        kept.append((sheet, is_patient))
    if not gone:
        return b"", 0, unknown
    return (_as_text(book, kept) if book.is_text else _as_xlsx(kept)), gone, unknown


def _blanked(sheet: workbook.Sheet, is_gone: pl.Series) -> pl.DataFrame:
    names = [name for name in sheet.cells.columns if name != "row"]
    return sheet.cells.select(pl.when(~is_gone).then(pl.col(name)).alias(name) for name in names)


def _as_text(book: workbook.Workbook, kept: list[tuple[workbook.Sheet, pl.Series]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=book.delimiter or ",", lineterminator="\n")
    for sheet, is_gone in kept:
        writer.writerows([cell or "" for cell in row] for row in _blanked(sheet, is_gone).iter_rows())
    return text.getvalue().encode("utf-8-sig")


def _as_xlsx(kept: list[tuple[workbook.Sheet, pl.Series]]) -> bytes:
    """Cells with their kinds at their places. A row loop: this runs once for a withdrawn patient."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for sheet, is_gone in kept:
            target = book.add_worksheet(sheet.name)
            if sheet.is_hidden:
                target.hide()
            cells = _blanked(sheet, is_gone)
            kinds = sheet.kinds.select(cells.columns)
            for row, (texts, sorts) in enumerate(zip(cells.iter_rows(), kinds.iter_rows(), strict=True)):
                for column, (text, sort) in enumerate(zip(texts, sorts, strict=True)):
                    if text is None:
                        continue
                    if sort == "number":
                        target.write_number(row, column, float(text))
                    elif sort == "boolean":
                        target.write_boolean(row, column, text == "true")
                    elif sort == "date":
                        value = datetime.fromisoformat(text)
                        whole = value.time() == time()
                        if value.date() >= date(1900, 3, 1):
                            target.write_datetime(row, column, value, day if whole else moment)
                        else:
                            target.write_string(row, column, text)
                    else:
                        target.write_string(row, column, text)
    return buffer.getvalue()


def _clean_lake(base: Path, pseudonym: str) -> int:
    """Take the patient out of every snapshot that is kept; says how many held a row."""
    cleaned = 0
    snapshots = [p for p in base.iterdir() if p.is_dir() and not p.is_symlink()] if base.is_dir() else []
    for snapshot in snapshots:
        was_here = False
        for table in schemas.TABLES:
            file = snapshot / table / "part-0.parquet"
            if not file.exists():
                continue
            frame = pl.read_parquet(file)
            rest = frame.filter(pl.col("patient_id") != pseudonym)
            if rest.height < frame.height:
                was_here = True
                lake.write_table(snapshot, table, rest)
        cleaned += was_here
    return cleaned


def _clean_derived(lake_home: Path, cohort: str, pseudonym: str) -> None:
    """Take the patient out of what the last build left in the lake beside the snapshots."""
    for folder in ("statistics", "derived"):
        for file in sorted((lake_home / folder).rglob("*.parquet")):
            columns = pl.read_parquet_schema(file)
            if not {"cohort", "patient_id"} <= set(columns):
                continue
            frame = pl.read_parquet(file)
            rest = frame.filter(~((pl.col("cohort") == cohort) & (pl.col("patient_id") == pseudonym)))
            if rest.height < frame.height:
                partial = file.with_name(f".{file.name}.partial")
                rest.write_parquet(partial, compression="zstd")
                partial.replace(file)
