"""Build the models on Apache Spark from a home's lake and compare every mart with the home's release.

A script for the Python of an environment of its own (`uv venv spark --python 3.11`, `uv pip install --python
spark/bin/python dbt-core==1.11.16 dbt-spark pyspark duckdb==1.5.5 setuptools`; Java 17 or later), run by
tests/long/test_spark.py: `python spark_engine.py HOME FOLDER` prints one JSON object, rows that only one engine has by
table. Derived tables (`lake/derived`) are those of the home: the statistics are Python on either engine.
"""

import json
import math
import os
import shutil
import sys
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SCHEMAS = ("registry", "cohort", "outcomes", "trials", "quality")
# What the run writes about itself has no model.
NOT_MODELS = {"quality.checks", "quality.releases"}


def main(home: Path, folder: Path) -> None:
    """Build below `folder` and print what differs."""
    lake = folder / "lake"
    shutil.copytree(home / "lake", lake, symlinks=True, ignore=shutil.ignore_patterns("statistics"))
    (lake / "statistics").mkdir()
    os.environ |= {"REMIT_LAKE": str(lake), "PYSPARK_PYTHON": sys.executable, "TZ": "UTC"}
    settings = {
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        # the lake's times have no zone: Spark's type of the contracts is the one with the session's
        "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "3g",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    (cohort,) = [path for path in (lake / "cohort").iterdir() if not path.name.startswith("_")]
    _sources(session, "lake_cohort", sorted((cohort / "current").iterdir()))
    _sources(session, "lake_registry", sorted((lake / "registry" / "current").iterdir()))
    _sources(session, "lake_derived", sorted((lake / "derived").glob("*.parquet")))
    result = dbtRunner().invoke(
        ["--quiet", "--log-level-file", "none", "build", "--target", "spark"]
        + ["--exclude-resource-type", "unit_test", "test", "--project-dir", str(PROJECT)]
        + ["--profiles-dir", str(PROJECT), "--target-path", str(folder / "target")]
    )
    failed = [str(node.node.name) for node in result.result or () if str(node.status) != "success"]
    if not result.success:
        raise SystemExit(f"dbt failed on Spark at {failed or result.exception}")
    with duckdb.connect(str((home / "marts.duckdb").resolve()), read_only=True) as release:
        print(json.dumps(_differences(session, release)))


def _sources(session: SparkSession, schema: str, places: list[Path]) -> None:
    session.sql(f"create database {schema}")
    for place in places:
        name = place.name.removesuffix(".parquet")
        session.sql(f"create table {schema}.{name} using parquet location '{place.resolve()}'")


def _differences(session: SparkSession, release: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    marts = release.execute(
        "select table_schema, table_name from information_schema.tables where list_contains($1, table_schema) order by all",
        [list(SCHEMAS)],
    ).fetchall()
    found = {"": {"tables": 0}}
    for schema, table in marts:
        if f"{schema}.{table}" in NOT_MODELS:
            continue
        here = release.execute(f'select * from "{schema}"."{table}"')
        columns = [column[0] for column in here.description]
        ours = Counter(tuple(map(_plain, row)) for row in here.fetchall())
        there = Counter(
            tuple(map(_plain, row)) for row in session.table(f"{schema}.{table}").select(*columns).collect()
        )
        found[""]["tables"] += 1
        if ours != there:
            found[f"{schema}.{table}"] = {
                "duckdb_alone": (ours - there).total(),
                "spark_alone": (there - ours).total(),
            }
    return found


def _plain(value: object) -> object:
    """Floats to nine digits (sums run in another order), times without the zone that the session gave them."""
    if isinstance(value, Decimal | float):
        return None if math.isnan(value) else float(f"{float(value):.9g}")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return tuple(map(_plain, value)) if isinstance(value, list) else value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
