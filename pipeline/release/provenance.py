"""Where a release comes from, for its manifest: sources, versions, key fingerprint. No path, no file name."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from pipeline.landing import Landing
from pipeline.settings import LIVE, Settings

PACKAGES = ("dagster", "dbt-core", "dbt-duckdb", "duckdb", "polars", "pandera", "remit")


def collect(settings: Settings, run_id: str) -> dict[str, Any]:
    """What the manifest says beside tables and hashes."""
    registry = Landing(settings.layout.landing, "registry").current()
    cohort = Landing(settings.layout.landing, "cohort").current()
    fingerprint = settings.layout.private / "pseudonym.fingerprint"
    return {
        "dagster_run_id": run_id,
        "registry_source": LIVE if settings.registry.source == LIVE else "recorded studies",
        "registry_documents": len(registry),
        "registry_last_received_at": max((entry.time for entry in registry), default=None),
        "cohorts": sorted({entry.source for entry in cohort}),
        "cohort_files": len(cohort),
        "cohort_last_received_at": max((entry.time for entry in cohort), default=None),
        "is_sample_cohort": settings.is_sample_cohort,
        "pseudonym_key_fingerprint": fingerprint.read_text("utf-8").strip() if fingerprint.exists() else None,
        "packages": {name: version(name) for name in PACKAGES},
    }
