"""From the inbox to the lake: land the files, read each cohort, set faulty rows aside, write its snapshot.

Order of work in a cohort: cells → plan of each sheet → text of each record → corrections → pseudonyms →
values → rules → split. Everything follows from landing, the pseudonym key and the code: no clock is read.
A broken file or cohort stops that cohort alone. What leaves here names deliveries, canonical fields and
`column 7`; file names and values go to `private/` only.
"""

from __future__ import annotations

import hashlib
import re
import traceback
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipeline import lake
from pipeline.cohort import corrections, mapping, pseudonyms, queries, records, schemas, validation, workbook
from pipeline.cohort.mapping import CohortMap, SheetPlan
from pipeline.errors import (
    BrokenWorkbook,
    CohortError,
    ColumnDrift,
    HomeError,
    MappingError,
    SourceError,
    TooManyRejected,
)
from pipeline.landing import Entry, Landing
from pipeline.quality import rows as row_checks
from pipeline.settings import CohortSettings

MAP_NAMES = ("cohort.yaml", "cohort.yml")
LEDGER_NAME = "corrections.csv"
LOOK_BACK = 5  # states of a stopped cohort that are tried before nothing of it is published
NO_COHORT = "_none"  # the typed empty cohort that dbt's globs always find
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
# What spreadsheet programs and file systems leave beside the files that people mean.
_LITTER = re.compile(r"^(\.|~\$)|^(Thumbs\.db|desktop\.ini)$")

Progress = Callable[[str, int, int], None]  # what is done, how many of how many


@dataclass(frozen=True)
class Problem:
    """One line for a person: which cohort, which delivery, what to do. No value, no file name."""

    cohort: str
    delivery_id: str | None
    message: str
    stops: Literal["nothing", "file", "cohort"] = "nothing"
    kind: type[CohortError] = CohortError  # which fault of errors.py it is

    def __str__(self) -> str:
        return f"{self.delivery_id or self.cohort}: {self.message}"


@dataclass(frozen=True)
class Collected:
    """What `collect` did to landing."""

    cohorts: tuple[str, ...]
    received: int
    unchanged: int
    withdrawn: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Change:
    """How a table of a cohort differs from the snapshot before: records by patient and date."""

    table: str
    added: int
    removed: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class CohortResult:
    """One cohort after loading. `deliveries` and `rejected_rows` are the lake's frames."""

    cohort: str
    status: Literal["loaded", "stopped"]
    deliveries: pl.DataFrame
    rejected_rows: pl.DataFrame
    rows: dict[str, int]
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...] = ()
    checks: tuple[row_checks.Check, ...] = ()
    snapshot: str = ""

    @property
    def accepted(self) -> int:
        return int(self.deliveries["rows_accepted"].sum())

    @property
    def rejected(self) -> int:
        return int(self.deliveries["rows_rejected"].sum())


@dataclass(frozen=True)
class LoadReport:
    """What `load` did, cohort by cohort."""

    cohorts: tuple[CohortResult, ...]
    withdrawn: tuple[str, ...] = ()
    key_fingerprint: str = ""
    problems: tuple[Problem, ...] = field(default=())

    @property
    def loaded_anything(self) -> bool:
        """Whether any cohort brought a canonical record: if not, the run has nothing of patients to show."""
        return any(result.accepted for result in self.cohorts)

    @property
    def row_counts(self) -> dict[str, int]:
        """Rows of each lake table over all cohorts."""
        return {
            table: sum(result.rows.get(table, 0) for result in self.cohorts) for table in schemas.LAKE_TABLES
        }

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        return (*self.problems, *(problem for result in self.cohorts for problem in result.problems))

    def summary(self) -> list[str]:
        """One line a cohort, and what changed in its tables since the delivery before; counts alone."""
        lines = []
        for result in self.cohorts:
            data = f"{result.accepted:,} rows accepted, {result.rejected:,} rejected"
            state = data
            if result.status == "stopped":
                rest = (
                    "the delivery before stays in force" if result.accepted else "nothing of it is published"
                )
                state = f"stopped, {rest}"
            lines.append(f"{result.cohort}: {state}")
            for change in result.changes:
                if change.added or change.removed or change.changed:
                    lines.append(
                        f"  {change.table}: {change.added:,} added, {change.changed:,} changed, "
                        f"{change.removed:,} removed since the delivery before"
                    )
        return lines

    def lines(self) -> list[str]:
        """The report for a terminal: the summary, then the problems."""
        return self.summary() + [f"  {problem}" for problem in self.all_problems]


