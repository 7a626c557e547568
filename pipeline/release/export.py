"""Copies of a release's tables for other tools: Parquet, CSV, or a workbook for each schema."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import xlsxwriter

from pipeline.errors import ReleaseError

FORMATS = ("parquet", "csv", "xlsx")
SHEET_ROWS = 1_048_575  # Excel's rows below a header


def export(marts: Path, kind: str, folder: Path) -> list[Path]:
    """Write all tables of the release into `folder`; gives the files.

    Raises:
        ReleaseError: the format is not one of FORMATS, a table does not fit a sheet, or the folder cannot be written.
    """
    if kind not in FORMATS:
        raise ReleaseError(f"format {kind!r} is not known: give one of {', '.join(FORMATS)}.")
    files: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(marts), read_only=True) as connection:
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where not internal order by all"
            ).fetchall()
            if kind == "xlsx":
                for schema in sorted({schema for schema, _ in tables}):
                    files.append(_workbook(connection, schema, [t for s, t in tables if s == schema], folder))
                return files
            for schema, table in tables:
                target = folder / f"{schema}.{table}.{kind}"
                options = "format parquet, compression zstd" if kind == "parquet" else "format csv, header"
                quoted = str(target).replace("'", "''")
                connection.execute(f'copy "{schema}"."{table}" to \'{quoted}\' ({options})')
                files.append(target)
    except (OSError, duckdb.IOException):
        raise ReleaseError(
            "the export could not be written: choose a folder with free space that you can write to."
        ) from None
    return files


def _workbook(connection: duckdb.DuckDBPyConnection, schema: str, tables: list[str], folder: Path) -> Path:
    target = folder / f"{schema}.xlsx"
    # Text from registries and spreadsheets must never become a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": False}
    with xlsxwriter.Workbook(str(target), options) as book:
        for table in tables:
            frame = connection.sql(f'select * from "{schema}"."{table}"').pl()
            if frame.height > SHEET_ROWS:
                raise ReleaseError(
                    f"{schema}.{table} has {frame.height} rows, more than a sheet holds: export parquet or csv."
                )
            nested = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
            frame = frame.with_columns(pl.col(name).list.join("; ") for name in nested)
            frame.write_excel(book, worksheet=table[:31])
    return target
