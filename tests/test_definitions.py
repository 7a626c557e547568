"""Graph guard: the definitions load, every asset is described, owned and grouped, keys equal the committed list."""

from __future__ import annotations

import dagster as dg
import pytest

from pipeline import definitions, settings
from pipeline.defs import automation
from pipeline.defs.automation import listing_digest

GROUPS = {"registry", "cohort", "staging", "intermediate", "marts", "release"}


@pytest.fixture(scope="module")
def defs(tmp_path_factory):
    home = tmp_path_factory.mktemp("definitions") / "home"
    return definitions.build(settings.load(home=str(home)))


@pytest.fixture(scope="module")
def specs(defs):
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_every_asset_is_described_owned_grouped_and_has_a_freshness(specs):
    for key, spec in specs.items():
        assert spec.description, key
        assert spec.owners, key
        assert spec.group_name in GROUPS, key
        assert spec.freshness_policy, key


def test_every_table_shows_its_columns(specs):
    bare = [
        key
        for key, spec in specs.items()
        if key.split("/")[0] in ("lake", "registry", "cohort", "outcomes", "trials", "quality")
        and not spec.metadata.get("dagster/column_schema")
    ]
    assert bare == []


def test_keys_equal_the_committed_list(specs, project):
    file = project / "tests" / "data" / "asset_keys.txt"
    assert sorted(specs) == file.read_text("utf-8").split(), (
        "the asset graph changed: if that is meant, write the new keys to tests/data/asset_keys.txt"
    )


def test_nightly_runs_everything_in_one_process_at_two(defs):
    job = defs.resolve_job_def("nightly")
    assert job.executor_def.name == "in_process"
    assert set(job.asset_layer.executable_asset_keys) == {spec.key for spec in defs.resolve_all_asset_specs()}
    schedule = defs.resolve_schedule_def("nightly_schedule")
    assert (schedule.cron_schedule, schedule.default_status) == (
        "0 2 * * *",
        dg.DefaultScheduleStatus.RUNNING,
    )


def test_marts_and_lake_have_blocking_checks(defs):
    graph = defs.resolve_asset_graph()
    blocking = {key.asset_key.to_user_string() for key in graph.asset_check_keys if graph.get(key).blocking}
    assert "lake/registry/studies" in blocking
    assert "lake/cohort/edss" in blocking


def test_the_network_asset_is_tried_again(defs):
    assert defs.resolve_assets_def(dg.AssetKey(["landing", "registry"])).op.retry_policy.max_retries >= 2


def test_the_sensor_asks_for_one_run_when_the_inbox_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("REMIT_COHORTS", str(tmp_path / "inbox"))
    (tmp_path / "inbox" / "site").mkdir(parents=True)
    loaded = settings.load(home=str(tmp_path / "home"))
    sensors = automation.definitions(loaded).sensors
    sensor = next(sensor for sensor in sensors if sensor.name == "new_delivery")
    first = sensor(dg.build_sensor_context(cursor=None))
    assert not first.run_requests
    same = sensor(dg.build_sensor_context(cursor=first.cursor))
    assert isinstance(same, dg.SkipReason)
    (tmp_path / "inbox" / "site" / "edss.csv").write_text("patient_id\n")
    changed = sensor(dg.build_sensor_context(cursor=first.cursor))
    assert len(changed.run_requests) == 1
    assert changed.cursor == listing_digest(tmp_path / "inbox") != first.cursor
