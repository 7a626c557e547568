"""Confirmed disability events, searched in all patients at once. Frames in, frames out: no files, no seeds here.

The search is sequential in each patient (a reference that moves decides what the next event is), so it
cannot be one window function. It is run in rounds instead: every round takes one step of the search in
every patient that is still searched, on matrices patients × visits. There is no loop over patients; the
number of rounds is bounded by the visits of the longest series.

The rules are domain.md's "Confirmed disability worsening and improvement"; what a definition may vary is in
`disability_definitions.py`. docs/disability.md says how the rounds agree with the field's tools.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipeline.errors import BuildError
from pipeline.statistics.disability_definitions import HALF_STEPS, Confirmation, Definition

PATIENT = ("cohort", "patient_id")
NUMBER = ("patient_key",)  # dbt's number of a patient, which stands for both
FAR = np.int32(2**29)  # days beyond every date, and "no onset"
_DAY_ZERO = 2**23  # makes days before 1970 positive, in 24 bits
CHUNK = 2**17  # cells of one matrix: fits the cache, and bounds memory at any cohort size

EVENTS_SCHEMA: dict[str, pl.DataType] = {
    "definition": pl.String(),
    "cohort": pl.String(),
    "patient_id": pl.String(),
    "event_number": pl.Int64(),
    "event_type": pl.String(),
    "worsening_type": pl.String(),
    "event_date": pl.Date(),
    "event_value": pl.Float64(),
    "baseline_date": pl.Date(),
    "baseline_value": pl.Float64(),
    "last_delta_date": pl.Date(),
    "last_delta_value": pl.Float64(),
    "confirmation_days": pl.Int64(),
    "confirmation_date": pl.Date(),
    "confirmation_value": pl.Float64(),
    "pira_confirmation_date": pl.Date(),
    "pira_confirmation_value": pl.Float64(),
    "is_sustained": pl.Boolean(),
    "sustained_days": pl.Int64(),
    "is_recount": pl.Boolean(),
}
SERIES_SCHEMA: dict[str, pl.DataType] = {
    "cohort": pl.String(),
    "patient_id": pl.String(),
    "series_start": pl.String(),
    "origin_date": pl.Date(),
    "last_edss_date": pl.Date(),
    "visits": pl.Int64(),
}
RAW, PIRA, UNDEFINED = 1, 2, 3
WORSENING_TYPES = {0: None, RAW: "RAW", PIRA: "PIRA", UNDEFINED: "undefined"}


def patient_columns(frame: pl.DataFrame) -> tuple[str, ...]:
    """What names a patient in a frame: dbt's number where it is there, else cohort and pseudonym."""
    return NUMBER if NUMBER[0] in frame.columns else PATIENT


def events_schema(patient: tuple[str, ...]) -> dict[str, pl.DataType]:
    """`EVENTS_SCHEMA` with these columns for the patient."""
    if patient == PATIENT:
        return EVENTS_SCHEMA
    rest = {name: kind for name, kind in EVENTS_SCHEMA.items() if name not in PATIENT}
    return {"definition": rest.pop("definition"), **dict.fromkeys(patient, pl.Int64()), **rest}