# --- collect ------------------------------------------------------------------------------------------------


def cohort_name(folder: str) -> str:
    """The name under which a folder of the inbox is known: the folder's own where it is safe.

    Blanks, quotes, accents and the like become `_`; nothing usable left gives `cohort_` and a hash.
    """
    if _SAFE.fullmatch(folder) and folder != NO_COHORT:
        return folder
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-")[:50].rstrip("_-")
    return plain or f"cohort_{hashlib.sha256(folder.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def files_of(folder: Path) -> dict[str, Path]:
    """The files of one cohort's folder by their names within it; litter of programs left out."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(_LITTER.search(part) for part in path.relative_to(folder).parts)
    }


def asked_for(paths: Sequence[Path]) -> tuple[Path, dict[str, Path]]:
    """The data files that a person named, and the folder whose cohort.yaml and corrections.csv apply to them.

    Raises:
        BrokenWorkbook: a path does not exist, or a folder holds no spreadsheet.
    """
    files: dict[str, Path] = {}
    for path in paths:
        if path.is_dir():
            found = {name: file for name, file in files_of(path).items() if not is_setting(name)}
            if not found:
                raise BrokenWorkbook("the folder holds no spreadsheet: give a cohort's folder or a file.")
            files |= found
        elif path.is_file():
            files[path.name] = path
        else:
            raise BrokenWorkbook("there is no such file: give the path of a spreadsheet.")
    return paths[0] if paths[0].is_dir() else paths[0].parent, files


def map_of(folder: Path) -> CohortMap:
    """What the `cohort.yaml` of a folder says; without one, nothing.

    Raises:
        MappingError: it is wrong.
    """
    file = next((path for name in MAP_NAMES if (path := folder / name).is_file()), None)
    return mapping.parse(file.read_text("utf-8-sig")) if file else CohortMap()


def collect(inbox: Path, landing: Landing, progress: Progress | None = None) -> Collected:
    """Land every file of `inbox/<cohort>/`; withdraw what is no longer there.

    The same bytes under the same name are nothing new. `cohort.yaml` and `corrections.csv` are landed too,
    because they decide the result.

    Raises:
        SourceError: there is no such folder, or no cohort with a file in it; landing stays as it was.
    """
    if not inbox.is_dir():
        raise SourceError("the folder of cohorts does not exist: make it, or give another with COHORTS=path.")
    try:
        folders = sorted(path for path in inbox.iterdir() if not _LITTER.search(path.name))
    except OSError as error:
        raise SourceError(
            f"the folder of cohorts cannot be read ({error.strerror}): give yourself the right to read it."
        ) from None
    problems: list[Problem] = []
    files: dict[str, dict[str, Path]] = {}
    loose = [path for path in folders if path.is_file()]
    if loose:
        problems.append(
            Problem("inbox", None, f"{len(loose)} file(s) lie beside the cohort folders and are not read: "
                    "move each into a folder of its cohort.", "file")
        )  # fmt: skip
    for folder in (path for path in folders if path.is_dir()):
        name = cohort_name(folder.name)
        if name in files:
            problems.append(
                Problem(
                    name, None, "two folders of the inbox would have this name: rename one of them.", "cohort"
                )
            )
            continue
        found = files_of(folder)
        if found:
            files[name] = found
        else:
            problems.append(
                Problem(name, None, "the folder is empty: put the cohort's workbooks there.", "nothing")
            )
    if not files:
        raise SourceError(
            "the folder of cohorts holds no cohort: put workbooks into a folder for each cohort below it, "
            "or run `remit template` for an empty one."
        )
    before = {(entry.source, entry.name): entry for entry in landing.current()}
    # One time for all of a collect: what arrived together is one state of a cohort.
    now = datetime.now(UTC)
    received = unchanged = done = 0
    total = sum(len(found) for found in files.values())
    for cohort, found in files.items():
        for name, path in found.items():
            done += 1
            # A name that is not UTF-8 on disk still has to go into the journal.
            key = (cohort, name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
            entry = before.pop(key, None)
            try:
                with path.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                if entry is not None and digest in (entry.sha256, entry.details.get("replaces")):
                    unchanged += 1
                    continue
                sha256, size = landing.put(path)
            except OSError as error:
                problems.append(
                    Problem(
                        cohort, None, f"a file cannot be read ({error.strerror}): check its rights.", "file"
                    )
                )
                if entry is not None:
                    unchanged += 1
                continue
            landing.record(source=cohort, name=key[1], sha256=sha256, size=size, at=now)
            received += 1
            if progress:
                progress("files landed", done, total)
    for entry in before.values():
        landing.record(source=entry.source, name=entry.name, sha256=entry.sha256, event="withdrawn", at=now)
    return Collected(tuple(files), received, unchanged, len(before), tuple(problems))


# --- deliveries ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """One distinct data file of a cohort in force. `name` is private."""

    delivery_id: str
    name: str
    sha256: str
    received_at: datetime  # UTC, naive as the lake keeps it


@dataclass(frozen=True)
class Inputs:
    """What decides the result of one cohort."""

    cohort: str
    deliveries: tuple[Delivery, ...]
    map_sha256: str | None
    ledger_sha256: str | None
    withdrawn: frozenset[str]  # pseudonyms of erased patients


def inputs(landing: Landing) -> tuple[list[Inputs], list[dict[str, Any]]]:
    """The cohorts in force with their deliveries, and every delivery ever (for the private list).

    A delivery is a distinct content; its number is its place in the order of receipt within the cohort.
    """
    history = _History.of(landing)
    by_cohort: dict[str, list[Entry]] = {}
    for entry in landing.current():
        by_cohort.setdefault(entry.source, []).append(entry)
    return [
        history.inputs(cohort, entries) for cohort, entries in sorted(by_cohort.items())
    ], history.register


@dataclass
class _History:
    """What the journal says of deliveries: their numbers, first receipt, states and erased patients."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    first: dict[tuple[str, str], str] = field(default_factory=dict)
    erased: dict[str, set[str]] = field(default_factory=dict)
    register: list[dict[str, Any]] = field(default_factory=list)
    states: dict[str, dict[str, list[Entry]]] = field(default_factory=dict)  # cohort → time → files in force

    @classmethod
    def of(cls, landing: Landing) -> _History:
        history = cls()
        count: dict[str, int] = {}
        in_force: dict[str, dict[str, Entry]] = {}
        for entry in landing.entries():
            cohort = entry.source
            if entry.event == "erased" and (pseudonym := entry.details.get("patient")):
                history.erased.setdefault(cohort, set()).add(pseudonym)
                continue
            files = in_force.setdefault(cohort, {})
            files.pop(entry.name, None)
            if entry.event == "received":
                files[entry.name] = entry
            history.states.setdefault(cohort, {})[entry.time] = list(files.values())
            if entry.event != "received" or is_setting(entry.name):
                continue
            key = (cohort, entry.sha256)
            replaced = (cohort, entry.details.get("replaces", ""))
            if key not in history.numbers:
                if replaced in history.numbers:
                    history.numbers[key] = history.numbers[replaced]
                    history.first[key] = history.first[replaced]
                else:
                    count[cohort] = history.numbers[key] = count.get(cohort, 0) + 1
                    history.first[key] = entry.time
            history.register.append(
                {
                    "delivery_id": f"{cohort}-{history.numbers[key]:04d}",
                    "file_name": entry.name,
                    "file_sha256": entry.sha256,
                    "received_at": entry.time,
                }
            )
        return history

    def inputs(self, cohort: str, entries: Sequence[Entry]) -> Inputs:
        """These files as one state of a cohort."""
        data: dict[str, Delivery] = {}
        for entry in sorted((e for e in entries if not is_setting(e.name)), key=lambda e: e.name):
            key = (cohort, entry.sha256)
            at = datetime.fromisoformat(self.first[key]).replace(tzinfo=None)
            # The same content under two names is one delivery.
            data.setdefault(
                entry.sha256,
                Delivery(f"{cohort}-{self.numbers[key]:04d}", entry.name, entry.sha256, at),
            )
        settings = {e.name.casefold(): e.sha256 for e in entries if is_setting(e.name)}
        return Inputs(
            cohort,
            tuple(sorted(data.values(), key=lambda d: d.delivery_id)),
            next((settings[n] for n in MAP_NAMES if n in settings), None),
            settings.get(LEDGER_NAME),
            frozenset(self.erased.get(cohort, ())),
        )

    def before(self, given: Inputs, landing: Landing) -> Iterator[Inputs]:
        """Earlier states of a cohort, newest first: those that share a file's name with the one given."""
        names = {delivery.name for delivery in given.deliveries}
        seen = {given}
        for entries in reversed(self.states.get(given.cohort, {}).values()):
            state = self.inputs(given.cohort, entries)
            is_kept = all(landing.blob(entry.sha256).exists() for entry in entries)
            if state in seen or not is_kept or not names & {d.name for d in state.deliveries}:
                continue
            seen.add(state)
            yield state


