"""Time to the first disability event, and Kaplan–Meier estimates per group. Frames in, frames out.

The estimates follow lifelines' KaplanMeierFitter (tests compare them, left truncation included), but every
group is counted at once: days are whole numbers, so the numbers at risk are sums over days. One fit a group
would take thousands of fits (definitions × event types × groups) in every build.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

PATIENT = ("cohort", "patient_id")
NORMAL_975 = 1.959963984540054  # 97.5th percentile of the standard normal distribution

# What a definition's `events` lets one ask for.
EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "first_cdw": ("CDW",),
    "first_cdi": ("CDI",),
    "first_cdw_and_first_cdi": ("CDW", "CDI"),
    "first_raw": ("RAW",),
    "first_pira": ("PIRA",),
    "multiple": ("CDW", "CDI", "RAW", "PIRA"),
}

TIME_TO_EVENT: dict[str, tuple[pl.DataType, str]] = {
    "definition": (pl.String(), "Definition."),
    "event_type": (pl.String(), "CDW, CDI, RAW or PIRA."),
    "cohort": (pl.String(), "Cohort."),
    "patient_id": (pl.String(), "Pseudonym of the patient."),
    "origin_date": (pl.Date(), "First visit of the series."),
    "entry_days": (pl.Int64(), "Days from the origin to enrolment (left truncation)."),
    "time_days": (pl.Int64(), "Days from the origin to the event or to the last EDSS."),
    "is_event": (pl.Boolean(), "The event was reached."),
    "censor_reason": (pl.String(), "Why there is no event."),
    "is_edss_10": (pl.Boolean(), "The event is EDSS 10 itself."),
}
SURVIVAL: dict[str, tuple[pl.DataType, str]] = {
    "cohort": (pl.String(), "Cohort."),
    "definition": (pl.String(), "Definition."),
    "event_type": (pl.String(), "CDW, CDI, RAW or PIRA."),
    "grouping": (pl.String(), "Grouping."),
    "group_name": (pl.String(), "Group."),
    "is_baseline_group": (pl.Boolean(), "False where the group is defined after index."),
    "time_days": (pl.Int64(), "Days from the origin."),
    "at_risk": (pl.Int64(), "Patients at risk on that day."),
    "events": (pl.Int64(), "Events on that day."),
    "survival": (pl.Float64(), "Share without event."),
    "ci95_low": (pl.Float64(), "Lower bound of its 95 % interval."),
    "ci95_high": (pl.Float64(), "Upper bound of its 95 % interval."),
}


def _schema(columns: Mapping[str, tuple[pl.DataType, str]]) -> dict[str, pl.DataType]:
    return {name: kind for name, (kind, _) in columns.items()}


def time_to_event(definitions: pl.DataFrame, events: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """One row for every definition, event type that it can find, and patient, those without any EDSS included.

    Time runs from the series' first visit and is censored at the last EDSS. A worsening whose visit has EDSS
    10 (death from MS) needs no confirmation: it counts where no confirmed one came before it. Patients who
    were under index therapy before they enrolled had to stay until then: `entry_days`.

    Args:
        definitions: `definition, series_start, events`.
        events: rows of `disability.search`.
        patients: `cohort, patient_id, first_visit_date, last_visit_date, index_baseline_date, first_edss_10_date,
            index_date, enrolment_date, prospective_cohort, is_dead`.
    """
    wanted = pl.DataFrame(
        [
            (row["definition"], row["series_start"], event_type)
            for row in definitions.select("definition", "series_start", "events").to_dicts()
            for event_type in EVENT_TYPES[row["events"]]
        ],
        schema={"definition": pl.String, "series_start": pl.String, "event_type": pl.String},
        orient="row",
    ).sort("definition", "event_type")
    # What does not depend on the events is said once for each patient and series start, not for each definition.
    series = pl.concat(
        [_series(patients.sort(PATIENT), start) for start in ("first_visit", "index_baseline")]
    )
    is_ten = (
        (pl.col("event_type") == "CDW")
        & (
            pl.col("edss_10_date")
            < pl.col("first_event_date").fill_null(pl.col("edss_10_date") + pl.duration(days=1))
        )
    ).fill_null(False)
    reached = pl.when("is_edss_10").then("edss_10_date").otherwise("first_event_date")
    is_reached = pl.col("reached").is_not_null()
    return (
        wanted.join(series, on="series_start", maintain_order="left_right")
        .join(
            _first_events(events),
            on=["definition", "event_type", *PATIENT],
            how="left",
            maintain_order="left",
        )
        .with_columns(is_edss_10=is_ten)
        .with_columns(reached=reached)
        .with_columns(
            time_days=pl.when(is_reached)
            .then((pl.col("reached") - pl.col("origin_date")).dt.total_days())
            .otherwise("time_days"),
            is_event=is_reached,
            censor_reason=pl.when(~is_reached).then("censor_reason"),
        )
        .select(TIME_TO_EVENT.keys())
        .cast(_schema(TIME_TO_EVENT))
    )


def _series(patients: pl.DataFrame, start: str) -> pl.DataFrame:
    """Origin, entry and time without event of every patient's series that starts at `start`."""
    is_index = start == "index_baseline"
    origin = pl.col("index_baseline_date" if is_index else "first_visit_date")
    last = pl.col("last_visit_date")
    return patients.select(
        *PATIENT,
        series_start=pl.lit(start),
        origin_date=origin,
        edss_10_date=pl.when(pl.col("first_edss_10_date") > origin).then("first_edss_10_date"),
        entry_days=pl.when(pl.col("prospective_cohort") == "experienced", pl.col("enrolment_date") > origin)
        .then((pl.col("enrolment_date") - origin).dt.total_days())
        .otherwise(pl.when(origin.is_not_null()).then(0)),
        time_days=(last - origin).dt.total_days(),
        censor_reason=pl.when(pl.col("first_visit_date").is_null())
        .then(pl.lit("no_edss"))
        .when(pl.col("index_date").is_null() & is_index)
        .then(pl.lit("no_index"))
        .when(origin.is_null())
        .then(pl.lit("no_baseline_edss"))
        .when(last == origin)
        .then(pl.lit("single_edss"))
        .when("is_dead")
        .then(pl.lit("death"))
        .otherwise(pl.lit("last_edss")),
    )


