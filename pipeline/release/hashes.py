"""What a release was made from, as three hashes: inputs (journal), code, settings. Equal means: nothing changed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pipeline import digest
from pipeline.landing import Entry, Landing
from pipeline.registry.sources import sources
from pipeline.settings import PROJECT, Settings

CODE = (
    "pipeline/**/*.py",
    "dbt_project/dbt_project.yml",
    "dbt_project/profiles.yml",
    "dbt_project/models/**/*",
    "dbt_project/macros/**/*",
    "dbt_project/seeds/**/*",
    "dbt_project/tests/**/*",
    "requirements.lock",
)

# How a registry is asked, how often, and when an answer is refused: none of it changes what landed is read as.
POLITENESS = (
    "transport",
    "page_size",
    "requests_per_second",
    "max_attempts",
    "timeout_seconds",
    "max_wait_seconds",
    "max_restarts",
    "resume_hours",
    "shrink_threshold",
    "reconcile_days",
    "overlap_days",
)


def inputs_hash(settings: Settings) -> str:
    """Hash of what is in force in landing: source, name and content of every file, not when it came."""
    used = {source.name for source in sources(settings)}
    registry = [
        entry for entry in Landing(settings.layout.landing, "registry").current() if entry.source in used
    ]
    cohort = Landing(settings.layout.landing, "cohort").current()
    return _of_entries([*registry, *cohort])


def code_hash(project: Path = PROJECT) -> str:
    """Hash of the package, the dbt project and the lock file."""
    return digest.of_files(project, CODE)


def snapshot_id(landing: Landing, *patterns: str, extra: str = "", project: Path = PROJECT) -> str:
    """Name of a lake snapshot: equal for equal landing and equal reading code, so that neither is done twice."""
    entries = landing.current()
    moved = (entry.time for entry in landing.entries() if entry.event in ("received", "withdrawn", "erased"))
    last = max(moved, default="")
    name = hashlib.sha256(
        (_of_entries(entries) + digest.of_files(project, patterns) + extra).encode()
    ).hexdigest()[:12]
    return f"{last[:19].replace('-', '').replace(':', '')}-{name}" if last else name


def _of_entries(entries: list[Entry]) -> str:
    found = hashlib.sha256()
    for line in sorted(f"{e.area}\x1f{e.source}\x1f{e.name}\x1f{e.sha256}" for e in entries):
        found.update(line.encode() + b"\n")
    return found.hexdigest()


def settings_hash(settings: Settings) -> str:
    """Hash of the settings that decide a result, given what is in landing."""
    public = settings.public()
    for section in ("schedule", "releases"):
        public.pop(section)
    for name in POLITENESS:
        public["registry"].pop(name)
    return hashlib.sha256(json.dumps(public, sort_keys=True).encode()).hexdigest()


def all_hashes(settings: Settings) -> dict[str, str]:
    """The three hashes as they stand in MANIFEST.json."""
    return {
        "inputs_hash": inputs_hash(settings),
        "code_hash": code_hash(settings.root),
        "settings_hash": settings_hash(settings),
    }
