"""Definitions of confirmed disability events: seed rows to checked rules. No searching and no files here.

A definition is a row of `dbt_project/seeds/outcomes/disability_definitions.csv` with its rows of
`disability_confirmation_times.csv`; domain.md gives the defaults. EDSS is held in half steps (0, 1 … 20
for EDSS 0.0, 0.5 … 10.0), so that every comparison is one of whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.errors import BuildError

HALF_STEPS = 21  # EDSS 0.0 to 10.0
NEVER = 99  # half steps that no change reaches

FAMILIES = ("msprog", "msbase")
SERIES_STARTS = ("first_visit", "index_baseline")
EVENTS = ("first_cdw", "first_cdi", "first_cdw_and_first_cdi", "first_raw", "first_pira", "multiple")
REFERENCES = ("fixed", "roving", "roving_worsening", "roving_improvement")
ANCHORS_FROM = ("baseline", "event", "confirmation")
ANCHORS_TO = ("event", "confirmation")
NO_LIMIT = 1_000_000  # days; stands for "or later"

DEFINITION_COLUMNS: dict[str, pl.DataType] = {
    "definition": pl.String(),
    "family": pl.String(),
    "series_start": pl.String(),
    "events": pl.String(),
    "reference": pl.String(),
    "is_rebaselined_after_relapse": pl.Boolean(),
    "is_reference_never_lowered": pl.Boolean(),
    "worsening_steps": pl.String(),
    "improvement_steps": pl.String(),
    "baseline_relapse_days": pl.Int64(),
    "event_relapse_days": pl.Int64(),
    "confirmation_relapse_days": pl.Int64(),
    "is_relapse_bound_barred": pl.Boolean(),
    "is_sustained_required": pl.Boolean(),
    "raw_window_days": pl.Int64(),
    "pira_1_from": pl.String(),
    "pira_1_before_days": pl.Int64(),
    "pira_1_to": pl.String(),
    "pira_1_after_days": pl.Int64(),
    "pira_2_from": pl.String(),
    "pira_2_before_days": pl.Int64(),
    "pira_2_to": pl.String(),
    "pira_2_after_days": pl.Int64(),
}
CONFIRMATION_COLUMNS: dict[str, pl.DataType] = {
    "definition": pl.String(),
    "confirmation_days": pl.Int64(),
    "early_days": pl.Float64(),
    "late_days": pl.Float64(),
}


@dataclass(frozen=True)
class Confirmation:
    """One confirmation time: a visit `earliest` to `latest` whole days after the event can confirm it."""

    days: int
    earliest: int
    latest: int


@dataclass(frozen=True)
class RelapseFree:
    """A stretch without onset that PIRA asks for: `before` days ahead of one visit to `after` days behind another."""

    start: str
    before: int
    end: str
    after: int


@dataclass(frozen=True)
class Definition:
    """One checked definition. Thresholds are arrays over the reference's half steps."""

    name: str
    family: str
    series_start: str
    events: str
    reference: str
    is_rebaselined_after_relapse: bool
    is_reference_never_lowered: bool
    worsening: np.ndarray
    improvement: np.ndarray
    baseline_distance: int  # a visit counts as clear of relapses when its distance is at least this
    event_distance: int
    confirmation_distance: int
    is_sustained_required: bool
    raw_window: int
    relapse_free: tuple[RelapseFree, ...]
    confirmations: tuple[Confirmation, ...]


def parse(definitions: pl.DataFrame, confirmations: pl.DataFrame) -> list[Definition]:
    """Check the seed's rows and make rules of them, in the order of the rows.

    Args:
        definitions: columns of `DEFINITION_COLUMNS`.
        confirmations: columns of `CONFIRMATION_COLUMNS`; null `late_days` is no upper limit.

    Raises:
        BuildError: a row contradicts itself, names something unknown, or has no confirmation time.
    """
    names = definitions["definition"].to_list()
    for name in sorted({name for name in names if names.count(name) > 1}, key=str):
        raise _wrong(name, "the name stands twice", "give each row a name of its own")
    for name in sorted(set(confirmations["definition"].to_list()) - set(names), key=str):
        raise _wrong(name, "it has confirmation times but no row", "add the definition or drop its times")
    times: dict[str, list[Mapping[str, Any]]] = {}
    for row in confirmations.sort("definition", "confirmation_days").to_dicts():
        times.setdefault(row["definition"], []).append(row)
    return [_definition(row, times.get(row["definition"], [])) for row in definitions.to_dicts()]


