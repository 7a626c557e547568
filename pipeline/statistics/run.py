"""The statistics step between the two dbt steps: inputs that dbt wrote in, derived tables out.

dbt writes the models tagged `statistics_input` to `<lake>/statistics/<model>.parquet`; each `Part` reads some of
them and gives one table or more, written to `<lake>/derived/<name>.parquet`, which dbt reads as the source
`lake_derived`. Every derived table is always written, empty but typed. What a number means is in the modules of
the parts; here is only the order of things. To add a table, add it to a part and to the sources in
`models/staging/derived`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.errors import BuildError, RemitError
from pipeline.statistics import disability_step, groups, paired, pharmacokinetics, rates, survival

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Table:
    """A derived table: columns in order as name → (type, meaning), and the dbt models that it is computed from."""

    name: str
    description: str
    columns: Mapping[str, tuple[pl.DataType, str]]
    inputs: tuple[str, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: kind for name, (kind, _) in self.columns.items()}


@dataclass(frozen=True)
class Part:
    """Tables computed together: `compute` gets the frames of all their inputs by model name (they may be empty)
    and gives the tables by name. A column that it leaves out is null."""

    tables: tuple[Table, ...]
    compute: Callable[[Frames], Frames]


def _one(table: Table, compute: Callable[[Frames], pl.DataFrame]) -> Part:
    return Part((table,), lambda frames: {table.name: compute(frames)})


PARTS: tuple[Part, ...] = (
    _one(
        Table(
            "rate_estimates",
            "Exact Poisson intervals and negative binomial rates of every group, epoch and end rule.",
            rates.COLUMNS,
            (rates.WINDOWS, rates.MEMBERS, rates.COUNTS),
        ),
        rates.estimate,
    ),
    _one(
        Table(
            "paired_tests",
            "Paired tests and rate ratios of every group, metric and pair of epochs.",
            paired.COLUMNS,
            (paired.PAIRS, paired.MEMBERS),
        ),
        paired.compare,
    ),
    _one(
        Table(
            "change_tests",
            "Student's paired t-test of every change in the summaries.",
            paired.CHANGE_COLUMNS,
            (paired.SUMMARY_INPUT,),
        ),
        paired.compare_changes,
    ),
    _one(
        Table(
            "group_tests",
            "Tests of changes between groups that do not overlap.",
            groups.COLUMNS,
            (paired.PAIRS, paired.MEMBERS, groups.PAIR_NAMES, groups.GROUP_NAMES),
        ),
        groups.compare,
    ),
    Part(
        (
            Table(
                "disability_events",
                "Confirmed disability events of every patient under every definition.",
                disability_step.EVENTS,
                (
                    disability_step.DEFINITIONS,
                    disability_step.TIMES,
                    disability_step.VISITS,
                    disability_step.ONSETS,
                ),
            ),
            Table(
                "time_to_event",
                "Time to the first event of every definition, event type and patient.",
                survival.TIME_TO_EVENT,
                (disability_step.PATIENTS,),
            ),
            Table(
                "survival",
                "Kaplan–Meier estimates of every definition, event type and group.",
                survival.SURVIVAL,
                (disability_step.MEMBERS,),
            ),
            Table(
                "neda_worsening",
                "Confirmed worsening that began in each epoch.",
                disability_step.NEDA_WORSENING,
                (disability_step.EPOCHS,),
            ),
        ),
        disability_step.compute,
    ),
    _one(
        Table(
            "pharmacokinetics",
            "Non-compartmental analysis of every serum profile.",
            pharmacokinetics.COLUMNS,
            ("int_disability__pk_samples",),
        ),
        lambda frames: pharmacokinetics.profiles(frames["int_disability__pk_samples"]),
    ),
)


def tables() -> Iterator[tuple[str, str, Mapping[str, tuple[pl.DataType, str]], list[str]]]:
    """Name, description, columns and input models of every derived table."""
    for part in PARTS:
        for table in part.tables:
            yield table.name, table.description, table.columns, list(table.inputs)


def run(lake: Path) -> dict[str, int]:
    """Compute every derived table of `lake`; gives their row counts.

    Raises:
        BuildError: an input is missing, or a part failed.
    """
    prepare(lake)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # the longest first, so that the others fit beside it
        parts = sorted(PARTS, key=lambda part: -len(part.tables))
        found = list(pool.map(lambda part: _run_part(lake, part), parts))
    counts = {name: count for part in found for name, count in part.items()}
    return {table.name: counts[table.name] for part in PARTS for table in part.tables}


def _run_part(lake: Path, part: Part) -> dict[str, int]:
    frames = {name: read_input(lake, name) for table in part.tables for name in table.inputs}
    names = ", ".join(table.name for table in part.tables)
    try:
        found = part.compute(frames)
    except RemitError:
        raise
    except Exception as error:
        # the text of a numeric library's exception can hold values of patients
        raise BuildError(
            f"The statistics step failed with {type(error).__name__} at {names}; report these names."
        ) from None
    return {table.name: _write(lake, table, found[table.name]) for table in part.tables}


def write_empty(lake: Path) -> None:
    """Write every derived table that is not there yet, empty but typed, so that dbt can read all of them."""
    prepare(lake)
    for part in PARTS:
        for table in part.tables:
            if not _path(lake, table).exists():
                _write(lake, table, pl.DataFrame(schema=table.schema))


def prepare(lake: Path) -> None:
    """Make the folders that the first dbt step and this one write to."""
    for folder in ("statistics", "derived"):
        (lake / folder).mkdir(parents=True, exist_ok=True, mode=0o700)


def read_input(lake: Path, model: str) -> pl.DataFrame:
    """One input of the statistics step; a row of nulls alone is none."""
    path = lake / "statistics" / f"{model}.parquet"
    if not path.exists():
        raise BuildError(
            f"The statistics input {model} is missing; build the dbt models tagged statistics_input first."
        )
    frame = pl.read_parquet(path)
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _path(lake: Path, table: Table) -> Path:
    return lake / "derived" / f"{table.name}.parquet"


def _write(lake: Path, table: Table, frame: pl.DataFrame) -> int:
    if frame.is_empty():
        frame = pl.DataFrame(schema=table.schema)
    frame = frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in table.schema.items()
        # NaN is no answer: what could not be computed is null, with its reason beside it.
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    path = _path(lake, table)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    frame.write_parquet(temporary, compression="lz4")
    temporary.replace(path)
    return frame.height
