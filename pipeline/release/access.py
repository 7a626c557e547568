"""Opening a release for questions: nothing outside the file can be read or written through it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb


@contextmanager
def open_marts(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection that cannot leave its file (a read-only one alone could still read and write others)."""
    connection = duckdb.connect(str(file), read_only=True)
    try:
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()
