"""The one thing that Dagster loads: all definitions of the home that the settings name."""

import dagster as dg

from pipeline import settings as settings_module
from pipeline.defs import automation, cohort, registry, release, warehouse
from pipeline.defs.resources import run_lock
from pipeline.settings import Settings

MART_SCHEMAS = ("registry", "cohort", "outcomes", "trials", "quality")


def build(settings: Settings) -> dg.Definitions:
    """All assets, checks, jobs, schedules and sensors for these settings."""
    warehouse_definitions = warehouse.definitions(settings)
    built = [key for assets in warehouse_definitions.assets or () for key in assets.keys]
    marts = [key for key in built if len(key.path) == 2 and key.path[0] in MART_SCHEMAS]
    return dg.Definitions.merge(
        registry.definitions(settings),
        cohort.definitions(settings),
        warehouse_definitions,
        release.definitions(settings, marts),
        automation.definitions(settings),
        # One process for a whole run, whoever starts it: the lock and the build file belong to a process.
        dg.Definitions(resources={"run_lock": run_lock(settings)}, executor=dg.in_process_executor),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `workspace.yaml` names."""
    return build(settings_module.load())