def _definition(row: Mapping[str, Any], times: Iterable[Mapping[str, Any]]) -> Definition:
    name = row["definition"]
    if not name:
        raise _wrong("", "a row has no name", "fill the column definition")
    for column, known in (
        ("family", FAMILIES),
        ("series_start", SERIES_STARTS),
        ("events", EVENTS),
        ("reference", REFERENCES),
    ):
        if row[column] not in known:
            raise _wrong(name, f"{column} is not one of {', '.join(known)}", f"correct {column}")
    for column in DEFINITION_COLUMNS:
        value = row[column]
        if column.endswith("_days") and value is not None and value < 0:
            raise _wrong(name, f"{column} is negative", "distances and windows are zero or more days")
        if value is None and not column.startswith("pira_"):
            raise _wrong(name, f"{column} is empty", f"fill {column}")
    relapse_free = tuple(stretch for number in (1, 2) if (stretch := _relapse_free(row, number)))
    if row["events"] == "first_pira" and not relapse_free:
        raise _wrong(
            name, "it seeks PIRA but names no relapse-free stretch", "fill pira_1_from to pira_1_after_days"
        )
    if row["is_reference_never_lowered"] and not (
        row["is_rebaselined_after_relapse"] or row["reference"] != "fixed"
    ):
        raise _wrong(name, "a fixed reference cannot be lowered", "set is_reference_never_lowered to false")
    if row["is_rebaselined_after_relapse"] and row["reference"] != "fixed":
        raise _wrong(
            name,
            "a reference that is re-baselined after relapses must be fixed in between",
            "set reference to fixed",
        )
    if row["family"] == "msbase" and not (
        row["is_sustained_required"] and row["events"] == "multiple" and row["reference"] == "roving"
    ):
        raise _wrong(
            name,
            "the msbase family seeks multiple events, roving and sustained",
            "set events to multiple, reference to roving and is_sustained_required to true",
        )
    bound = 1 if row["is_relapse_bound_barred"] else 0
    return Definition(
        name=name,
        family=row["family"],
        series_start=row["series_start"],
        events=row["events"],
        reference=row["reference"],
        is_rebaselined_after_relapse=row["is_rebaselined_after_relapse"],
        is_reference_never_lowered=row["is_reference_never_lowered"],
        worsening=_thresholds(name, "worsening_steps", row["worsening_steps"]),
        improvement=_thresholds(name, "improvement_steps", row["improvement_steps"]),
        baseline_distance=row["baseline_relapse_days"] + bound,
        event_distance=row["event_relapse_days"] + (bound if row["event_relapse_days"] else 0),
        confirmation_distance=row["confirmation_relapse_days"] + bound,
        is_sustained_required=row["is_sustained_required"],
        raw_window=row["raw_window_days"],
        relapse_free=relapse_free,
        confirmations=_confirmations(name, times),
    )


def _confirmations(name: str, times: Iterable[Mapping[str, Any]]) -> tuple[Confirmation, ...]:
    result = []
    for time in times:
        days, early, late = time["confirmation_days"], time["early_days"], time["late_days"]
        if days is None or early is None or early < 0 or (late is not None and late < 0):
            raise _wrong(
                name, "a confirmation time has no days or a negative tolerance", "fill it with days ≥ 0"
            )
        # Windows may end in fractions of a day (730.5, 90.75); visits are whole days apart.
        earliest = int(np.ceil(days - early))
        latest = NO_LIMIT if late is None else int(np.floor(days + late))
        if earliest < 1:
            raise _wrong(
                name,
                "a tolerance reaches back to the event itself",
                "make early_days less than confirmation_days",
            )
        result.append(Confirmation(int(days), earliest, latest))
    if not result:
        raise _wrong(name, "it has no confirmation time", "add a row to disability_confirmation_times")
    if len({time.days for time in result}) < len(result):
        raise _wrong(name, "a confirmation time stands twice", "keep one row for each confirmation_days")
    return tuple(result)


def _relapse_free(row: Mapping[str, Any], number: int) -> RelapseFree | None:
    columns = [f"pira_{number}_{part}" for part in ("from", "before_days", "to", "after_days")]
    start, before, end, after = (row[column] for column in columns)
    if start is None and end is None and before is None and after is None:
        return None
    if start not in ANCHORS_FROM or end not in ANCHORS_TO or before is None or after is None:
        raise _wrong(
            row["definition"],
            f"relapse-free stretch {number} is not whole",
            f"give from ({', '.join(ANCHORS_FROM)}), before_days, to ({', '.join(ANCHORS_TO)}) and after_days, or none",
        )
    if start == "confirmation" and end == "event":
        raise _wrong(
            row["definition"], f"relapse-free stretch {number} ends before it starts", "swap from and to"
        )
    return RelapseFree(start, int(before), end, int(after))


def _thresholds(name: str, column: str, text: str) -> np.ndarray:
    """`0=1.5|5=1|10=0.5`: up to reference 0 a change of 1.5, up to 5.0 of 1.0, up to 10 of 0.5; `never` is none."""
    table = np.zeros(HALF_STEPS, dtype=np.int16)
    lower = 0
    for part in text.split("|"):
        bound, _, change = part.partition("=")
        try:
            upper = float(bound) * 2
            size = NEVER if change.strip() == "never" else float(change) * 2
        except ValueError:
            raise _wrong(name, f"{column} cannot be read", "write it like 0=1.5|5=1|10=0.5") from None
        if upper != int(upper) or size != int(size) or size < 1 or not lower <= upper < HALF_STEPS:
            raise _wrong(
                name,
                f"{column} has a bound or change that is no EDSS step in rising order",
                "write it like 0=1.5|5=1|10=0.5",
            )
        table[lower : int(upper) + 1] = int(size)
        lower = int(upper) + 1
    if lower != HALF_STEPS:
        raise _wrong(name, f"{column} does not reach EDSS 10", "end it with 10=…")
    return table


def _wrong(name: str, fault: str, remedy: str) -> BuildError:
    return BuildError(f"Disability definition '{name}': {fault}; {remedy} in seeds/outcomes.")
