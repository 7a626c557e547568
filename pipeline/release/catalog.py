"""The releases that a home keeps: list, find, roll back, prune. Only names and manifests are touched here."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ReleaseError
from pipeline.home import Home

MARTS = "marts.duckdb"
MANIFEST = "MANIFEST.json"


@dataclass(frozen=True)
class Release:
    """One kept release."""

    release_id: str
    folder: Path
    manifest: dict[str, Any]
    is_current: bool


def current_id(home: Home) -> str | None:
    """The release that `marts.duckdb` points to; None before the first."""
    if not home.marts.is_symlink():
        return None
    target = home.marts.readlink()
    return target.parent.name if (home.root / target).exists() else None


def releases(home: Home) -> list[Release]:
    """All whole releases, newest first; a folder without a readable manifest is not one."""
    now = current_id(home)
    found = []
    for folder in home.releases.glob("[!.]*") if home.releases.exists() else ():
        try:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError):
            continue
        found.append(Release(folder.name, folder, manifest, folder.name == now))
    return sorted(found, key=lambda release: release.release_id, reverse=True)


def current(home: Home) -> Release | None:
    """The release that analysts open now."""
    return next((release for release in releases(home) if release.is_current), None)


def find(home: Home, release_id: str) -> Release:
    """One release by its id, or by the beginning of one that is unambiguous.

    Raises:
        ReleaseError: there is none, or more than one.
    """
    matches = [release for release in releases(home) if release.release_id.startswith(release_id)]
    if len(matches) != 1:
        known = "none fits" if not matches else "more than one fits"
        raise ReleaseError(f"no single release {release_id!r} ({known}): `remit releases` lists them.")
    return matches[0]


def point_to(home: Home, release_id: str) -> None:
    """Make a release the one that `marts.duckdb` names, by one rename: readers see the old or the new."""
    link = home.root / f".{MARTS}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / release_id / MARTS)
    link.replace(home.marts)
    directory = os.open(home.root, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def prune(home: Home, keep: int) -> list[str]:
    """Remove the oldest releases beyond `keep`, never the current one; gives the ids removed."""
    removed = []
    for release in releases(home)[keep:]:
        if not release.is_current:
            shutil.rmtree(release.folder)
            removed.append(release.release_id)
    return removed


def sweep(home: Home) -> None:
    """Remove what a killed run left half-made."""
    for left in home.releases.glob(".partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    for link in home.root.glob(f".{MARTS}-*"):
        link.unlink(missing_ok=True)
