"""What is well and what is not with an installation, in findings that say what to do. Reads only."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import duckdb

from pipeline.release import catalog, hashes
from pipeline.settings import LIVE, Settings

ENOUGH_FREE_BYTES = 5 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "note", "wrong"]
    text: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at settings, rights, space, lock, release, checks, in this order."""
    home = settings.layout
    yield Finding("ok", "remit.toml and the environment are readable")
    path = settings.registry_path
    if path is not None and not path.exists():
        yield Finding(
            "wrong",
            "the registry folder of the settings does not exist: set REMIT_REGISTRY to live or a folder.",
        )
    else:
        yield Finding("ok", f"registry: {'live' if settings.registry.source == LIVE else 'recorded studies'}")
    if not settings.cohorts_path.is_dir():
        yield Finding(
            "wrong",
            "the inbox of the settings does not exist: set REMIT_COHORTS to a folder of cohort folders.",
        )
    else:
        count = sum(folder.is_dir() for folder in settings.cohorts_path.iterdir())
        sample = " (the invented sample)" if settings.is_sample_cohort else ""
        yield Finding("ok", f"inbox: {count} cohorts{sample}")
    if not home.root.exists():
        yield Finding("note", "REMIT_HOME is not made yet: `remit run` makes it.")
        return
    for folder, wanted in ((home.private, 0o700), (home.landing, 0o700), (home.lake, 0o700)):
        if folder.exists() and folder.stat().st_mode & 0o077:
            yield Finding("wrong", f"{folder.name}/ can be read by others: chmod {wanted:o} {folder.name}.")
    free = shutil.disk_usage(home.root).free
    level = "ok" if free > ENOUGH_FREE_BYTES else "note"
    yield Finding(
        level, f"{free / 1024**3:.0f} GB free{'' if level == 'ok' else ': make room, a build needs a few'}"
    )
    yield Finding(
        "note" if _is_locked(settings) else "ok",
        "a run is going on" if _is_locked(settings) else "no run is going on",
    )
    release = catalog.current(home)
    if release is None:
        yield Finding("note", "no release yet: `remit run` makes the first.")
        return
    yield Finding("ok", f"release {release.release_id}, one of {len(catalog.releases(home))} kept")
    changed = [
        name for name, value in hashes.all_hashes(settings).items() if release.manifest.get(name) != value
    ]
    if changed:
        yield Finding("note", f"{', '.join(changed)} changed since that release: the next run builds.")
    with duckdb.connect(str(release.folder / catalog.MARTS), read_only=True) as connection:
        query = "select status, count(*) from quality.checks group by 1 order by 1"
        counts = dict(connection.execute(query).fetchall())
        yield Finding(
            "ok", "checks of the release: " + ", ".join(f"{n} {status}" for status, n in counts.items())
        )
        warned = connection.execute(
            "select table_name, check_name, failures, message from quality.checks where status = 'warn' order by all limit 20"
        ).fetchall()
    for table, check, failures, message in warned:
        yield Finding("note", f"{table}: {check}, {failures} rows. {message or ''}".rstrip())
    errors = (
        sorted((home.private / "errors").glob("*.txt"), key=os.path.getmtime) if home.private.exists() else []
    )
    if errors:
        yield Finding(
            "note",
            f"{len(errors)} error texts in private/errors, the last is {errors[-1].name}; remove what is settled.",
        )


def _is_locked(settings: Settings) -> bool:
    if not settings.layout.lock_file.exists():
        return False
    descriptor = os.open(settings.layout.lock_file, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
