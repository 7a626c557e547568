"""A whole installation for end-to-end tests: a home, the command line as a user runs it, queries on the release."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl

PROJECT = Path(__file__).resolve().parents[2]
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")


class Installation:
    """One REMIT_HOME below `root`; `remit` runs the command line in a process of its own."""

    def __init__(self, root: Path, **environment: str):
        self.root = root
        self.home = root / "home"
        self.environment = {
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            "REMIT_HOME": str(self.home),
            **environment,
        }

    @property
    def marts(self) -> Path:
        return self.home / "marts.duckdb"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `remit …` in a process group of its own."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("remit"), *arguments],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def remit(self, *arguments: str, expect: int | None = 0) -> str:
        """Run `remit …` to its end; gives what it printed (both streams)."""
        process = self.start(*arguments)
        text, _ = process.communicate(timeout=900)
        if expect is not None:
            assert process.returncode == expect, (
                f"remit {arguments[0]} ended with {process.returncode}:\n{text[-3000:]}"
            )
        return text

    def sql(self, query: str) -> pl.DataFrame:
        """Query the current release."""
        with duckdb.connect(str(self.marts.resolve()), read_only=True) as connection:
            return connection.sql(query).pl()

    def value(self, query: str):
        """The one value of a query."""
        return self.sql(query).item()

    def copy_of(self, other: Installation) -> Installation:
        """Take over another installation's home, links included."""
        shutil.copytree(other.home, self.home, symlinks=True)
        return self