def _first_events(events: pl.DataFrame) -> pl.DataFrame:
    """Date of the first event of each type; a RAW or PIRA worsening is also a CDW."""
    single = events.select("definition", *PATIENT, "event_type", "worsening_type", "event_date")
    classed = single.filter(pl.col("worsening_type").is_in(["RAW", "PIRA"])).with_columns(
        event_type=pl.col("worsening_type")
    )
    return (
        pl.concat([single, classed])
        .group_by("definition", "event_type", *PATIENT)
        .agg(first_event_date=pl.col("event_date").min())
    )


def kaplan_meier(times: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Share without event by day, for every definition, event type and group of a cohort.

    One row at day 0 and one at every day with an event; log-log interval on Greenwood's variance, null where
    it is not defined (no event yet or nobody left). Who enters late is at risk from the day after entry.

    Args:
        times: rows of `time_to_event`; those without `time_days` are of no effect, and so are events on or
            before the day of entry.
        groups: `cohort, patient_id, grouping, group_name, is_baseline_group`.
    """
    patients = times.select(PATIENT).unique().sort(PATIENT).with_row_index("patient")
    key = ["cohort", "grouping", "group_name"]
    names = groups.select(*key, "is_baseline_group").unique(key).sort(key).with_row_index("group")
    member = groups.join(patients, on=PATIENT, how="inner").join(
        names.select("group", *key), on=key, how="inner"
    )
    if not member.height or not times.height:
        return pl.DataFrame(schema=_schema(SURVIVAL))
    group, who = member["group"].to_numpy().astype(np.int64), member["patient"].to_numpy()
    order = np.argsort(group, kind="stable")
    group, who = group[order], who[order]
    frames = []
    numbered = times.select(
        "definition",
        "event_type",
        _number(times, patients),
        pl.col("time_days").fill_null(-1),
        pl.col("entry_days").fill_null(0),
        "is_event",
    ).filter(pl.col("time_days") >= 0)
    for (definition, event_type), rows in numbered.group_by("definition", "event_type", maintain_order=True):
        time = np.full(patients.height, -1, dtype=np.int64)
        entry, event = np.zeros(patients.height, dtype=np.int64), np.zeros(patients.height, dtype=bool)
        at = rows["patient"].to_numpy()
        time[at] = rows["time_days"].to_numpy()
        entry[at] = rows["entry_days"].to_numpy()
        event[at] = rows["is_event"].to_numpy()
        # Left truncation: a course that ended on or before the day of entry was never watched.
        known = (time >= 0) & ((time > entry) | (entry == 0))
        chosen = known[who]
        frame = _estimate(
            group[chosen], time[who][chosen], entry[who][chosen], event[who][chosen], names.height
        )
        frames.append(frame.with_columns(definition=pl.lit(definition), event_type=pl.lit(event_type)))
    return (
        pl.concat(frames)
        .join(names, on="group", how="left", maintain_order="left")
        .select(SURVIVAL.keys())
        .cast(_schema(SURVIVAL))
    )


def _number(times: pl.DataFrame, patients: pl.DataFrame) -> pl.Series:
    """Number of each row's patient. Rows come as the same patients again and again: then only one block is joined."""
    block = patients.height
    if times.height % block == 0:
        first = times.select(PATIENT).head(block)
        repeats = times.height // block
        if all(times[name].equals(pl.concat([first[name]] * repeats)) for name in PATIENT):
            number = first.join(patients, on=PATIENT, how="left", maintain_order="left")["patient"]
            return pl.concat([number] * repeats)
    return times.select(PATIENT).join(patients, on=PATIENT, how="left", maintain_order="left")["patient"]


def _estimate(
    group: np.ndarray, time: np.ndarray, entry: np.ndarray, event: np.ndarray, groups: int
) -> pl.DataFrame:
    """Product-limit estimates of all groups at once on a matrix groups × days."""
    days = int(time.max()) + 2 if time.size else 1
    shape = (groups, days)
    event = event & (time > 0)
    base = group * days

    def count(cell: np.ndarray) -> np.ndarray:
        return np.bincount(cell, minlength=groups * days).reshape(shape)

    deaths = count((base + time)[event])
    left = count(base + time)
    # At risk on a day: who entered before it (day 0: on it) and did not leave before it.
    late = entry > 0
    entered = count((base + np.minimum(entry, days - 1))[late])
    at_once = np.bincount(group[~late], minlength=groups)[:, None]
    at_risk = at_once + np.cumsum(entered, axis=1) - entered - (np.cumsum(left, axis=1) - left)
    row, day = np.nonzero(deaths)
    d, n = deaths[row, day].astype(float), at_risk[row, day].astype(float)
    begins = np.searchsorted(row, np.arange(groups))
    survival = _by_group(np.cumprod, 1 - d / n, begins)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = _by_group(np.cumsum, d / (n * (n - d)), begins)
        log = np.log(survival)
        width = NORMAL_975 * np.sqrt(variance) / log
        low, high = np.exp(-np.exp(np.log(-log) - width)), np.exp(-np.exp(np.log(-log) + width))
    defined = (survival > 0) & (survival < 1)
    present = np.flatnonzero(np.bincount(group, minlength=groups))
    empty = np.full(present.size, np.nan)
    table = {
        "group": np.concatenate([present, row]),
        "time_days": np.concatenate([np.zeros(present.size, dtype=np.int64), day]),
        "at_risk": np.concatenate([at_risk[present, 0], at_risk[row, day]]),
        "events": np.concatenate([np.zeros(present.size, dtype=np.int64), deaths[row, day]]),
        "survival": np.concatenate([np.ones(present.size), survival]),
        "ci95_low": np.concatenate([empty, np.where(defined, np.fmin(low, high), np.nan)]),
        "ci95_high": np.concatenate([empty, np.where(defined, np.fmax(low, high), np.nan)]),
    }
    return (
        pl.DataFrame(table)
        .with_columns(pl.col("group").cast(pl.UInt32), pl.col("ci95_low", "ci95_high").fill_nan(None))
        .sort("group", "time_days", maintain_order=True)
    )


def _by_group(
    accumulate: Callable[[np.ndarray], np.ndarray], values: np.ndarray, begins: np.ndarray
) -> np.ndarray:
    """A running product or sum that starts anew in every group; `values` are ordered by group."""
    result = np.empty_like(values)
    ends = np.append(begins[1:], values.size)
    for begin, end in zip(begins, ends, strict=True):
        result[begin:end] = accumulate(values[begin:end])
    return result
