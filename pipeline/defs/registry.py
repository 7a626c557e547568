"""Registry assets: the pull into landing and the reading into the lake."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipeline import lake
from pipeline.defs.guard import guarded
from pipeline.defs.metadata import NIGHTLY, WHEN_CHANGED, column_schema, rows
from pipeline.defs.resources import OWNERS, RunLock
from pipeline.landing import Landing
from pipeline.progress import report as progress
from pipeline.quality import checks
from pipeline.registry import changes, schemas
from pipeline.registry.load import READING_CODE, load
from pipeline.registry.sources import pull_all, sources
from pipeline.release import hashes
from pipeline.settings import Settings

PULL_CHECK = "every_source_answered"
EMPTY_CHECK = "no_field_became_empty"
READ_CHECK = "every_document_read"
STUDIES = dg.AssetKey(["lake", "registry", "studies"])


def definitions(settings: Settings) -> dg.Definitions:
    """`landing/registry` and `lake/registry/*`."""
    home = settings.layout

    @dg.asset(
        key=["landing", "registry"],
        group_name="registry",
        owners=OWNERS,
        kinds={"http"},
        description="Study documents as they came, by hash, with the journal of every pull. "
        "From a recorded folder, the ClinicalTrials.gov API v2, a markdown mirror.",
        retry_policy=dg.RetryPolicy(
            max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL
        ),
        check_specs=[
            dg.AssetCheckSpec(
                PULL_CHECK,
                asset=["landing", "registry"],
                description="Every registry source answered completely and every document could be read. "
                "Where one did not, its last good documents stay in force.",
            )
        ],
        freshness_policy=NIGHTLY,
    )
    @guarded(home, "landing/registry")
    def landing_registry(context: dg.AssetExecutionContext, run_lock: RunLock) -> dg.MaterializeResult:
        pulled = pull_all(settings, Landing(home.landing, "registry"), progress)
        return dg.MaterializeResult(
            metadata={
                "documents": sum(pull.documents for pull in pulled.pulls),
                # A recorded folder is not counted before it is read.
                **_total("studies", [pull.studies for pull in pulled.pulls]),
                "pulls": "; ".join(f"{pull.source}: {pull.said()}" for pull in pulled.pulls) or "none",
                "sources": ", ".join(pull.source for pull in pulled.pulls) or "none",
                "source_version": ", ".join(pull.version for pull in pulled.pulls if pull.version)
                or "not given",
                **_total("reported_total", [pull.reported_total for pull in pulled.pulls]),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=PULL_CHECK,
                    passed=not pulled.problems,
                    severity=dg.AssetCheckSeverity.ERROR if pulled.is_failed else dg.AssetCheckSeverity.WARN,
                    description="\n".join(pulled.problems) or None,
                )
            ],
        )

    @dg.multi_asset(
        name="lake_registry",
        specs=[
            dg.AssetSpec(
                ["lake", "registry", name],
                deps=[["release", "inputs"], ["landing", "registry"]],
                group_name="registry",
                owners=OWNERS,
                description=table.description,
                kinds={"duckdb", "parquet"},
                metadata={
                    "dagster/column_schema": column_schema(
                        (column.name, str(column.type), column.description) for column in table.columns
                    )
                },
                freshness_policy=WHEN_CHANGED,
                skippable=True,
            )
            for name, table in schemas.TABLES.items()
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "accepted_by_schema",
                asset=["lake", "registry", name],
                blocking=True,
                description="pandera: every row of the written table fits its schema; rows that did not are counted.",
            )
            for name in schemas.TABLES
        ]
        + [
            dg.AssetCheckSpec(
                EMPTY_CHECK,
                asset=STUDIES,
                blocking=True,
                description="No field that had values in the last snapshot of these studies is empty everywhere now.",
            ),
            dg.AssetCheckSpec(
                READ_CHECK, asset=STUDIES, description="Every landed document could be read whole."
            ),
        ],
    )
    @guarded(home, "lake/registry")
    def lake_registry(context: dg.AssetExecutionContext, run_lock: RunLock) -> Generator[Any, None, None]:
        landing = Landing(home.landing, "registry")
        base = home.lake / "registry"
        record = home.warehouse / "checks" / "lake_registry.json"
        names = [source.name for source in sources(settings)]
        snapshot = hashes.snapshot_id(landing, *READING_CODE, extra=",".join(names))
        kept = lake.current(base)
        if kept is not None and kept.name == snapshot:
            # Neither the documents nor the code that reads them changed: the lake stands as it is, and so do its checks.
            for name, count in lake.row_counts(kept).items():
                yield _result(name, count, 0, kept)
            stands = dict(
                checks.read(record.parent)
                .filter(pl.col("status") != "pass")
                .select("check_name", "message")
                .rows()
            )
            yield _empty_check(stands.get(EMPTY_CHECK))
            yield _read_check(stands.get(READ_CHECK))
            return
        report = load(landing, base, sources=names, snapshot_id=snapshot, progress=progress)
        recorded = []
        read = {"documents": report.documents, "documents_unchanged": report.documents_reused}
        for name, count in report.rows.items():
            rejected = report.rejected.get(name, 0)
            yield _result(name, count, rejected, lake.current(base), read)
            recorded.append(
                checks.check(
                    "accepted_by_schema", kind="pandera", table=f"lake/registry/{name}", failures=rejected,
                    severity="warn", message="Rows set aside; see registry.documents.",
                )
            )  # fmt: skip
        gone = ", ".join(report.empty_fields[:5])
        remedy = (
            f"fields with values before and none now: {gone}. If the registry really dropped them, run `remit rebuild`; "
            "else correct pipeline/registry/schemas.py."
        )
        # It stays on record until documents or code change: a second run must not publish what the first refused.
        recorded.append(
            checks.check(
                EMPTY_CHECK,
                kind="release",
                table="lake/registry",
                failures=len(report.empty_fields),
                message=remedy,
            )
        )
        problems = "\n".join(report.problems) or None
        recorded.append(
            checks.check(
                READ_CHECK,
                kind="release",
                table="lake/registry",
                failures=len(report.problems),
                severity="warn",
                message=problems,
            )
        )
        checks.write(record, recorded)
        yield _empty_check(remedy if report.empty_fields else None)
        yield _read_check(problems)

    return dg.Definitions(assets=[landing_registry, lake_registry])


def _total(name: str, counts: list[int | None]) -> dict[str, int]:
    """The sum of what sources told, or nothing where none did."""
    told = [count for count in counts if count is not None]
    return {name: sum(told)} if told else {}


def _result(
    table: str, count: int, rejected: int, snapshot: Path | None, read: dict[str, int] | None = None
) -> dg.MaterializeResult:
    key = dg.AssetKey(["lake", "registry", table])
    return dg.MaterializeResult(
        asset_key=key,
        metadata=rows(count)
        | {"rows_rejected": rejected}
        | (read or {})
        | (_changed_last(snapshot) if table == "field_changes" and snapshot else {}),
        check_results=[
            dg.AssetCheckResult(
                asset_key=key,
                check_name="accepted_by_schema",
                passed=True,
                metadata={"rows": count, "rows_rejected": rejected},
            )
        ],
    )


def _changed_last(snapshot: Path) -> dict[str, dg.MetadataValue]:
    """What the last pull with changes brought. A table, because text from outside must not be rendered."""
    shown = changes.latest(pl.read_parquet(snapshot / "field_changes" / "*.parquet"))
    return {
        "changed_last": dg.MetadataValue.table(
            records=[dg.TableRecord(row) for row in shown.iter_rows(named=True)],
            schema=dg.TableSchema(columns=[dg.TableColumn(name) for name in shown.columns]),
        )
    }


def _empty_check(fault: str | None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=STUDIES,
        check_name=EMPTY_CHECK,
        passed=fault is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=fault,
    )


def _read_check(problems: str | None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=STUDIES,
        check_name=READ_CHECK,
        passed=problems is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=problems,
    )
