"""When runs happen: the nightly job, its schedule, the sensor for new deliveries, the alert of a failed run."""

import hashlib
from pathlib import Path

import dagster as dg
import httpx

from pipeline.settings import Settings

NIGHTLY = "nightly"


def definitions(settings: Settings) -> dg.Definitions:
    """Job, schedule and sensors."""
    nightly = dg.define_asset_job(
        NIGHTLY,
        selection=dg.AssetSelection.all(),
        description="Pull, read, build, check, publish. Skips everything behind the inputs when nothing changed.",
        executor_def=dg.in_process_executor,
    )
    schedule = dg.ScheduleDefinition(
        name="nightly_schedule",
        job=nightly,
        cron_schedule=settings.schedule.nightly,
        execution_timezone=settings.schedule.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="The nightly run.",
    )

    @dg.sensor(
        name="new_delivery",
        job=nightly,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Asks for one run when the listing of the inbox changed.",
    )
    def new_delivery(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        digest = listing_digest(settings.cohorts_path)
        if digest == context.cursor:
            return dg.SkipReason("The inbox is as it was.")
        if not context.cursor:
            # The first look only remembers: what lies there already is the next run's in any case.
            return dg.SensorResult(cursor=digest, skip_reason="First look at the inbox.")
        # No run key: keys deduplicate for ever, and a file may be put back as it was.
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=digest)

    @dg.run_failure_sensor(
        name="alert_failed_run",
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts a line without values to REMIT_ALERT_WEBHOOK when a run failed.",
    )
    def alert_failed_run(context: dg.RunFailureSensorContext) -> None:
        if settings.alert_webhook:
            text = f"Remit: run {context.dagster_run.run_id} of {context.dagster_run.job_name} failed; see its page."
            httpx.post(settings.alert_webhook.get_secret_value(), json={"text": text}, timeout=10)

    return dg.Definitions(jobs=[nightly], schedules=[schedule], sensors=[new_delivery, alert_failed_run])


def listing_digest(inbox: Path) -> str:
    """Digest of names, sizes and times below the inbox; names do not leave it."""
    digest = hashlib.sha256()
    for path in sorted(inbox.rglob("*")) if inbox.is_dir() else ():
        if path.is_file() and not path.name.startswith((".", "~$")):
            stat = path.stat()
            digest.update(f"{path.relative_to(inbox)}\x1f{stat.st_size}\x1f{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
