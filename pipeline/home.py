"""The folders of one REMIT_HOME and their rights. Paths only: nothing here reads or writes data."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import HomeError

# A build of the invented samples takes some 60 MB beside landing and lake; real ones take more.
LEAST_FREE_BYTES = 200 * 1024**2


@dataclass(frozen=True)
class Home:
    """Where everything of one installation lives. Only `releases/` and `marts.duckdb` are for analysts."""

    root: Path

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def build_file(self) -> Path:
        return self.warehouse / "build.duckdb"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def private(self) -> Path:
        return self.root / "private"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def marts(self) -> Path:
        """The relative symlink that analysts open."""
        return self.root / "marts.duckdb"

    @property
    def lock_file(self) -> Path:
        return self.root / "run.lock"

    def create(self) -> Home:
        """Make the folders with their rights (home 0710, releases 0750, all else 0700).

        Raises:
            HomeError: the folder cannot be made or written.
        """
        modes = {self.root: 0o710, self.releases: 0o750}
        for folder in (
            self.inbox,
            self.landing,
            self.lake,
            self.warehouse,
            self.dagster,
            self.private,
        ):
            modes[folder] = 0o700
        try:
            for folder, mode in modes.items():
                folder.mkdir(parents=True, exist_ok=True)
                if (folder.stat().st_mode & 0o777) != mode:
                    folder.chmod(mode)
        except OSError as error:
            raise HomeError(
                f"REMIT_HOME {self.root} cannot be used ({error.strerror}): "
                "choose a folder that you can write to, with free space."
            ) from error
        if not os.access(self.root, os.W_OK):
            raise HomeError(f"REMIT_HOME {self.root} is not writable: choose another folder.")
        return self

    def require_space(self) -> None:
        """Refuse to start what a full disk would end half-way.

        Raises:
            HomeError: less than LEAST_FREE_BYTES are free.
        """
        free = shutil.disk_usage(self.root).free
        if free < LEAST_FREE_BYTES:
            raise HomeError(
                f"only {free / 1024**2:.0f} MB are free for REMIT_HOME: make room for a few hundred MB and run again; "
                "the last release stays."
            )
