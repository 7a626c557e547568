"""The gate that knows whether anything changed, and the release."""

from collections.abc import Generator
from typing import Any

import dagster as dg

from pipeline.defs.guard import guarded
from pipeline.defs.metadata import WHEN_CHANGED, rows
from pipeline.defs.resources import OWNERS, RunLock
from pipeline.progress import report as progress
from pipeline.quality import checks
from pipeline.release import catalog, hashes, provenance
from pipeline.release.publish import publish
from pipeline.settings import Settings


class InputsConfig(dg.Config):
    """`force`: build even when nothing changed."""

    force: bool = False


def definitions(settings: Settings, marts: list[dg.AssetKey]) -> dg.Definitions:
    """`release/inputs` before everything that builds, `release/marts` behind all marts."""
    home = settings.layout

    @dg.multi_asset(
        name="inputs",
        specs=[
            dg.AssetSpec(
                ["release", "inputs"],
                deps=[["landing", "registry"], ["landing", "cohort"]],
                group_name="release",
                owners=OWNERS,
                description="What the next release is made from, as three hashes: files in landing, code, settings. "
                "Materialized only when one of them changed; otherwise everything behind it is skipped.",
                skippable=True,
                freshness_policy=WHEN_CHANGED,
            )
        ],
    )
    @guarded(home, "release/inputs")
    def inputs(
        context: dg.AssetExecutionContext, config: InputsConfig, run_lock: RunLock
    ) -> Generator[Any, None, None]:
        now = hashes.all_hashes(settings)
        before = catalog.current(home)
        if (
            before
            and not config.force
            and all(before.manifest.get(name) == value for name, value in now.items())
        ):
            context.log.info(
                f"nothing changed since release {before.release_id}: inputs, code and settings are equal"
            )
            progress("nothing changed")
            return
        yield dg.MaterializeResult(asset_key=["release", "inputs"], metadata=now)

    @dg.asset(
        key=["release", "marts"],
        deps=marts,
        group_name="release",
        owners=OWNERS,
        kinds={"duckdb", "parquet"},
        description="The published release: marts.duckdb, Parquet, report, dictionary and manifest, "
        "checked, verified and set in place by rename.",
        freshness_policy=WHEN_CHANGED,
    )
    @guarded(home, "release/marts")
    def release_marts(context: dg.AssetExecutionContext, run_lock: RunLock) -> dg.MaterializeResult:
        release = publish(
            home,
            hashes=hashes.all_hashes(settings),
            checks=checks.read(home.warehouse / "checks"),
            provenance=provenance.collect(settings, context.run_id),
            keep=settings.releases.keep,
        )
        tables = release.manifest["tables"]
        return dg.MaterializeResult(
            metadata=rows(sum(table["rows"] for table in tables.values()))
            | {"release_id": release.release_id, "tables": len(tables)}
        )

    return dg.Definitions(assets=[inputs, release_marts])
