"""Publishing: the mart schemas alone, copied by their own DDL, rows and comments, verified, then renamed.

`CREATE TABLE AS` and `EXPORT DATABASE` lose comments and `COPY FROM DATABASE` brings staging along, so each
table is made from its own DDL. Nothing is visible to an analyst before the last rename.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline.errors import CheckFailed, ReleaseError
from pipeline.home import Home
from pipeline.progress import report as progress
from pipeline.release import catalog, dictionary, report

MART_SCHEMAS = ("registry", "cohort", "outcomes", "trials", "quality")
# Sorted files are equal for equal content and compress better; beyond this the sort would cost more than it gives.
SORT_UP_TO_ROWS = 1_000_000

CHECKS: dict[str, tuple[pl.DataType, str]] = {
    "check_name": (pl.String(), "Name of the check."),
    "kind": (
        pl.String(),
        "Who checked: pandera (rows against their schema), dbt (tests), release (the copy).",
    ),
    "table_name": (pl.String(), "Table that was checked, with its schema."),
    "severity": (pl.String(), "error: nothing is published when it fails; warn: published and listed here."),
    "status": (pl.String(), "pass, warn or fail."),
    "failures": (pl.Int64(), "Rows or groups that broke the rule."),
    "message": (pl.String(), "What to do, where it did not pass."),
}
RELEASES: dict[str, tuple[pl.DataType, str]] = {
    "release_id": (pl.String(), "The release: UTC time of publishing and the beginning of its content hash."),
    "created_at": (pl.Datetime("us"), "When it was published (UTC)."),
    "inputs_hash": (pl.String(), "Hash of all files in force in landing."),
    "code_hash": (pl.String(), "Hash of package, dbt project and lock file."),
    "settings_hash": (pl.String(), "Hash of the settings that decide a result."),
    "studies": (pl.Int64(), "Registered studies in it."),
    "patients": (pl.Int64(), "Patients in it."),
    "is_this_release": (pl.Boolean(), "True for the release that this file belongs to."),
}
TABLE_COMMENTS = {
    "checks": "Every check of this release with its counts. Grain: one row per check and table.",
    "releases": "Every release kept when this one was made. Grain: one row per release.",
}


@dataclass(frozen=True)
class Table:
    """One mart as the build file has it."""

    schema: str
    name: str
    rows: int
    content: str  # hash that does not depend on row order

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


def publish(
    home: Home,
    *,
    hashes: Mapping[str, str],
    checks: pl.DataFrame,
    provenance: Mapping[str, Any],
    keep: int,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> catalog.Release:
    """Publish the marts of the build file as the current release.

    Args:
        home: the installation; its build file must not be open elsewhere.
        hashes: `inputs_hash`, `code_hash`, `settings_hash`.
        checks: frame with the columns of CHECKS: what ran before this step.
        provenance: what the manifest says beside: sources, versions, run id, key fingerprint.
        keep: how many releases stay.
        now: the clock.

    Raises:
        CheckFailed: a check of severity `error` did not pass; nothing was published.
        ReleaseError: the copy does not equal the build, or the disk is full; nothing was published.
    """
    failed = checks.filter((pl.col("severity") == "error") & (pl.col("status") == "fail"))
    if failed.height:
        names = ", ".join(failed["check_name"].head(3))
        raise CheckFailed(
            f"{failed.height} blocking checks failed ({names}): nothing was published. See them with `remit doctor`."
        )
    catalog.sweep(home)
    created = now().astimezone(UTC)
    partial = home.releases / f".partial-{created:%Y%m%dT%H%M%S%f}-{os.getpid()}"
    partial.mkdir(mode=0o750)
    try:
        progress("release: copy")
        tables = copy_marts(home.build_file, partial / catalog.MARTS)
        content = hashlib.sha256(
            "".join(f"{t.full_name}{t.rows}{t.content}" for t in tables).encode()
        ).hexdigest()
        release_id = f"{created:%Y%m%dT%H%M%SZ}-{content[:8]}"
        while (home.releases / release_id).exists():  # two releases of equal content within a second
            release_id += "x"
        manifest = {
            "release_id": release_id,
            "created_at": created.isoformat(timespec="seconds"),
            **hashes,
            "content_hash": content,
            "tables": {t.full_name: {"rows": t.rows, "content_hash": t.content} for t in tables},
            "provenance": dict(provenance),
        }
        progress("release: verify")
        _add_quality(partial / catalog.MARTS, home, manifest, checks)
        _verify(partial / catalog.MARTS, tables)
        progress("release: parquet, report, dictionary")
        describe(partial)
        (partial / "changes.json").write_text(json.dumps(_changes(home, manifest), indent=2) + "\n", "utf-8")
        write_manifest(partial, manifest)
        seal(partial)
        partial.rename(home.releases / release_id)
    except duckdb.IOException:
        shutil.rmtree(partial, ignore_errors=True)
        raise ReleaseError(
            "the release could not be written: free some space under REMIT_HOME and run again; the last release stays."
        ) from None
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ReleaseError(
            f"the release could not be written ({error.strerror}): free some space under REMIT_HOME and run again."
        ) from None
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    catalog.point_to(home, release_id)
    catalog.prune(home, keep)
    return catalog.find(home, release_id)


def copy_marts(build: Path, target: Path, without: tuple[str, str] | None = None) -> list[Table]:
    """Copy every table of the mart schemas: DDL, rows, comments. Gives them in order of their names.

    `without`: cohort and pseudonym of a patient whose rows stay behind.
    """
    tables = []
    with duckdb.connect(str(target)) as connection:
        connection.execute("set preserve_insertion_order = true; set TimeZone = 'UTC'")
        connection.execute(f"attach {quote_text(str(build))} as build (read_only)")
        found = connection.execute(
            """
            select schema_name, table_name, sql, comment
            from duckdb_tables()
            where database_name = 'build' and list_contains(?, schema_name)
            order by schema_name, table_name
            """,
            [list(MART_SCHEMAS)],
        ).fetchall()
        for schema in MART_SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        for number, (schema, name, ddl, comment) in enumerate(found):
            progress("release: copy", number, len(found))
            full = f"{quote(schema)}.{quote(name)}"
            connection.execute(_without_database(ddl))
            (rows,) = connection.execute(f"select count(*) from build.{full}").fetchone()
            order = "order by all" if rows <= SORT_UP_TO_ROWS else ""
            kept = ""
            if without and _is_of_patients(connection, schema, name):
                kept = (
                    f"where not (cohort = {quote_text(without[0])} and patient_id = {quote_text(without[1])})"
                )
            connection.execute(f"insert into {full} select * from build.{full} {kept} {order}")
            if comment:
                connection.execute(f"comment on table {full} is {quote_text(comment)}")
            columns = connection.execute(
                """
                select column_name, comment from duckdb_columns()
                where database_name = 'build' and schema_name = ? and table_name = ? and comment is not null
                """,
                [schema, name],
            ).fetchall()
            for column, text in columns:
                connection.execute(f"comment on column {full}.{quote(column)} is {quote_text(text)}")
            if kept:
                (rows,) = connection.execute(f"select count(*) from {full}").fetchone()
            tables.append(Table(schema, name, rows, _content(connection, full if kept else f"build.{full}")))
        connection.execute("detach build")
        connection.execute("checkpoint")
    return tables


def differing(old: Path, new: Path, tables: list[str]) -> list[str]:
    """The tables of two releases that differ by more than the order in which floating point numbers were added.

    Rows are put beside each other by all columns that are no fractions, then by the fractions; these may differ
    by a billionth of their size.
    """
    found = []
    with duckdb.connect() as connection:
        connection.execute(f"attach {quote_text(str(old))} as old (read_only)")
        connection.execute(f"attach {quote_text(str(new))} as new (read_only)")
        for table in tables:
            sides = [
                connection.execute(
                    "select column_name, data_type from duckdb_columns() where database_name = ? "
                    "and schema_name || '.' || table_name = ? order by column_index",
                    [side, table],
                ).fetchall()
                for side in ("old", "new")
            ]
            if not sides[0] or sides[0] != sides[1]:
                found.append(table)
                continue
            fractions = [quote(name) for name, kind in sides[0] if kind == "DOUBLE"]
            others = [quote(name) for name, kind in sides[0] if kind != "DOUBLE"]
            order = ", ".join(others + [f"round({name}, 6)" for name in fractions])
            numbered = f"select *, row_number() over (order by {order}) as row_of from {{}}.{table}"
            same = [f"old_rows.{name} is not distinct from new_rows.{name}" for name in others]
            same += [
                f"(old_rows.{name} is not distinct from new_rows.{name} or coalesce("
                f"abs(old_rows.{name} - new_rows.{name}) <= 1e-9 * greatest(abs(old_rows.{name}), 1), false))"
                for name in fractions
            ]
            (rows,) = connection.execute(
                f"with old_rows as ({numbered.format('old')}), new_rows as ({numbered.format('new')}) "
                f"select count(*) from old_rows full join new_rows using (row_of) "
                f"where not coalesce({' and '.join(same)}, false)"
            ).fetchone()
            if rows:
                found.append(table)
    return found


def _is_of_patients(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    (found,) = connection.execute(
        "select count(*) from duckdb_columns() where database_name = 'build' and schema_name = ? and table_name = ? "
        "and column_name in ('cohort', 'patient_id')",
        [schema, name],
    ).fetchone()
    return found == 2


def _without_database(ddl: str) -> str:
    # duckdb_tables().sql of an attached file starts with `CREATE TABLE build.schema.name(`.
    return ddl.replace("CREATE TABLE build.", "CREATE TABLE ", 1)


def _content(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    (low, total) = connection.execute(
        f"select coalesce(bit_xor(hash(t)), 0), coalesce(sum(hash(t)::hugeint), 0) from {table} as t"
    ).fetchone()
    return f"{low:016x}{total % (1 << 64):016x}"


def _add_quality(file: Path, home: Home, manifest: Mapping[str, Any], checks: pl.DataFrame) -> None:
    """Write quality.checks and quality.releases, which no model can know."""
    known = [
        {"release_id": r.release_id, "is_this_release": False, **_summary(r.manifest)}
        for r in catalog.releases(home)
    ]
    known.append({"release_id": manifest["release_id"], "is_this_release": True, **_summary(manifest)})
    frames = {
        "checks": (checks, CHECKS),
        "releases": (
            pl.DataFrame(known, schema_overrides={"created_at": pl.String}).with_columns(
                pl.col("created_at").str.to_datetime(time_zone="UTC").dt.replace_time_zone(None)
            ),
            RELEASES,
        ),
    }
    with duckdb.connect(str(file)) as connection:
        for name, (frame, columns) in frames.items():
            typed = frame.select(pl.col(column).cast(kind) for column, (kind, _) in columns.items())
            connection.register("typed", typed)
            connection.execute(f"create table quality.{name} as select * from typed order by all")
            connection.unregister("typed")
            connection.execute(f"comment on table quality.{name} is {quote_text(TABLE_COMMENTS[name])}")
            for column, (_, text) in columns.items():
                connection.execute(f"comment on column quality.{name}.{quote(column)} is {quote_text(text)}")
        connection.execute("checkpoint")


def _summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    rows = {name: table["rows"] for name, table in manifest.get("tables", {}).items()}
    return {
        "created_at": manifest["created_at"],
        "inputs_hash": manifest.get("inputs_hash"),
        "code_hash": manifest.get("code_hash"),
        "settings_hash": manifest.get("settings_hash"),
        "studies": rows.get("registry.studies"),
        "patients": rows.get("cohort.patients"),
    }


def _verify(file: Path, tables: list[Table]) -> None:
    """Open the copy as an analyst would and compare it with the build.

    Raises:
        ReleaseError: a table is missing, differs, or a column has no description.
    """
    with duckdb.connect(str(file), read_only=True) as connection:
        for table in tables:
            full = f"{quote(table.schema)}.{quote(table.name)}"
            (rows,) = connection.execute(f"select count(*) from {full}").fetchone()
            if rows != table.rows or _content(connection, full) != table.content:
                raise ReleaseError(
                    f"the copy of {table.full_name} differs from the build: run again; the last release stays."
                )
        bare = connection.execute(
            "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
            "where not internal and comment is null order by all"
        ).fetchall()
        if bare:
            raise ReleaseError(
                f"{len(bare)} columns have no description, {bare[0][0]} first: describe them in the folder's _models.yml."
            )


def describe(folder: Path) -> None:
    """Parquet files, dictionary and report beside the database."""
    with duckdb.connect(str(folder / catalog.MARTS), read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal order by all"
        ).fetchall()
        for schema, name in names:
            target = folder / "parquet" / schema / f"{name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(
                f"copy {quote(schema)}.{quote(name)} to {quote_text(str(target))} (format parquet, compression zstd)"
            )
        dictionary.write(connection, folder / "dictionary")
        report.write(connection, folder / "report" / "index.html")


def _changes(home: Home, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the release before, table by table."""
    before = catalog.current(home)
    if before is None:
        return {"previous_release_id": None, "tables": {}}
    old, new = before.manifest["tables"], manifest["tables"]
    changed = {}
    for name in sorted(old | new):
        if old.get(name, {}).get("content_hash") != new.get(name, {}).get("content_hash"):
            rows_before, rows_after = (side.get(name, {}).get("rows") for side in (old, new))
            changed[name] = {"rows_before": rows_before, "rows_after": rows_after}
    causes = [
        key
        for key in ("inputs_hash", "code_hash", "settings_hash")
        if before.manifest.get(key) != manifest[key]
    ]
    return {"previous_release_id": before.release_id, "changed_inputs": causes, "tables": changed}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """MANIFEST.json of a release whose other files are all in place: their hashes go into it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != catalog.MANIFEST]
    manifest["files"] = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (folder / catalog.MANIFEST).write_text(text, "utf-8")


def seal(folder: Path) -> None:
    """Rights for the analysts' group, and everything on the disk before the rename."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o750 if path.is_dir() else 0o440)
        with suppress(PermissionError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
