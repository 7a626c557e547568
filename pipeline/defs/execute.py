"""The nightly job in this process, on the Dagster home that the page shows."""

import contextlib
import io
import logging
from dataclasses import dataclass

import dagster as dg

from pipeline import definitions, lock
from pipeline.defs.automation import NIGHTLY
from pipeline.defs.metadata import SUMMARY
from pipeline.defs.resources import end_killed_runs, prepare_instance
from pipeline.release import catalog
from pipeline.settings import Settings

# Without this tag the page's job does not list the run.
REPOSITORY_TAG = {".dagster/repository": "__repository__@remit"}
# A failing op would print its exception on stderr.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Outcome:
    """What a run did. `summary`, `warnings` and `errors` are whole lines for a person."""

    run_id: str
    is_published: bool
    is_unchanged: bool
    release_id: str | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    summary: tuple[str, ...] = ()


def run(settings: Settings, *, force: bool = False, job: str = NIGHTLY) -> Outcome:
    """Run the nightly job under the lock of this home.

    Raises:
        HomeBusy: another run holds it.
    """
    home = settings.layout.create()
    home.require_space()
    # It warns of every blocking check of a step that was skipped because nothing changed.
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    with lock.hold(home.lock_file, "remit run"):
        instance = prepare_instance(home)
        end_killed_runs(instance)
        before = catalog.current_id(home)
        # Where the disk is full Dagster prints what it could not store; ours are the lines that a person gets.
        with instance, contextlib.redirect_stderr(io.StringIO()):
            result = (
                definitions.build(settings)
                .resolve_job_def(job)
                .execute_in_process(
                    instance=instance,
                    tags=REPOSITORY_TAG,
                    run_config={**QUIET, "ops": {"inputs": {"config": {"force": force}}}},
                    raise_on_error=False,
                )
            )
        after = catalog.current_id(home)
    errors, warnings, summary = _told(result)
    return Outcome(
        run_id=result.run_id,
        is_published=result.success and after != before,
        is_unchanged=result.success and after == before and not errors,
        release_id=after,
        errors=tuple(errors),
        warnings=tuple(warnings),
        summary=tuple(summary),
    )


def _told(result: dg.ExecuteInProcessResult) -> tuple[list[str], list[str], list[str]]:
    """Errors, warnings, summaries."""
    errors, warnings, summary = [], [], []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            failure = data.user_failure_data
            text = failure.description if failure else (data.error.message if data.error else "failed")
            errors.append(str(text).strip().splitlines()[0])
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if SUMMARY in check.metadata:
                summary.extend(str(check.metadata[SUMMARY].value).splitlines())
            if not check.passed and check.description:
                is_error = check.severity == dg.AssetCheckSeverity.ERROR
                (errors if is_error else warnings).extend(check.description.splitlines())
    return errors, warnings, summary
