"""Cohort assets: the inbox into landing and the reading into the lake."""

from collections.abc import Generator
from typing import Any

import dagster as dg

from pipeline.cohort import pseudonyms, schemas
from pipeline.cohort.load import collect, load
from pipeline.defs.guard import guarded
from pipeline.defs.metadata import NIGHTLY, SUMMARY, WHEN_CHANGED, column_schema, rows
from pipeline.defs.resources import OWNERS, RunLock
from pipeline.errors import CohortError
from pipeline.landing import Landing
from pipeline.progress import report as progress
from pipeline.quality import checks
from pipeline.settings import Settings

INBOX_CHECK = "every_file_landed"
LOAD_CHECK = "every_cohort_loaded"
DESCRIPTIONS = {
    "deliveries": "Every sheet of every delivery: rows in, accepted, rejected, not data.",
    "rejected_rows": "Rows that were set aside: sheet, row, column, rule, message; never a value.",
    "delivered_columns": "Which column of a sheet each canonical field was read from.",
    "cohorts": "The cohorts of this run and the tables that they brought.",
}


def definitions(settings: Settings) -> dg.Definitions:
    """`landing/cohort` and `lake/cohort/*`."""
    home = settings.layout

    @dg.asset(
        key=["landing", "cohort"],
        group_name="cohort",
        owners=OWNERS,
        kinds={"excel"},
        description="Spreadsheets of the inbox as they came, by hash, with the journal of what came and went. Private.",
        check_specs=[
            dg.AssetCheckSpec(
                INBOX_CHECK,
                asset=["landing", "cohort"],
                description="Every file of the inbox could be read and landed.",
            )
        ],
        freshness_policy=NIGHTLY,
    )
    @guarded(home, "landing/cohort")
    def landing_cohort(context: dg.AssetExecutionContext, run_lock: RunLock) -> dg.MaterializeResult:
        collected = collect(settings.cohorts_path, Landing(home.landing, "cohort"), progress)
        return dg.MaterializeResult(
            metadata={
                "cohorts": len(collected.cohorts),
                "files_received": collected.received,
                "files_unchanged": collected.unchanged,
                "files_withdrawn": collected.withdrawn,
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name=INBOX_CHECK,
                    passed=not collected.problems,
                    severity=dg.AssetCheckSeverity.WARN,
                    description="\n".join(map(str, collected.problems)) or None,
                )
            ],
        )

    @dg.multi_asset(
        name="lake_cohort",
        specs=[
            dg.AssetSpec(
                ["lake", "cohort", table],
                deps=[["release", "inputs"], ["landing", "cohort"]],
                group_name="cohort",
                owners=OWNERS,
                description=DESCRIPTIONS.get(
                    table,
                    f"Canonical {table.replace('_', ' ')} of all cohorts, each row with its sheet and row.",
                ),
                kinds={"polars", "parquet"},
                metadata={
                    "dagster/column_schema": column_schema(
                        (name, str(kind), schemas.description(table, name))
                        for name, kind in schemas.lake_columns(table).items()
                    )
                },
                freshness_policy=WHEN_CHANGED,
                skippable=True,
            )
            for table in schemas.LAKE_TABLES
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "accepted_by_schema",
                asset=["lake", "cohort", table],
                blocking=True,
                description="pandera: every accepted row fits its schema and the rules of its level; the others are set aside and counted.",
            )
            for table in schemas.TABLES
        ]
        + [
            dg.AssetCheckSpec(
                LOAD_CHECK,
                asset=["lake", "cohort", "cohorts"],
                description="Every cohort was loaded and every file of it could be read.",
            ),
            dg.AssetCheckSpec(
                "rows_add_up",
                asset=["lake", "cohort", "deliveries"],
                blocking=True,
                description="For every sheet: rows in = accepted + rejected + not data.",
            ),
        ],
    )
    @guarded(home, "lake/cohort")
    def lake_cohort(context: dg.AssetExecutionContext, run_lock: RunLock) -> Generator[Any, None, None]:
        given = settings.pseudonym_key.get_secret_value() if settings.pseudonym_key else None
        report = load(
            Landing(home.landing, "cohort"),
            home.lake / "cohort",
            home.private,
            settings.cohorts,
            key=pseudonyms.load_key(home.private, given),
            is_invented=settings.is_sample_cohort,
            progress=progress,
        )
        problems = [str(problem) for problem in report.all_problems]
        told = dg.AssetCheckResult(
            asset_key=dg.AssetKey(["lake", "cohort", "cohorts"]),
            check_name=LOAD_CHECK,
            passed=not problems,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(problems) or None,
            metadata={SUMMARY: "\n".join(report.summary())},
        )
        if not report.loaded_anything:
            yield told
            raise CohortError(
                "no cohort could be loaded and nothing was published: do what the warnings say for each file and run again."
            )
        results = [check for cohort in report.cohorts for check in cohort.checks]
        failed = dict.fromkeys(schemas.LAKE_TABLES, 0)
        for check in results:
            if not check.passed:
                failed[check.table] += check.count
        for table, count in report.row_counts.items():
            name = "accepted_by_schema" if table in schemas.TABLES else None
            name = "rows_add_up" if table == "deliveries" else name
            yield dg.MaterializeResult(
                asset_key=["lake", "cohort", table],
                metadata=rows(count),
                check_results=[
                    dg.AssetCheckResult(
                        asset_key=dg.AssetKey(["lake", "cohort", table]),
                        check_name=name,
                        passed=not failed[table],
                        metadata={"rows": count, "failures": failed[table]},
                    )
                ]
                if name
                else [],
            )
        yield told
        checks.write(home.warehouse / "checks" / "lake_cohort.json", recorded(results))

    return dg.Definitions(assets=[landing_cohort, lake_cohort])


def recorded(results: list[Any]) -> list[dict[str, Any]]:
    """Checks of all cohorts as rows of quality.checks; rows set aside are warnings, they are not published."""
    totals: dict[tuple[str, str, bool], int] = {}
    for check in results:
        place = (check.rule, check.table, check.passed)
        totals[place] = totals.get(place, 0) + check.count
    return [
        checks.check(
            rule,
            kind="pandera",
            table=f"lake/cohort/{table}",
            failures=count,
            severity="warn" if passed else "error",
            message="Rows set aside or flagged; quality.rejected_rows and the query list say where.",
        )
        for (rule, table, passed), count in sorted(totals.items())
    ]
