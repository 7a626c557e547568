"""The statistics step between the two dbt steps: inputs that dbt wrote in, derived tables out.

dbt writes the models tagged `statistics_input` to `<lake>/statistics/<name>.parquet`; each `Step` reads one or
more of them and gives one table, written to `<lake>/derived/<name>.parquet`, which dbt reads as the source
`lake_derived`. Every derived table is always written, empty but typed. What a number means is in the modules
of the steps; here is only the order of things. To add a table, add a `Step` to STEPS and a table to
`models/staging/derived/_derived__sources.yml`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.errors import BuildError
from pipeline.statistics import groups, paired, rates

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Step:
    """One derived table.

    Attributes:
        name: the table, `derived/<name>.parquet`.
        inputs: names of the dbt models' files below `statistics/`.
        compute: inputs by name → the table. Inputs may be empty.
        schema: columns and types of the table, in order; a column that `compute` leaves out is null.
    """

    name: str
    inputs: tuple[str, ...]
    compute: Callable[[Frames], pl.DataFrame]
    schema: Mapping[str, pl.DataType]


STEPS: tuple[Step, ...] = (
    Step("rate_estimates", ("rate_counts",), rates.estimate, rates.SCHEMA),
    Step("paired_tests", ("paired_counts",), paired.compare, paired.SCHEMA),
    Step("change_tests", ("summary_counts",), paired.compare_changes, paired.CHANGE_SCHEMA),
    Step("group_tests", ("change_counts",), groups.compare, groups.SCHEMA),
)


def run(lake: Path) -> dict[str, int]:
    """Compute every derived table of `lake`; gives their row counts.

    Raises:
        BuildError: an input is missing, or a step failed.
    """
    prepare(lake)
    counts = {}
    for step in STEPS:
        frames = {name: read_input(lake, name) for name in step.inputs}
        try:
            table = step.compute(frames)
        except Exception as error:
            # the text of a numeric library's exception can hold values of patients
            raise BuildError(
                f"The statistics step {step.name} failed with {type(error).__name__}; "
                "run `remit doctor`, then report the step's name."
            ) from None
        counts[step.name] = _write(lake, step, table)
    return counts


def write_empty(lake: Path) -> None:
    """Write every derived table empty but typed, where it is not there yet: dbt's second step can then read all."""
    prepare(lake)
    for step in STEPS:
        if not _path(lake, step).exists():
            _write(lake, step, pl.DataFrame(schema=dict(step.schema)))


def prepare(lake: Path) -> None:
    """Make the folders that the first dbt step and this one write to."""
    for folder in ("statistics", "derived"):
        (lake / folder).mkdir(parents=True, exist_ok=True, mode=0o700)


def read_input(lake: Path, name: str) -> pl.DataFrame:
    """One input of the statistics step. dbt-duckdb writes one row of nulls for an empty model: it is dropped."""
    path = lake / "statistics" / f"{name}.parquet"
    if not path.exists():
        raise BuildError(
            f"The statistics input {name} is missing; build the dbt models tagged statistics_input first."
        )
    frame = pl.read_parquet(path)
    return frame.filter(pl.col("cohort").is_not_null()) if "cohort" in frame.columns else frame


def _path(lake: Path, step: Step) -> Path:
    return lake / "derived" / f"{step.name}.parquet"


def _write(lake: Path, step: Step, table: pl.DataFrame) -> int:
    columns = [
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in step.schema.items()
    ]
    if table.is_empty():
        table = pl.DataFrame(schema=dict(step.schema))
    table = table.select(columns)
    # NaN is no answer: what could not be computed is null, with its reason beside it.
    table = table.with_columns(pl.col(pl.Float64).fill_nan(None))
    path = _path(lake, step)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    table.write_parquet(temporary, compression="zstd")
    temporary.replace(path)
    return table.height
