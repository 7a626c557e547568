"""The run lock as a resource, and the Dagster home: made once, healed after a killed run."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import yaml

from pipeline import lock
from pipeline.home import Home
from pipeline.settings import Settings

OWNERS = ["team:data-engineering"]

# Captured stdout could hold what a library prints of a failing row, so compute logs are not kept.
INSTANCE = {
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
    "freshness": {"enabled": True},
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
}
UNFINISHED = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED)


class RunLock(dg.ConfigurableResource):
    """Held for a whole run; whoever gets it first ends what a killed run left behind."""

    lock_file: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["RunLock", None, None]:
        with lock.hold(Path(self.lock_file), f"Dagster run {context.run_id}") as is_first:
            if is_first and context.instance is not None and context.run_id:
                end_killed_runs(context.instance, context.run_id)
            yield self


def run_lock(settings: Settings) -> RunLock:
    """The lock of this home."""
    settings.layout.create()
    return RunLock(lock_file=str(settings.layout.lock_file))


def prepare_instance(home: Home) -> dg.DagsterInstance:
    """Make or open `REMIT_HOME/dagster`. Call it under the run lock: two first starts at once ruin a new home."""
    home.create()
    file = home.dagster / "dagster.yaml"
    text = yaml.safe_dump(INSTANCE, sort_keys=True)
    if not file.exists() or file.read_text("utf-8") != text:
        partial = file.with_suffix(".partial")
        partial.write_text(text, "utf-8")
        partial.replace(file)
    return dg.DagsterInstance.from_config(str(home.dagster))


def end_killed_runs(instance: dg.DagsterInstance, own_run_id: str | None = None) -> int:
    """Mark runs that no living process can own as failed and free their slots; gives how many."""
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED))):
        if run.run_id != own_run_id:
            instance.report_run_failed(run, "The process of this run was killed; the next run closed it.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended += 1
    return ended
