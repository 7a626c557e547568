"""A small warehouse for tests of the SQL: rows into a lake, dbt over it, queries out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from pipeline import lake
from pipeline.cohort import schemas
from pipeline.registry import schemas as registry_schemas

PROJECT = Path(__file__).resolve().parents[2]


class Warehouse:
    """One lake and one build file below `root`. Cohort rows need only the columns that matter.

    A date may be given under its canonical name (`onset_date="2014-03-02"`, a `datetime.date`, or the
    partial `"2014-03"` and `"2014"`): the four lake columns are made from it.
    """

    def __init__(self, root: Path):
        self.root = root
        self.lake = root / "lake"
        self.file = root / "build.duckdb"

    def cohort(
        self,
        name: str = "test",
        *,
        is_invented: bool = True,
        **tables: Iterable[Mapping[str, Any]] | pl.DataFrame,
    ) -> None:
        """Write one cohort's snapshot; tables not given are empty (and count as not delivered)."""

        def write(folder: Path) -> None:
            for table in schemas.LAKE_TABLES:
                lake.write_table(folder, table, self._frame(name, is_invented, table, tables))

        lake.write_snapshot(self.lake / "cohort" / name, "test", write)

    def build(
        self,
        select: str,
        *,
        indirect: str = "eager",
        commands: tuple[str, ...] = ("build",),
        exclude: str = "",
    ) -> None:
        """Run dbt for a selection; a failing model or test raises AssertionError with dbt's own message.

        Where no registry was written, an empty one is: the epochs of registered time frames are read from it.
        """
        if lake.current(self.lake / "registry") is None:
            lake.write_snapshot(self.lake / "registry", "empty", write_empty_registry)
        environment = {
            "REMIT_LAKE": str(self.lake),
            "REMIT_BUILD_FILE": str(self.file),
            "DBT_TARGET_PATH": str(self.root / "target"),
            "DBT_LOG_PATH": str(self.root / "logs"),
        }
        before = {name: os.environ.get(name) for name in environment}
        os.environ.update(environment)
        try:
            for command in commands:
                arguments = [
                    command,
                    "--project-dir",
                    str(PROJECT / "dbt_project"),
                    "--profiles-dir",
                    str(PROJECT / "dbt_project"),
                ]
                arguments += ["--select", *select.split()]
                if exclude:
                    arguments += ["--exclude", *exclude.split()]
                if command in ("build", "test"):
                    arguments += ["--indirect-selection", indirect]
                result = dbtRunner().invoke([*arguments, "--quiet"])
                failed = [
                    f"{node.node.name}: {node.message}"
                    for node in (getattr(result.result, "results", None) or ())
                    if node.status in ("error", "fail", "runtime error")
                ]
                assert result.success, "\n".join(failed) or str(result.exception)
        finally:
            # The adapter keeps the file open in this process until told otherwise.
            DuckDBConnectionManager.close_all_connections()
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def sql(self, query: str) -> pl.DataFrame:
        """Query the build file."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            return connection.sql(query).pl()

    def _frame(self, cohort: str, is_invented: bool, table: str, tables: Mapping[str, Any]) -> pl.DataFrame:
        columns = schemas.lake_columns(table)
        if table == "cohorts":
            rows = [
                {"cohort": cohort, "is_invented": is_invented, "delivered_tables": ",".join(sorted(tables))}
            ]
            return pl.DataFrame(rows, schema=columns)
        given = tables.get(table)
        if given is None:
            return schemas.empty(table)
        if isinstance(given, pl.DataFrame):
            given = given.to_dicts()
        rows = []
        for number, row in enumerate(given, start=2):
            full = {
                "cohort": cohort,
                "is_invented": is_invented,
                "source_file": f"{cohort}-0001",
                "source_sheet": table,
                "source_row": number,
            }
            for name, value in row.items():
                full |= _date(name, value) if f"{name}_earliest" in columns else {name: value}
            rows.append(full)
        unknown = {name for row in rows for name in row} - set(columns)
        assert not unknown, f"not columns of {table}: {sorted(unknown)}"
        return pl.DataFrame(rows, schema=columns)


def write_empty_registry(folder: Path) -> None:
    """Every table of the registry's lake, empty but typed."""
    for table in registry_schemas.TABLES:
        lake.write_table(folder, table, registry_schemas.empty(table))


def _date(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    text = str(value)
    precision = {4: "year", 7: "month", 10: "day"}[len(text)]
    first = pl.Series([text + {"year": "-01-01", "month": "-01", "day": ""}[precision]]).str.to_date()
    last = {
        "year": first.dt.offset_by("1y").dt.offset_by("-1d"),
        "month": first.dt.month_end(),
        "day": first,
    }[precision]
    return {
        f"{name}_earliest": first[0],
        f"{name}_latest": last[0],
        f"{name}_precision": precision,
        f"{name}_text": text,
    }
