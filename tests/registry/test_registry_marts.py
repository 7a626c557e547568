"""The registry's marts over the shipped sample: keys, derived dates, and nothing promised that is empty."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.landing import Landing
from pipeline.registry.load import load
from pipeline.registry.snapshot import SnapshotSource
from tests.registry.test_load import study
from tests.registry.test_registry_dictionary import PROMISED
from tests.support.warehouse import Warehouse


@pytest.fixture(scope="module")
def marts(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("marts")
    warehouse = Warehouse(root)
    folder = root / "recorded"
    folder.mkdir()
    for path in (project / "examples" / "registry").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    dated = study(
        "NCT91000001",
        statusModule={"startDateStruct": {"date": "2020-02"}, "completionDateStruct": {"date": "2021"}},
    )
    (folder / "dated.json").write_text(json.dumps(dated))
    landing = Landing(root / "landing", "registry")
    SnapshotSource(folder).pull(landing)
    load(landing, warehouse.lake / "registry", sources=["snapshot"], snapshot_id="test")
    warehouse.build("staging.registry marts.registry", indirect="cautious")
    return warehouse


@pytest.mark.parametrize("table", PROMISED)
def test_nothing_promised_is_empty_in_the_sample(marts: Warehouse, table: str) -> None:
    counts = marts.sql(
        f"select count(*) as all_rows, {', '.join(f'count({c}) as {c}' for c in PROMISED[table].split(', '))} from registry.{table}"
    )
    empty = {name for name, count in counts.row(0, named=True).items() if not count}
    assert empty == set()


def test_partial_dates_are_derived_in_the_middle(marts: Warehouse) -> None:
    row = marts.sql(
        "select cast(start_date as varchar), start_date_precision, cast(completion_date as varchar), completion_date_precision "
        "from registry.studies where nct_id = 'NCT91000001'"
    ).row(0)
    assert row == ("2020-02-15", "month", "2021-07-01", "year")


def test_every_column_has_its_comment(marts: Warehouse) -> None:
    columns = marts.sql(
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'registry'"
    )
    assert columns.height > 400
    assert columns.filter(pl.col("comment").is_null() | (pl.col("comment") == "")).is_empty()
