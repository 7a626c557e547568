"""The two dbt steps and the statistics between them. The only code that opens the build file."""

import contextlib
import json
import os
import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from pipeline import statistics
from pipeline.defs.guard import guarded, write_private_error
from pipeline.defs.manifest import dbt_environment, ensure_manifest, give_parsed
from pipeline.defs.metadata import WHEN_CHANGED, column_schema, rows
from pipeline.defs.resources import OWNERS, RunLock
from pipeline.errors import BuildError
from pipeline.home import Home
from pipeline.progress import report as progress
from pipeline.quality import checks
from pipeline.settings import PROJECT, Settings

FIRST_STEP = "+tag:statistics_input"
GROUPS = {"staging": "staging", "intermediate": "intermediate", "marts": "marts"}


class Translator(DagsterDbtTranslator):
    """Names dbt's nodes as the contract does: `staging/…`, `intermediate/…`, `<schema>/<table>`, `seeds/…`."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        kind, name = dbt_resource_props["resource_type"], dbt_resource_props["name"]
        if kind == "source":
            meta = dbt_resource_props.get("meta") or dbt_resource_props.get("config", {}).get("meta", {})
            return dg.AssetKey(meta["dagster"]["asset_key"])
        if kind == "seed":
            return dg.AssetKey(["seeds", name])
        layer = _layer(dbt_resource_props)
        if layer == "marts":
            return dg.AssetKey(name.split("__", 1))
        return dg.AssetKey([layer, name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return GROUPS.get(_layer(dbt_resource_props), "staging")

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props.get("description") or ""

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return OWNERS

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(freshness_policy=WHEN_CHANGED)


def _layer(props: Mapping[str, Any]) -> str:
    return props["fqn"][1] if props["resource_type"] == "model" else "staging"


def definitions(settings: Settings) -> dg.Definitions:
    """dbt assets before and after the statistics, and the statistics' own tables."""
    home = settings.layout.create()
    manifest_path = ensure_manifest(home)
    manifest = json.loads(manifest_path.read_bytes())
    dbt = DbtCliResource(
        project_dir=str(PROJECT / "dbt_project"),
        profiles_dir=str(PROJECT / "dbt_project"),
        # Not the name alone: .venv/bin need not be on the PATH. This one dies with the run that started it.
        dbt_executable=str(Path(sys.executable).with_name("remit-dbt")),
    )

    @dbt_assets(
        manifest=manifest,
        select=FIRST_STEP,
        name="dbt_before_statistics",
        dagster_dbt_translator=Translator(),
    )
    @guarded(home, "dbt, first step")
    def before(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, run_lock: RunLock
    ) -> Generator[Any, None, None]:
        if not context.is_subset:
            _start_afresh(home)
        yield from _build(context, dbt, home, manifest, "before_statistics")

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["lake", "derived", name],
                deps=[_key_of_input(manifest, source) for source in step_inputs],
                group_name="intermediate",
                owners=OWNERS,
                description=text,
                kinds={"python", "parquet"},
                metadata={
                    "dagster/column_schema": column_schema((n, str(t), d) for n, (t, d) in columns.items())
                },
                freshness_policy=WHEN_CHANGED,
                skippable=True,
            )
            for name, text, columns, step_inputs in statistics.tables()
        ],
        name="statistics",
    )
    @guarded(home, "statistics")
    def derived(context: dg.AssetExecutionContext, run_lock: RunLock) -> Generator[Any, None, None]:
        progress("statistics")
        counts = statistics.run(home.lake)
        for name, count in counts.items():
            yield dg.MaterializeResult(asset_key=["lake", "derived", name], metadata=rows(count))

    @dbt_assets(
        manifest=manifest,
        exclude=FIRST_STEP,
        name="dbt_after_statistics",
        dagster_dbt_translator=Translator(),
    )
    @guarded(home, "dbt, second step")
    def after(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, run_lock: RunLock
    ) -> Generator[Any, None, None]:
        yield from _build(context, dbt, home, manifest, "after_statistics")

    return dg.Definitions(assets=[before, derived, after], resources={"dbt": dbt})


def _key_of_input(manifest: Mapping[str, Any], model: str) -> dg.AssetKey:
    return Translator().get_asset_key(manifest["nodes"][f"model.remit.{model}"])


def _start_afresh(home: Home) -> None:
    """A new file for every full build: what an orphan of a killed run still writes goes to the old one."""
    for name in ("build.duckdb", "build.duckdb.wal"):
        (home.warehouse / name).unlink(missing_ok=True)
    statistics.write_empty(home.lake)


def _build(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, home: Home, manifest: Mapping[str, Any], step: str
) -> Iterator[Any]:
    """`dbt build` of this step; its events with row counts, then the record of its tests, or one safe error."""
    progress(f"dbt: {step.replace('_', ' ')}")
    target = home.warehouse / "target" / step
    give_parsed(ensure_manifest(home), target)
    total = len(context.selected_asset_keys)
    events = []
    # dbt's own words may quote a row: they go nowhere but to private/ and only when it fails.
    with dbt_environment(home), Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        invocation = dbt.cli(
            # cautious: a test runs in the step that has all its models; across both steps, in the second.
            ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]
            + ["--log-level-file", "none"],
            context=context,
            target_path=target,
            raise_on_error=False,
        )
        for event in invocation.stream():
            events.append(event)
            if isinstance(event, dg.Output):
                progress(
                    f"dbt: {step.replace('_', ' ')}", sum(isinstance(e, dg.Output) for e in events), total
                )
        invocation.process.wait()
        is_good = invocation.is_successful()
    counts = _row_counts(home.build_file) if is_good else {}
    unique_ids = {spec.key: spec.metadata.get("dagster_dbt/unique_id") for spec in context.assets_def.specs}
    for event in events:
        if isinstance(event, dg.Output):
            key = context.asset_key_for_output(event.output_name)
            node = manifest["nodes"].get(unique_ids.get(key), {})
            count = counts.get((node.get("schema"), node.get("alias")))
            if count is not None:
                event = dg.Output(
                    event.value, output_name=event.output_name, metadata={**event.metadata, **rows(count)}
                )
        yield event
    results = (
        json.loads((target / "run_results.json").read_bytes())
        if (target / "run_results.json").exists()
        else {}
    )
    checks.write(home.warehouse / "checks" / f"{step}.json", checks.of_dbt(results, manifest))
    if not is_good:
        failed = [
            checks.told(r["unique_id"], manifest)
            for r in results.get("results", ())
            if r["status"] in ("error", "fail")
        ]
        messages = "\n\n".join(
            f"{r['unique_id']}: {r.get('message')}"
            for r in results.get("results", ())
            if r["status"] in ("error", "fail")
        )
        note = write_private_error(home, "dbt", messages or "\n".join(map(str, invocation._error_messages)))
        (target / "run_results.json").unlink(missing_ok=True)
        names = "; ".join(failed[:5]) or "dbt itself"
        raise BuildError(
            f"dbt: {len(failed) or 1} failed ({names}); nothing was published. What dbt said stands in {note}; correct it and run again."
        )


def _row_counts(build_file: Path) -> dict[tuple[str, str], int]:
    """Rows of every table of the build file, in one query: a count for each model would cost 20 s."""
    with duckdb.connect(str(build_file), read_only=True) as connection:
        found = connection.execute(
            "select schema_name, table_name, estimated_size from duckdb_tables() where not internal"
        ).fetchall()
    return {(schema, name): size for schema, name, size in found}