@dataclass
class Courses:
    """Some patients' visits as matrices `[patients, visits]`, padded on the right by at least one column."""

    patients: np.ndarray  # row numbers in the list of patients
    days: np.ndarray  # int32, days since 1970; FAR where padded
    steps: np.ndarray  # int16, EDSS in half steps; 0 where padded
    may_confirm: np.ndarray  # bool, false where padded
    visits: np.ndarray  # number of visits of each patient
    onsets: np.ndarray  # sorted int64: patient * span + day; repeats do no harm
    since_onset: np.ndarray = field(init=False)  # days since the last onset on or before the visit
    _next: dict[int, np.ndarray] = field(init=False, default_factory=dict)

    SPAN = 2**31  # separates patients in `onsets`
    SHIFT = 2**30  # makes every key positive for days before 1970 too

    def __post_init__(self) -> None:
        key = self._keys(self.days)
        at = np.searchsorted(self.onsets, key, side="right") - 1
        last = self.onsets[at] if self.onsets.size else np.full(key.shape, -1)
        is_own = (at >= 0) & (last // self.SPAN == self.patients[:, None])
        since = np.where(is_own, key - last, FAR)
        self.since_onset = np.where(self.days == FAR, FAR, since).astype(np.int32)

    def _keys(self, days: np.ndarray) -> np.ndarray:
        return self.patients[:, None].astype(np.int64) * self.SPAN + self.SHIFT + days

    def next_onset(self, before: int) -> np.ndarray:
        """First onset on or after `visit − before` days, as a day; FAR where there is none."""
        if before not in self._next:
            key = self._keys(self.days - np.int32(before))
            at = np.searchsorted(self.onsets, key, side="left")
            found = np.append(self.onsets, -1)[at]
            is_own = (at < self.onsets.size) & (found // self.SPAN == self.patients[:, None])
            day = found - self.patients[:, None].astype(np.int64) * self.SPAN - self.SHIFT
            self._next[before] = np.where(is_own, day, FAR).astype(np.int32)
        return self._next[before]

    @property
    def columns(self) -> np.ndarray:
        """Column numbers as one row, for comparison with one number a patient."""
        return np.arange(self.days.shape[1], dtype=np.int32)[None, :]


@dataclass
class Found:
    """Events of one search as arrays; positions are columns of the courses, −1 where there is none."""

    parts: list[dict[str, np.ndarray]] = field(default_factory=list)

    def add(self, **arrays: np.ndarray) -> None:
        if arrays["row"].size:
            self.parts.append(arrays)

    def table(self) -> dict[str, np.ndarray]:
        return (
            {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
            if self.parts
            else {}
        )


def search(
    visits: pl.DataFrame, onsets: pl.DataFrame, series_starts: pl.DataFrame, definitions: Sequence[Definition]
) -> pl.DataFrame:
    """Every confirmed event of every patient under every definition, one row per confirmation time.

    Args:
        visits: `cohort, patient_id, visit_date, edss` and optionally `may_confirm` (null counts as true). Any
            order. Of several EDSS on one day the highest counts, whatever the order.
        onsets: `cohort, patient_id, onset_date`: every recorded onset that is no pseudo-relapse, unmerged,
            those before the first visit included. Any order; patients without visits are of no effect.
            `patient_key` may stand for `cohort, patient_id` in all three frames, and then does in the result.
        series_starts: `cohort, patient_id, index_baseline_date`, for definitions whose series starts at the
            index baseline; patients without a row have no such series.
        definitions: checked rules.

    Returns:
        Columns of `EVENTS_SCHEMA`, ordered by definition, patient and event; EDSS in points.
    """
    patients, courses, starts = _courses(visits, onsets, series_starts)
    schema = events_schema(patient_columns(visits))

    def search_one(definition: Definition, course: Courses) -> pl.DataFrame | None:
        first = np.zeros(course.visits.size, dtype=np.int32)
        if definition.series_start == "index_baseline":
            first = _first_at(course, starts[course.patients])
        found = _search_course(course, definition, first)
        return _frame(course, definition, found) if found else None

    work = [
        (definition, course)
        for definition in sorted(definitions, key=lambda rule: rule.name)
        for course in courses
    ]
    # numpy lets go of the interpreter while it works on a matrix, so threads fill the cores
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        frames = [frame for frame in pool.map(lambda pair: search_one(*pair), work) if frame is not None]
    if not frames:
        return pl.DataFrame(schema=schema)
    result = pl.concat(frames)
    # Patients are numbered in their order, so whole numbers order the rows.
    result = result.sort(
        pl.col("definition").rle_id().cast(pl.Int64) * 2**48
        + pl.col("patient").cast(pl.Int64) * 2**16
        + pl.col("event_number"),
        maintain_order=True,
    )
    names = patients[result["patient"], list(patient_columns(patients))]
    return result.drop("patient").hstack(names).select(schema.keys()).cast(schema)


def worsening_in_epochs(
    visits: pl.DataFrame, onsets: pl.DataFrame, epochs: pl.DataFrame, definition: Definition
) -> pl.DataFrame:
    """Whether a confirmed worsening began in each epoch, measured from the epoch's own reference (for NEDA-3).

    The reference is the last EDSS on or before the epoch's start that the definition allows as baseline; the
    search begins with the first visit after the start, so visits between the two do not count. The onset
    lies after the start and on or before the end (EDSS look back); confirmation may follow the end.

    Args:
        visits, onsets: as in `search`.
        epochs: `cohort, patient_id` (or `patient_key`), `start_date, end_date` and whatever else names an epoch.
        definition: thresholds, distances and confirmation; its `events` must be `first_cdw`.

    Returns:
        The rows of `epochs` without its dates, with `reference_date`, `worsening_date`,
        and `is_able_to_confirm`: a visit on or after the epoch's end could have confirmed, or denied, a change
        seen at every visit of the epoch.
    """
    patients, courses, _ = _courses(visits, onsets, None)
    named = [name for name in epochs.columns if name not in ("start_date", "end_date")]
    wanted = epochs.with_row_index("epoch_row").join(
        patients, on=patient_columns(epochs), how="left", maintain_order="left"
    )
    have = wanted.filter(pl.col("patient").is_not_null() & pl.col("start_date").is_not_null())
    patient = have["patient"].to_numpy().astype(np.int64)
    begin = have["start_date"].to_physical().to_numpy().astype(np.int32)
    end = have["end_date"].to_physical().fill_null(int(FAR)).to_numpy().astype(np.int32)
    reference = np.full(have.height, -FAR, dtype=np.int32)
    worsened = np.full(have.height, FAR, dtype=np.int32)
    able = np.zeros(have.height, dtype=bool)
    order = np.argsort(patient, kind="stable")
    for course in courses:
        rank = np.argsort(course.patients)
        place = np.searchsorted(course.patients[rank], patient)
        place = np.minimum(place, course.patients.size - 1)
        at = order[course.patients[rank][place[order]] == patient[order]]
        for some in _pieces(at, course.days.shape[1]):
            row = rank[place[some]]
            days, free = course.days[row], course.since_onset[row] >= definition.baseline_distance
            before = days <= begin[some][:, None]
            position = np.where(before & free, course.columns, -1).max(axis=1)
            first = before.sum(axis=1).astype(np.int32)
            ok = position >= 0
            row, chosen = row[ok], some[ok]
            position, first = position[ok].astype(np.int32), first[ok]
            reference[chosen] = course.days[row, position]
            able[chosen] = _able_to_confirm(course, row, begin[chosen], end[chosen], definition)
            # Epochs that share reference and first visit (end rules, empty years) are one search.
            key = (row * days.shape[1] + position) * days.shape[1] + first
            _, one, same = np.unique(key, return_index=True, return_inverse=True)
            found = _rounds(course, definition, row[one], position[one], first[one], "first_cdw").table()
            if found:
                day = np.full(one.size, FAR, dtype=np.int32)
                day[found["row"]] = course.days[row[one[found["row"]]], found["event"]]
                worsened[chosen] = day[same.reshape(-1)]
    outcome = pl.DataFrame(
        {
            "epoch_row": have["epoch_row"],
            "reference_date": _dates(np.where(reference == -FAR, FAR, reference)),
            "worsening_date": _dates(np.where(worsened <= end, worsened, FAR)),
            "is_able_to_confirm": able,
        }
    )
    return wanted.join(outcome, on="epoch_row", how="left", maintain_order="left").select(
        *named,
        "reference_date",
        "worsening_date",
        pl.col("is_able_to_confirm").fill_null(False),
    )


def _able_to_confirm(
    course: Courses, row: np.ndarray, begin: np.ndarray, end: np.ndarray, definition: Definition
) -> np.ndarray:
    """The epoch holds a visit, and one that could confirm a change seen at the last of them follows it."""
    days = course.days[row]
    last = (days <= end[:, None]).sum(axis=1).astype(np.int32) - 1
    day = days[np.arange(row.size), np.maximum(last, 0)]
    gap = days - day[:, None]
    clear = course.may_confirm[row] & (course.since_onset[row] >= definition.confirmation_distance)
    can = np.zeros(row.size, dtype=bool)
    for time in definition.confirmations:
        can |= (clear & _within(gap, time)).any(axis=1)
    return can & (last >= 0) & (day > begin)


# ── from frames to matrices and back ────────────────────────────────────────────────────────────────────


def _courses(
    visits: pl.DataFrame, onsets: pl.DataFrame, series_starts: pl.DataFrame | None
) -> tuple[pl.DataFrame, list[Courses], np.ndarray]:
    """Patients with their number, their courses in chunks of like length, and each patient's series start."""
    patient_names = list(patient_columns(visits))
    columns = [*patient_names, "visit_date", "edss"]
    if "may_confirm" not in visits.columns:
        visits = visits.with_columns(may_confirm=pl.lit(True))
    visits = visits.select(*columns, pl.col("may_confirm").fill_null(True)).drop_nulls(columns)
    if not visits.select((pl.col("edss").is_between(0, 10) & (pl.col("edss") * 2 % 1 == 0)).all()).item():
        raise BuildError(
            "An EDSS that is not 0 to 10 in half points reached the search for disability events; "
            "correct the reading of the column edss, which rejects such rows."
        )
    patients = visits.select(patient_names).unique().sort(patient_names).with_row_index("patient")
    # One whole number a visit, so that one sort orders them: patient, day, half step, whether it may confirm.
    packed = (
        visits.join(patients, on=patient_names, how="left")
        .select(
            pl.col("patient").cast(pl.Int64) * 2**30
            + (pl.col("visit_date").to_physical().cast(pl.Int64) + _DAY_ZERO) * 2**6
            + (pl.col("edss") * 4).cast(pl.Int64)
            + pl.col("may_confirm").cast(pl.Int64)
        )
        .to_series()
        .sort()
        .to_numpy()
    )
    # On one day the highest EDSS counts, and of equal ones the one that may confirm.
    is_last = np.append(packed[1:] >> 6 != packed[:-1] >> 6, np.ones(min(packed.size, 1), dtype=bool))
    packed = packed[is_last]
    number = patients.height
    keys = onsets.drop_nulls([*patient_names, "onset_date"]).join(patients, on=patient_names, how="inner")
    onset_keys = np.sort(
        keys["patient"].to_numpy().astype(np.int64) * Courses.SPAN
        + Courses.SHIFT
        + keys["onset_date"].to_physical().to_numpy().astype(np.int64)
    )
    start = np.full(number, FAR, dtype=np.int32)
    if series_starts is not None:
        known = series_starts.drop_nulls().join(patients, on=patient_names, how="inner")
        start[known["patient"].to_numpy()] = known["index_baseline_date"].to_physical().to_numpy()

    patient = packed >> 30
    day = ((packed >> 6) % 2**24 - _DAY_ZERO).astype(np.int32)
    step = ((packed >> 1) % 2**5).astype(np.int16)
    confirm = packed % 2 == 1
    count = np.bincount(patient, minlength=number).astype(np.int32)
    offset = np.concatenate([[0], np.cumsum(count)[:-1]]) if number else np.zeros(0, dtype=np.int64)
    courses = []
    for rows in _like_lengths(count):
        width = int(count[rows].max()) + 1
        shape = (rows.size, width)
        at = np.arange(width)[None, :]
        inside = at < count[rows][:, None]
        source = np.where(inside, offset[rows][:, None] + at, 0)
        low = np.searchsorted(onset_keys, rows.min() * Courses.SPAN)
        high = np.searchsorted(onset_keys, (rows.max() + 1) * Courses.SPAN)
        courses.append(
            Courses(
                patients=rows,
                days=np.where(inside, day[source], FAR).astype(np.int32).reshape(shape),
                steps=np.where(inside, step[source], 0).astype(np.int16).reshape(shape),
                may_confirm=inside & confirm[source],
                visits=count[rows],
                onsets=onset_keys[low:high],
            )
        )
    return patients, courses, start


def _like_lengths(count: np.ndarray) -> Iterator[np.ndarray]:
    """Row numbers in chunks of at most CHUNK cells; patients with like numbers of visits lie together."""
    order = np.argsort(count, kind="stable")
    begin = 0
    while begin < order.size:
        # Widths rise along the order: the largest piece whose last, widest row still fits.
        length = order.size - begin
        while length > 1 and length * (int(count[order[begin + length - 1]]) + 1) > CHUNK:
            length = max(1, min(length - 1, CHUNK // (int(count[order[begin + length - 1]]) + 1)))
        yield np.sort(order[begin : begin + length]).astype(np.int64)
        begin += length


def _pieces(positions: np.ndarray, width: int) -> Iterator[np.ndarray]:
    size = max(1, CHUNK // width)
    for begin in range(0, positions.size, size):
        yield positions[begin : begin + size]


def _first_at(course: Courses, start: np.ndarray) -> np.ndarray:
    """Column of the first visit on or after each patient's start; the number of visits where there is none."""
    return (course.days < start[:, None]).sum(axis=1).astype(np.int32).clip(max=course.visits)


def _dates(days: np.ndarray) -> pl.Series:
    known = pl.Series(days.astype(np.int32))
    return pl.select(pl.when(known < int(FAR)).then(known).cast(pl.Date)).to_series()


def _frame(course: Courses, definition: Definition, found: dict[str, np.ndarray]) -> pl.DataFrame:
    """Events × confirmation times as a frame, `patient` still a number."""
    row, number = found["row"], found["event_number"]

    def date(position: np.ndarray) -> np.ndarray:
        return np.where(position >= 0, course.days[row, np.maximum(position, 0)], FAR)

    def value(position: np.ndarray) -> pl.Series:
        points = course.steps[row, np.maximum(position, 0)] / 2.0
        return pl.Series(np.where(position >= 0, points, np.nan)).fill_nan(None)

    common = {
        "patient": pl.Series(course.patients[row], dtype=pl.UInt32),
        "event_number": pl.Series(number, dtype=pl.Int64),
        "event_type": pl.Series(np.where(found["is_worsening"], "CDW", "CDI")),
        "worsening_type": pl.Series(found["worsening_type"], dtype=pl.Int8).replace_strict(
            WORSENING_TYPES, return_dtype=pl.String
        ),
        "event_date": _dates(date(found["event"])),
        "event_value": value(found["event"]),
        "baseline_date": _dates(date(found["baseline"])),
        "baseline_value": pl.Series(found["reference"] / 2.0),
        "last_delta_date": _dates(date(found["last_delta"])),
        "last_delta_value": pl.Series(found["last_delta_step"] / 2.0),
        "is_sustained": pl.Series(found["is_sustained"]),
        "sustained_days": pl.Series(
            course.days[row, found["sustained"]] - course.days[row, found["event"]], dtype=pl.Int64
        ),
        "is_recount": pl.Series(found["is_recount"]),
    }
    frames = []
    for place, time in enumerate(definition.confirmations):
        confirmed, independent = found["confirmations"][:, place], found["independent"][:, place]
        frames.append(
            pl.DataFrame(
                {
                    "definition": pl.repeat(definition.name, row.size, eager=True),
                    **common,
                    "confirmation_days": pl.repeat(time.days, row.size, dtype=pl.Int64, eager=True),
                    "confirmation_date": _dates(date(confirmed)),
                    "confirmation_value": value(confirmed),
                    "pira_confirmation_date": _dates(date(independent)),
                    "pira_confirmation_value": value(independent),
                }
            )
        )
    return pl.concat(frames)


# ── the search ──────────────────────────────────────────────────────────────────────────────────────────


def _search_course(course: Courses, definition: Definition, first: np.ndarray) -> dict[str, np.ndarray]:
    rows = np.flatnonzero(first < course.visits).astype(np.int64)
    start = first[rows]
    if definition.family == "msbase":
        found = _msbase(course, definition, rows, start)
    elif definition.events == "first_cdw_and_first_cdi":
        found = Found()
        for events in ("first_cdw", "first_cdi"):
            found.parts += _rounds(course, definition, rows, start, start + 1, events).parts
    else:
        found = _rounds(course, definition, rows, start, start + 1, definition.events)
    table = found.table()
    if not table:
        return table
    table["row"] = rows[table["row"]]
    order = np.lexsort(
        (np.arange(table["row"].size), table["baseline"], table["is_worsening"], table["event"], table["row"])
    )
    table = {name: values[order] for name, values in table.items()}
    return _numbered(table if definition.family == "msbase" else _newest(table))


def _newest(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A search that goes back after a relapse can find one event twice: the one against the newer reference stays."""
    keys = [table[name] for name in ("row", "event", "is_worsening")]
    is_same = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    return {name: values[np.append(~is_same, True)] for name, values in table.items()}


def _numbered(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Events, which lie in the order of their visits, counted from 1 in each patient."""
    row = table["row"]
    begins = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    lengths = np.diff(np.append(begins, row.size))
    table["event_number"] = np.arange(row.size) - np.repeat(begins, lengths) + 1
    return table


def _next_true(mask: np.ndarray) -> np.ndarray:
    """For every column the first column at or after it where `mask` holds; the width where there is none."""
    width = mask.shape[1]
    columns = np.arange(width, dtype=np.int32)
    marked = np.where(mask, columns, np.int32(width))
    return np.minimum.accumulate(marked[:, ::-1], axis=1)[:, ::-1]


def _rounds(
    course: Courses,
    definition: Definition,
    rows: np.ndarray,
    start: np.ndarray,
    begin: np.ndarray,
    events: str,
) -> Found:
    """The search of the msprog family.

    Args:
        rows: rows of `course`, one for each series; a row may stand several times.
        start: first column of each series (its first candidate for a baseline).
        begin: column from which events are sought.
        events: what is sought; overrides the definition's own.

    Returns:
        Events whose `row` is the place in `rows`.
    """
    found = Found()
    columns = course.columns
    width = columns.shape[1]
    steps = course.steps
    if definition.is_reference_never_lowered:
        steps = steps[rows]  # a raised reference is written back, so these rows need a copy of their own
    own = definition.is_reference_never_lowered
    is_visit = course.days < FAR
    clear = is_visit & (course.since_onset >= definition.baseline_distance)
    next_clear = _next_true(clear)
    may_be_event = is_visit & (course.since_onset >= definition.event_distance)
    may_confirm = course.may_confirm & (course.since_onset >= definition.confirmation_distance)
    is_raw = course.since_onset <= definition.raw_window
    onset_after = course.next_onset(-1) if definition.is_rebaselined_after_relapse else None
    # Re-baselining waits for the RAW window to pass, unless only PIRA is sought.
    wait = 0 if events == "first_pira" else definition.raw_window
    moves_up = definition.reference in ("roving", "roving_worsening")
    moves_down = definition.reference in ("roving", "roving_improvement")
    classify = events != "first_cdi"

    live = np.arange(rows.size)
    baseline, search_from = start.copy(), begin.copy()
    highest = np.full(rows.size, -1, dtype=np.int16)  # last reference, for those that must not fall
    last_baseline = np.full(rows.size, -1, dtype=np.int32)  # of the last recorded event: to see recounts
    last_failure = np.full(rows.size, -1, dtype=np.int32)
    last_worse = np.zeros(rows.size, dtype=bool)

    while live.size:
        row = rows[live]
        n = course.visits[row]
        b = next_clear[row, np.minimum(baseline[live], width - 1)]
        s = np.maximum(search_from[live], b + 1)
        go = s < n
        live, row, n, b, s = live[go], row[go], n[go], b[go], s[go]
        if not live.size:
            break
        baseline[live], search_from[live] = b, s
        i = np.arange(live.size)
        value = steps[live] if own else steps[row]
        reference = value[i, b]
        if own:
            reference = np.maximum(reference, highest[live])
            steps[live, b] = value[i, b] = reference
            highest[live] = reference
        difference = value - reference[:, None]
        worse = difference >= definition.worsening[reference][:, None]
        better = -difference >= definition.improvement[reference][:, None]
        candidate = (worse | better) & may_be_event[row] & (columns >= s[:, None])
        c = candidate.argmax(axis=1).astype(np.int32)
        go = candidate[i, c]

        if onset_after is not None:
            crossed, go = _crossed(course, row, b, c, go, onset_after, wait)
            search_from[live[crossed]] = c[crossed]
        changed = np.flatnonzero(go)
        finished = ~go if onset_after is None else ~go & ~crossed

        if changed.size:
            k, r, at = live[changed], row[changed], np.arange(changed.size)
            cc, bb = c[changed], b[changed]
            is_worse = worse[changed, cc]
            holds = np.where(is_worse[:, None], worse[changed], better[changed]) & is_visit[r]
            failure = (~holds & (columns > cc[:, None])).argmax(axis=1).astype(np.int32)
            day = course.days[r]
            gap = day - day[at, cc][:, None]
            eligible = [_within(gap, time) & may_confirm[r] for time in definition.confirmations]
            any_time = eligible[0] if len(eligible) == 1 else np.logical_or.reduce(eligible)
            g = any_time.argmax(axis=1).astype(np.int32)
            is_confirmed = any_time[at, g] & (g < failure)
            search_from[k[~is_confirmed]] = cc[~is_confirmed] + 1

            q = np.flatnonzero(is_confirmed)
            if q.size:
                k, r, cc, bb, g = k[q], r[q], cc[q], bb[q], g[q]
                is_worse, failure, v = is_worse[q], failure[q], value[changed[q]]
                held = columns < failure[:, None]
                in_time = [mask[q] & held for mask in eligible]
                is_kept = np.ones(q.size, dtype=bool)
                if definition.is_sustained_required:
                    is_kept = failure == course.visits[r]
                kind = np.zeros(q.size, dtype=np.int8)
                independent = [np.zeros_like(mask) for mask in in_time]
                if classify:
                    free = _relapse_free(course, definition, r, bb, cc)
                    independent = [mask & free for mask in in_time]
                    is_pira = np.logical_or.reduce(independent).any(axis=1)
                    kind = np.where(is_raw[r, cc], RAW, np.where(is_pira, PIRA, UNDEFINED))
                    kind = np.where(is_worse, kind, 0).astype(np.int8)
                is_sought = is_kept & _sought(events, is_worse, kind)
                if is_sought.any():
                    w = np.flatnonzero(is_sought)
                    delta, delta_step = _last_delta(
                        definition, v[w], start[k[w]], cc[w], g[w], is_worse[w], columns
                    )
                    is_recount = (
                        (last_baseline[k[w]] == bb[w])
                        & (last_worse[k[w]] == is_worse[w])
                        & (cc[w] < last_failure[k[w]])
                    )
                    found.add(
                        row=k[w],
                        event=cc[w],
                        baseline=bb[w],
                        reference=v[w, bb[w]],
                        last_delta=delta,
                        last_delta_step=delta_step,
                        is_worsening=is_worse[w],
                        worsening_type=kind[w],
                        sustained=failure[w] - 1,
                        is_sustained=failure[w] == course.visits[r[w]],
                        is_recount=is_recount,
                        confirmations=np.stack([_first(mask[w]) for mask in in_time], axis=1),
                        independent=np.stack(
                            [np.where(kind[w] == PIRA, _first(mask[w]), -1) for mask in independent], axis=1
                        ),
                    )
                    last_baseline[k[w]], last_worse[k[w]], last_failure[k[w]] = bb[w], is_worse[w], failure[w]
                # Where the search goes on: behind the first confirming visit, which becomes the reference
                # where that moves; behind the event itself where this one is not what is sought.
                moves = np.where(is_worse, moves_up, moves_down)
                baseline[k[moves]] = g[moves]
                is_passed = (
                    is_kept
                    if events not in ("first_raw", "first_pira")
                    else is_kept & (is_sought | ~is_worse)
                )
                search_from[k] = np.where(moves | is_passed, g, cc) + 1
                if events != "multiple":
                    finished[changed[q[is_sought]]] = True
        if onset_after is not None:
            finished |= _rebaseline(course, live, row, baseline, search_from, finished, onset_after, wait)
        live = live[~finished]
    return found


def _within(gap: np.ndarray, time: Confirmation) -> np.ndarray:
    return (gap >= time.earliest) & (gap <= time.latest)


def _first(mask: np.ndarray) -> np.ndarray:
    """Column of the first true cell of each row, −1 where there is none."""
    at = mask.argmax(axis=1)
    return np.where(mask[np.arange(mask.shape[0]), at], at, -1).astype(np.int32)


def _sought(events: str, is_worse: np.ndarray, kind: np.ndarray) -> np.ndarray:
    if events == "multiple":
        return np.ones(is_worse.size, dtype=bool)
    return {
        "first_cdw": is_worse,
        "first_cdi": ~is_worse,
        "first_raw": is_worse & (kind == RAW),
        "first_pira": is_worse & (kind == PIRA),
    }[events]


def _relapse_free(
    course: Courses, definition: Definition, row: np.ndarray, baseline: np.ndarray, event: np.ndarray
) -> np.ndarray:
    """Visits `[series, visits]` that keep every relapse-free stretch if they are the confirming one."""
    free = np.full((row.size, course.days.shape[1]), bool(definition.relapse_free))
    for stretch in definition.relapse_free:
        onset = course.next_onset(stretch.before)
        if stretch.start == "confirmation":
            first = onset[row]
        else:
            first = onset[row, baseline if stretch.start == "baseline" else event][:, None]
        limit = course.days[row] if stretch.end == "confirmation" else course.days[row, event][:, None]
        free &= first > limit + np.int32(stretch.after)
    return free


def _last_delta(
    definition: Definition,
    value: np.ndarray,
    start: np.ndarray,
    event: np.ndarray,
    confirmation: np.ndarray,
    is_worse: np.ndarray,
    columns: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The last visit before the event from which event and confirmation are a full step; else the series' first."""
    run = (columns >= event[:, None]) & (columns <= confirmation[:, None])
    lowest = np.where(run, value, HALF_STEPS).min(axis=1)
    top = np.where(run, value, -1).max(axis=1)
    up = lowest[:, None] - value >= definition.worsening[value]
    down = value - top[:, None] >= definition.improvement[value]
    ok = np.where(is_worse[:, None], up, down) & (columns > start[:, None]) & (columns < event[:, None])
    last = np.where(ok, columns, -1).max(axis=1)
    last = np.where(last < 0, start, last).astype(np.int32)
    return last, value[np.arange(value.shape[0]), last]


def _crossed(
    course: Courses,
    row: np.ndarray,
    baseline: np.ndarray,
    event: np.ndarray,
    is_change: np.ndarray,
    onset_after: np.ndarray,
    wait: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Changes that lie beyond the next relapse are judged after re-baselining, not against the old reference."""
    onset = onset_after[row, baseline]
    crossed = is_change & (onset < FAR) & (course.days[row, event] > onset + np.int32(wait))
    return crossed, is_change & ~crossed


def _rebaseline(
    course: Courses,
    live: np.ndarray,
    row: np.ndarray,
    baseline: np.ndarray,
    search_from: np.ndarray,
    finished: np.ndarray,
    onset_after: np.ndarray,
    wait: int,
) -> np.ndarray:
    """Move the reference behind a relapse that the search has passed; true where no visit is left for that."""
    k = np.flatnonzero(~finished & (search_from[live] < course.visits[row]))
    r, who = row[k], live[k]
    onset = onset_after[r, baseline[who]]
    passed = (onset < FAR) & (onset + np.int32(wait) < course.days[r, search_from[who]])
    k, r, who, onset = k[passed], r[passed], who[passed], onset[passed]
    place = (course.days[r] < onset[:, None]).sum(axis=1).astype(np.int32)
    baseline[who], search_from[who] = place, place + 1
    ends = np.zeros(live.size, dtype=bool)
    ends[k] = place > course.visits[r] - 2
    return ends


def _msbase(course: Courses, definition: Definition, rows: np.ndarray, start: np.ndarray) -> Found:
    """The search of the MSBase registry (Kalincik 2015): worsening and improvement apart, each confirmation
    time a search of its own, every event sustained to the last visit; the next reference is the lowest EDSS
    of the confirmation period. An event found under several confirmation times against one reference is one event."""
    parts: list[dict[str, np.ndarray]] = []
    for is_worse in (True, False):
        by_time = [
            _msbase_chain(course, definition, rows, start, is_worse, place)
            for place in range(len(definition.confirmations))
        ]
        parts += by_time
    table = Found(parts=[part for part in parts if part]).table()
    if not table:
        return Found()
    # One event under several times: rows with the same event and reference become one.
    identity = np.stack(
        [table["row"], table["is_worsening"].astype(np.int64), table["event"], table["baseline"]], axis=1
    )
    _, kept, inverse = np.unique(identity, axis=0, return_index=True, return_inverse=True)
    confirmations = np.full((kept.size, len(definition.confirmations)), -1, dtype=np.int32)
    independent = confirmations.copy()
    np.maximum.at(confirmations, inverse.reshape(-1), table["confirmations"])
    np.maximum.at(independent, inverse.reshape(-1), table["independent"])
    merged = {name: values[kept] for name, values in table.items()}
    merged |= {"confirmations": confirmations, "independent": independent}
    is_pira = (independent >= 0).any(axis=1) & (merged["worsening_type"] != RAW) & merged["is_worsening"]
    merged["worsening_type"] = np.where(is_pira, PIRA, merged["worsening_type"]).astype(np.int8)
    return Found(parts=[merged])


def _msbase_chain(
    course: Courses, definition: Definition, rows: np.ndarray, start: np.ndarray, is_worse: bool, place: int
) -> dict[str, np.ndarray]:
    time = definition.confirmations[place]
    columns, width = course.columns, course.days.shape[1]
    is_visit = course.days < FAR
    clear = is_visit & (course.since_onset >= definition.confirmation_distance)
    next_clear = _next_true(is_visit & (course.since_onset >= definition.baseline_distance))
    threshold = definition.worsening if is_worse else definition.improvement
    found = Found()
    baseline = next_clear[rows, np.minimum(start, width - 1)]
    live = np.flatnonzero(baseline < course.visits[rows])
    reference = np.full(rows.size, -1, dtype=np.int16)
    reference[live] = course.steps[rows[live], baseline[live]]
    while live.size:
        r, b = rows[live], baseline[live]
        at = np.arange(live.size)
        n, value, day = course.visits[r], course.steps[r], course.days[r]
        ref = reference[live]
        change = (value - ref[:, None]) if is_worse else (ref[:, None] - value)
        holds = (change >= threshold[ref][:, None]) & (columns > b[:, None])
        # The run that reaches the last visit begins behind the last visit at which the change does not hold.
        broken = np.where(~holds & (columns < n[:, None]), columns, -1).max(axis=1)
        c = (broken + 1).astype(np.int32)
        last = n - 1
        ok = c <= last
        # A worsening must be seen at a last visit that no relapse explains; improvement asks nothing of relapses.
        if is_worse:
            ok &= clear[r, last]
        ok &= day[at, last] - day[at, np.minimum(c, last)] >= time.earliest
        live, r, b, c, n, value, day, ref = (x[ok] for x in (live, r, b, c, n, value, day, ref))
        if not live.size:
            break
        at = np.arange(live.size)
        gap = day - day[at, c][:, None]
        confirming = _within(gap, time) & (clear[r] if is_worse else is_visit[r])
        free = _relapse_free(course, definition, r, b, c)
        kind = np.zeros(live.size, dtype=np.int8)
        if is_worse:
            kind = np.where(
                course.since_onset[r, c] <= definition.raw_window,
                RAW,
                np.where((confirming & free).any(axis=1), PIRA, UNDEFINED),
            ).astype(np.int8)
        first = _first(confirming)
        delta, delta_step = _last_delta(
            definition, value, start[live], c, first, np.full(live.size, is_worse), columns
        )
        shape = (live.size, len(definition.confirmations))
        confirmations, independent = np.full(shape, -1, dtype=np.int32), np.full(shape, -1, dtype=np.int32)
        confirmations[:, place] = first
        independent[:, place] = np.where(kind == PIRA, _first(confirming & free), -1)
        found.add(
            row=live,
            event=c,
            baseline=b,
            reference=ref,
            last_delta=delta,
            last_delta_step=delta_step,
            is_worsening=np.full(live.size, is_worse),
            worsening_type=kind,
            sustained=n - 1,
            is_sustained=np.ones(live.size, dtype=bool),
            is_recount=np.zeros(live.size, dtype=bool),
            confirmations=confirmations,
            independent=independent,
        )
        # The confirmation period holds the event, the visit after it, and every visit up to the nominal time.
        period = (columns >= c[:, None]) & ((gap < time.earliest) | (columns == c[:, None] + 1)) & is_visit[r]
        lowest = np.where(period, value, HALF_STEPS).min(axis=1).astype(np.int16)
        reference[live] = lowest
        baseline[live] = ((value == lowest[:, None]) & (columns >= c[:, None]) & is_visit[r]).argmax(axis=1)
    return found.table()
