"""Lake snapshots: folders of typed Parquet that become current by one rename. No rules, no sources here.

`lake/registry/<snapshot>/<table>/*.parquet` and `lake/cohort/<cohort>/<snapshot>/<table>/*.parquet`;
`current` beside the snapshots is a relative symlink. A snapshot holds every table, empty but typed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl

KEEP = 3  # snapshots beside the current one, for a look back after a bad night


def write_snapshot(base: Path, snapshot: str, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a fresh folder, then make it `base/current` by rename.

    A run that dies inside leaves the old `current` and a `.partial-…` folder that the next call removes.

    Args:
        base: `lake/registry` or `lake/cohort/<cohort>`.
        snapshot: name of the folder; a snapshot of that name is replaced.
        write: gets the empty folder and writes `<table>/*.parquet` below it.
    """
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in base.glob(".partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    partial = base / f".partial-{snapshot}"
    partial.mkdir(mode=0o700)
    write(partial)
    target = base / snapshot
    if target.exists():
        old = base / f".partial-old-{snapshot}"
        target.rename(old)
        partial.rename(target)
        _point(base / "current", snapshot)
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(target)
        _point(base / "current", snapshot)
    _prune(base, snapshot)
    return target


def write_table(folder: Path, table: str, frame: pl.DataFrame) -> None:
    """One table of a snapshot as one Parquet file."""
    target = folder / table
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    frame.write_parquet(target / "part-0.parquet", compression="zstd")


def current(base: Path) -> Path | None:
    """The snapshot that `base/current` names, or None before the first."""
    link = base / "current"
    return base / link.readlink() if link.is_symlink() and link.exists() else None


def row_counts(folder: Path) -> dict[str, int]:
    """Rows of each table of a snapshot, from the Parquet footers alone."""
    return {
        table.name: pl.scan_parquet(table / "*.parquet").select(pl.len()).collect().item()
        for table in sorted(folder.iterdir())
        if table.is_dir()
    }


def withdraw(base: Path) -> None:
    """Take a source out of the lake: no `current`, so that dbt no longer reads it."""
    (base / "current").unlink(missing_ok=True)


def _point(link: Path, snapshot: str) -> None:
    temporary = link.with_name(f".current-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(snapshot)
    temporary.replace(link)


def _prune(base: Path, snapshot: str) -> None:
    dated = sorted(
        (
            path
            for path in base.iterdir()
            if path.is_dir()
            and not path.is_symlink()
            and path.name != snapshot
            and not path.name.startswith(".")  # what a lake keeps beside its snapshots
        ),
        key=lambda path: path.stat().st_mtime,
    )
    for path in dated[: max(0, len(dated) - KEEP)]:
        shutil.rmtree(path, ignore_errors=True)