def is_setting(name: str) -> bool:
    """Whether a landed file is no data but decides how data are read."""
    return name.casefold() in (*MAP_NAMES, LEDGER_NAME)


# --- load ---------------------------------------------------------------------------------------------------


def load(
    landing: Landing,
    lake_root: Path,
    private: Path,
    settings: CohortSettings,
    *,
    key: pseudonyms.Key,
    is_invented: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Write one lake snapshot for each cohort in force, and take the others out of the lake.

    Args:
        landing: the landing area of the cohort side.
        lake_root: `lake/cohort`.
        private: `private/`; gets query lists, rejected rows with values, the crosswalk, the file names.
        key: the pseudonym key.
        is_invented: the cohorts are the sample that ships with Remit.
        progress: called after each cohort.

    A cohort that may not be published is in the report with status `stopped`: its new deliveries and their
    rows stand in the snapshot as rejected, and its records are those of the newest earlier state that shares
    a file's name and may be published (none: no record).
    """
    every, register = inputs(landing)
    queries.write_register(private, register)
    results = []
    for number, given in enumerate(every, start=1):
        try:
            result = _load_cohort(given, landing, lake_root, private, settings, key, is_invented=is_invented)
            (private / "errors" / f"{given.cohort}.txt").unlink(missing_ok=True)
        except (HomeError, MemoryError):
            raise
        except Exception as error:
            # Its text may hold patients' values: it goes where they are allowed, the others go on.
            result = _failed(given, lake_root, private, error, is_invented=is_invented)
        results.append(result)
        if progress:
            progress(f"cohort {given.cohort}", number, len(every))
    present = {given.cohort for given in every} | {NO_COHORT}
    queries.remove_others(private, {given.cohort for given in every})
    withdrawn = []
    if lake_root.is_dir():
        for base in sorted(path for path in lake_root.iterdir() if path.is_dir()):
            if base.name not in present and lake.current(base) is not None:
                lake.withdraw(base)
                withdrawn.append(base.name)
    if lake.current(lake_root / NO_COHORT) is None or not _is_complete(lake_root / NO_COHORT / "current"):
        lake.write_snapshot(lake_root / NO_COHORT, "empty", lambda folder: _write(folder, {}))
    return LoadReport(tuple(results), tuple(withdrawn), key.fingerprint)


def _is_complete(folder: Path) -> bool:
    return all((folder / table / "part-0.parquet").exists() for table in schemas.LAKE_TABLES)


def _write(folder: Path, frames: Mapping[str, pl.DataFrame]) -> None:
    for table in schemas.LAKE_TABLES:
        frame = frames.get(table)
        columns = schemas.lake_columns(table)
        if frame is None:
            frame = schemas.empty(table)
        lake.write_table(folder, table, frame.select(pl.col(n).cast(t) for n, t in columns.items()))


@dataclass
class SheetState:
    """One sheet of one delivery on its way: its cells, its plan, its tally."""

    key: int
    delivery: Delivery
    book: workbook.Workbook
    sheet: workbook.Sheet
    plan: SheetPlan
    label: str
    rows_in: int
    data_rows: pl.Series  # row numbers that are data
    record_rows: int = 0  # rows that gave at least one record


def limits(settings: CohortSettings) -> workbook.Limits:
    """What the settings refuse before it is unpacked."""
    return workbook.Limits(file_bytes=int(settings.max_file_megabytes * 1e6))


def read_sheets(
    deliveries: Sequence[Delivery],
    contents: Callable[[Delivery], Any],
    cohort_map: CohortMap,
    settings: CohortSettings,
) -> tuple[list[SheetState], list[tuple[Delivery, str]], list[str]]:
    """Cells and plans of every sheet; files that cannot be read with the reason; sheets that are absent."""
    states: list[SheetState] = []
    broken: list[tuple[Delivery, str]] = []
    seen: set[int] = set()
    for delivery in deliveries:
        try:
            book = workbook.read(
                contents(delivery),
                delivery.name,
                limits(settings),
                **mapping.text_file(delivery.name, cohort_map),
            )
        except BrokenWorkbook as error:
            broken.append((delivery, str(error)))
            continue
        labels: set[str] = set()
        for sheet in book.sheets:
            plan = mapping.plan(delivery.name, sheet, cohort_map, is_csv=book.is_text)
            if plan.declared is not None:
                seen.add(plan.declared)
            label = plan.label if plan.label not in labels else f"{plan.label} (sheet {sheet.number})"
            labels.add(label)
            body = sheet.cells.filter(pl.col("row") >= plan.first_row)
            if plan.status == "mapped" and len(plan.is_data):
                data = body["row"].filter(plan.is_data)
            elif plan.status == "legend" or not body.height:
                data = body["row"].clear()
            else:
                data = body["row"].filter(mapping.filled(body))
            states.append(SheetState(len(states), delivery, book, sheet, plan, label, body.height, data))
    return states, broken, mapping.absent_sheets(cohort_map, seen)


@dataclass
class _Reading:
    """One state of a cohort as read; `is_stopped` where it may not be published."""

    given: Inputs
    states: list[SheetState]
    broken: list[tuple[Delivery, str]]
    result: records.Result
    problems: list[Problem]
    is_stopped: bool


def _read_cohort(
    given: Inputs, landing: Landing, settings: CohortSettings, key: pseudonyms.Key, *, is_invented: bool
) -> _Reading:
    cohort = given.cohort
    problems: list[Problem] = []
    cohort_map = CohortMap()
    if given.map_sha256:
        try:
            cohort_map = mapping.parse(landing.read(given.map_sha256).decode("utf-8-sig", "replace"))
        except MappingError as error:
            problems.append(Problem(cohort, None, str(error), "cohort", MappingError))
    ledger = corrections.Ledger(())
    if given.ledger_sha256:
        lines, refused = corrections.parse(landing.read(given.ledger_sha256))
        ledger = corrections.Ledger(lines)
        problems += [Problem(cohort, None, r.message) for r in refused]
    states, broken, absent = read_sheets(
        given.deliveries, lambda d: landing.read(d.sha256), cohort_map, settings
    )
    problems += [Problem(cohort, d.delivery_id, reason, "file", BrokenWorkbook) for d, reason in broken]
    for state in states:
        if state.plan.status in ("unmapped", "drift"):
            stops = "cohort" if state.plan.status == "drift" else "file"
            message = f"{state.label}: {state.plan.problem}"
            problems.append(Problem(cohort, state.delivery.delivery_id, message, stops, ColumnDrift))
    problems += _blank(given, states)
    if not any(problem.stops == "cohort" for problem in problems):
        problems += [Problem(cohort, None, message, "cohort", ColumnDrift) for message in absent]
    result = records.build(
        cohort=cohort,
        states=states,
        cohort_map=cohort_map,
        ledger=ledger,
        key=key,
        withdrawn=given.withdrawn,
        is_invented=is_invented,
    )
    if not any(problem.stops == "cohort" for problem in problems):
        problems += [Problem(cohort, None, r.message) for r in ledger.refused()]
        problems += [
            Problem(cohort, state.delivery.delivery_id, message, "cohort", TooManyRejected)
            for state, message in too_many(result, states, cohort_map, settings)
        ]
    if result.withdrawn_rows:
        problems.append(
            Problem(cohort, None, f"{result.withdrawn_rows} row(s) of withdrawn patients were delivered again and "
                    "left out: delete them in the spreadsheet.")
        )  # fmt: skip
    is_stopped = any(problem.stops == "cohort" for problem in problems)
    if is_stopped:
        result = result.stop(states)
    return _Reading(given, states, broken, result, problems, is_stopped)


def _load_cohort(
    given: Inputs,
    landing: Landing,
    lake_root: Path,
    private: Path,
    settings: CohortSettings,
    key: pseudonyms.Key,
    *,
    is_invented: bool,
) -> CohortResult:
    cohort = given.cohort
    reading = _read_cohort(given, landing, settings, key, is_invented=is_invented)
    problems = list(reading.problems)
    frames = _meta(reading, is_invented)
    accepted, crosswalk = reading.result.accepted, reading.result.crosswalk
    withheld = reading.result.withheld
    if reading.is_stopped:
        earlier = _earlier(given, landing, settings, key, is_invented=is_invented)
        if earlier is not None:
            kept = [delivery.delivery_id for delivery in earlier.given.deliveries]
            problems.append(
                Problem(cohort, None, f"what was delivered before ({', '.join(kept[:5])}{' …' if len(kept) > 5 else ''}) "
                        "stays in force until this is corrected.")
            )  # fmt: skip
            accepted, withheld = earlier.result.accepted, earlier.result.withheld
            crosswalk = pl.concat([crosswalk, earlier.result.crosswalk]).unique(maintain_order=True)
            before = _meta(earlier, is_invented)
            for table in ("deliveries", "rejected_rows"):
                new = frames[table].filter(~pl.col("delivery_id").is_in(kept))
                frames[table] = pl.concat([before[table], new])
            frames |= {table: before[table] for table in ("delivered_columns", "cohorts")}
    base = lake_root / cohort
    snapshot = _snapshot_name(given, key)
    changes = _changes(base, accepted)
    tables = accepted | frames
    lake.write_snapshot(base, snapshot, lambda folder: _write(folder, tables))
    queries.write(private, cohort, reading.states, reading.broken, reading.result, problems)
    queries.write_withheld(private, cohort, withheld)
    pseudonyms.write_crosswalk(private, cohort, crosswalk)
    return CohortResult(
        cohort=cohort,
        status="stopped" if reading.is_stopped else "loaded",
        deliveries=frames["deliveries"],
        rejected_rows=frames["rejected_rows"],
        rows={table: tables[table].height for table in schemas.LAKE_TABLES if table in tables},
        problems=tuple(problems),
        changes=changes,
        checks=_checks(reading.result, accepted, frames["deliveries"]),
        snapshot=snapshot,
    )


def _blank(given: Inputs, states: list[SheetState]) -> list[Problem]:
    """Files without a filled cell, and a cohort without a row of data: nothing is wrong, and nothing is there."""
    filled: dict[str, bool] = {}
    for state in states:
        delivery = state.delivery.delivery_id
        filled[delivery] = filled.get(delivery, False) or state.sheet.cells.height > 0
    blank = [
        Problem(
            given.cohort,
            delivery,
            "the file is blank: export it again, or take it out.",
            "file",
            BrokenWorkbook,
        )
        for delivery, is_filled in filled.items()
        if not is_filled
    ]
    if states and not blank and not any(len(state.data_rows) for state in states):
        blank.append(
            Problem(given.cohort, None, "its files hold no row of data: fill them in, or take them out.")
        )
    return blank


def _earlier(
    given: Inputs, landing: Landing, settings: CohortSettings, key: pseudonyms.Key, *, is_invented: bool
) -> _Reading | None:
    """The newest earlier state of a stopped cohort that may be published; read anew, so it follows from landing."""
    for state in islice(_History.of(landing).before(given, landing), LOOK_BACK):
        reading = _read_cohort(state, landing, settings, key, is_invented=is_invented)
        if not reading.is_stopped and any(frame.height for frame in reading.result.accepted.values()):
            return reading
    return None


def _failed(
    given: Inputs, lake_root: Path, private: Path, error: Exception, *, is_invented: bool
) -> CohortResult:
    """A cohort on which the program itself failed: nothing of it is in the lake, the report says so."""
    if isinstance(error, CohortError):
        message = str(error)
    else:
        note = private / "errors" / f"{given.cohort}.txt"
        text = "".join(traceback.format_exception(error))
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        queries.write_private(note, text.encode("utf-8", "replace"))
        message = (
            f"unexpected {type(error).__name__}; the cohort was stopped, its text stands in private/errors. "
            "Report it without patients' values."
        )
    frames = {
        "cohorts": pl.DataFrame(
            [{"cohort": given.cohort, "is_invented": is_invented, "delivered_tables": ""}],
            schema=schemas.COHORTS,
        )
    }
    lake.write_snapshot(lake_root / given.cohort, "failed", lambda folder: _write(folder, frames))
    return CohortResult(
        cohort=given.cohort,
        status="stopped",
        deliveries=schemas.empty("deliveries"),
        rejected_rows=schemas.empty("rejected_rows"),
        rows={"cohorts": 1},
        problems=(Problem(given.cohort, None, message, "cohort"),),
        snapshot="failed",
    )


def too_many(
    result: records.Result, states: list[SheetState], cohort_map: CohortMap, settings: CohortSettings
) -> list[tuple[SheetState, str]]:
    """The mapped sheets whose share of rejected rows is over the limit, each with its message."""
    own = cohort_map.thresholds
    limit = settings.rejected_share_limit if own.rejected_share_limit is None else own.rejected_share_limit
    from_rows = own.rejected_share_from_rows or settings.rejected_share_from_rows
    over = []
    for state in states:
        if state.plan.status != "mapped":
            continue
        accepted, rejected, _ = tally(state, result)
        rows = accepted + rejected
        if rows >= from_rows and rejected > limit * rows:
            message = (
                f"{state.label}: {rejected:,} of {rows:,} rows are rejected, more than {limit:.0%}; the cohort "
                "was stopped. Correct what the query list names, or raise rejected_share_limit."
            )
            over.append((state, message))
    return over


def tally(state: SheetState, result: records.Result) -> tuple[int, int, int]:
    """Rows accepted, rejected and not data of a sheet: together its rows in.

    A row that gave several records is rejected where any of them is.
    """
    rejected = result.rejected_counts_by_sheet.get(state.key, 0)
    with_records = state.record_rows if state.plan.status == "mapped" else rejected
    return with_records - rejected, rejected, state.rows_in - with_records


def _meta(reading: _Reading, is_invented: bool) -> dict[str, pl.DataFrame]:
    """The lake tables about deliveries."""
    given, states, result, cohort = reading.given, reading.states, reading.result, reading.given.cohort
    deliveries = []
    for state in states:
        accepted, rejected, not_data = tally(state, result)
        deliveries.append(
            {
                "cohort": cohort,
                "delivery_id": state.delivery.delivery_id,
                "file_sha256": state.delivery.sha256,
                "received_at": state.delivery.received_at,
                "sheet": state.label,
                "table_name": ",".join(state.plan.tables) or None,
                "rows_in": state.rows_in,
                "rows_accepted": accepted,
                "rows_rejected": rejected,
                "rows_not_data": not_data,
            }
        )
    with_sheets = {state.delivery.delivery_id for state in states}
    for delivery in given.deliveries:
        # A file that cannot be opened was delivered all the same.
        if delivery.delivery_id not in with_sheets:
            deliveries.append(
                {
                    "cohort": cohort,
                    "delivery_id": delivery.delivery_id,
                    "file_sha256": delivery.sha256,
                    "received_at": delivery.received_at,
                    "sheet": "unreadable file",
                    "table_name": None,
                    "rows_in": 0,
                    "rows_accepted": 0,
                    "rows_rejected": 0,
                    "rows_not_data": 0,
                }
            )
    columns = []
    for state in states:
        letters: dict[tuple[str, str], list[str]] = {}
        for record in state.plan.records:
            for name, source in record.sources.items():
                if source.letter and source.letter not in letters.setdefault((record.table, name), []):
                    letters[(record.table, name)].append(source.letter)
        columns += [
            {
                "cohort": cohort,
                "delivery_id": state.delivery.delivery_id,
                "sheet": state.label,
                "table_name": table,
                "column_name": name,
                "column_letter": ",".join(found),
            }
            for (table, name), found in letters.items()
            if found
        ]
    tables = sorted(
        {table for state in states if state.plan.status == "mapped" for table in state.plan.tables}
    )
    if result.is_stopped:
        tables = []
    return {
        "deliveries": pl.DataFrame(deliveries, schema=schemas.DELIVERIES),
        "rejected_rows": result.rejected_rows(states, cohort),
        "delivered_columns": pl.DataFrame(columns, schema=schemas.DELIVERED_COLUMNS),
        "cohorts": pl.DataFrame(
            [{"cohort": cohort, "is_invented": is_invented, "delivered_tables": ",".join(tables)}],
            schema=schemas.COHORTS,
        ),
    }


def _snapshot_name(given: Inputs, key: pseudonyms.Key) -> str:
    """The same inputs give the same name, so that a rebuild gives the same lake."""
    parts = [d.delivery_id + d.sha256 + d.name for d in given.deliveries]
    parts += [given.map_sha256 or "", given.ledger_sha256 or "", key.fingerprint, *sorted(given.withdrawn)]
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
    newest = max((d.received_at for d in given.deliveries), default=datetime(1970, 1, 1))
    return f"{newest:%Y%m%dT%H%M%S}-{digest}"


def _changes(base: Path, accepted: Mapping[str, pl.DataFrame]) -> tuple[Change, ...]:
    """Records added, changed and removed against the snapshot in force; nothing before the first."""
    before = lake.current(base)
    if before is None:
        return ()
    changes = []
    for table in schemas.TABLES:
        file = before / table / "part-0.parquet"
        try:
            old = pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError):
            continue
        new = accepted.get(table, schemas.empty(table))
        values = [n for n in schemas.lake_columns(table) if n not in schemas.LINEAGE or n == "patient_id"]
        if any(n not in old.columns for n in values):
            continue
        date_name = validation.main_date(table)
        keys = ["patient_id"] + ([f"{date_name}_earliest"] if date_name else [])
        same = new.join(old, on=values, how="semi", nulls_equal=True).height
        gone = old.join(new, on=values, how="anti", nulls_equal=True)
        come = new.join(old, on=values, how="anti", nulls_equal=True)
        changed = come.join(gone, on=keys, how="semi", nulls_equal=True).height
        kept = gone.join(come, on=keys, how="semi", nulls_equal=True).height
        changes.append(Change(table, come.height - changed, gone.height - kept, changed, same))
    return tuple(changes)


def _checks(
    result: records.Result, accepted: dict[str, pl.DataFrame], deliveries: pl.DataFrame
) -> tuple[row_checks.Check, ...]:
    patients = accepted["patients"]
    events = [(t, f) for t, f in accepted.items() if t != "patients"]
    return (
        row_checks.of_deliveries(deliveries),
        *row_checks.of_keys(patients, events),
        *row_checks.of_rows(result.rejected_by_rule, accepted),
    )
