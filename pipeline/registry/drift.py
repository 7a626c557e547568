"""Differences between the records and the model: unknown paths, values that could not be read, fields gone empty.

Works on landed documents and on written snapshots. It reports; what follows from it is for load.py and its callers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline import lake
from pipeline.registry import schemas, structure, tables
from pipeline.registry.tables import Document

# Bytes of documents that are looked at, and of these the records whose structure is taken: inferring a
# structure costs ten times as much as reading with a declared one (77 against 600 MB/s on one core).
READ_BYTES = 32 << 20
SAMPLE_BYTES = 16 << 20

# A field counts as gone empty when at least so many values stood in the last snapshot: a handful may
# vanish for good reasons when a few studies are updated.
ENOUGH_VALUES = 20

# Paths that records have and the model leaves out, and why.
KNOWN: dict[str, str] = {
    "derivedSection.miscInfoModule.modelPredictions": "The registry's own prediction of body mass limits from the "
    "eligibility text; not in its documentation, and Remit reads the text itself.",
    "protocolSection.contactsLocationsModule.locations_nested": "Not the registry's: a copy of locations that "
    "another tool added to files that it exported.",
    "protocolSection.armsInterventionsModule.interventions.interventionMappedName": "Not the registry's: a drug name "
    "that another tool added to files that it exported.",
    "protocolSection.contactsLocationsModule.centralContacts.contact_type": "Not the registry's: added by another "
    "tool's test file.",
}


def unknown_paths(documents: Sequence[Document]) -> pl.DataFrame:
    """Paths of a sample of the records that the declared structure does not have, or has with another shape.

    The sample is deterministic: whole documents, evenly spread, and of large ones the records whose id falls
    into a share. Only the topmost unknown path of a branch is listed.

    Returns:
        Columns of the lake table `schema_drift`.
    """
    chosen, share = _sample(documents)
    connection = tables.connect()
    try:
        found: dict[str, tuple[int, str | None]] = {}
        sampled = 0
        for form in dict.fromkeys(document.form for document in chosen):
            sampled += _look(connection, [d for d in chosen if d.form == form], share, found)
    finally:
        connection.close()
    rows = [
        {
            "path": path, "drift_kind": "unknown_path", "occurrences": count, "studies_sampled": sampled,
            "example_nct_id": example, "known_reason": KNOWN.get(path),
        }
        for path, (count, example) in sorted(found.items())
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schemas.lake_columns("schema_drift"))


def _sample(documents: Sequence[Document]) -> tuple[list[Document], int]:
    total = sum(document.size for document in documents)
    stride = max(1, -(-total // READ_BYTES))
    chosen = list(documents[::stride])
    return chosen, max(1, -(-sum(document.size for document in chosen) // SAMPLE_BYTES))


def _look(
    connection: duckdb.DuckDBPyConnection,
    documents: list[Document],
    share: int,
    found: dict[str, tuple[int, str | None]],
) -> int:
    """Add what `documents` (of one form) have to `found`; give the number of studies looked at."""
    try:
        connection.execute(
            f"""
            create or replace temp table sampled as
            select study, study ->> '$.protocolSection.identificationModule.nctId' as nct_id
            from ({tables.objects_sql(documents)})
            where hash(study ->> '$.protocolSection.identificationModule.nctId') % {share} = 0
            """
        )
        shape, sampled = connection.execute(
            "select json_group_structure(study), count(*) from sampled"
        ).fetchone()
        unknown = list(_unknown(json.loads(shape), structure.STUDY)) if sampled else []
        for path, count, example in _counted(connection, unknown):
            before, first = found.get(path, (0, None))
            found[path] = (before + count, min(filter(None, (first, example)), default=None))
    except duckdb.Error:
        if len(documents) == 1:
            return 0  # not whole JSON: load.py says so
        half = len(documents) // 2
        return _look(connection, documents[:half], share, found) + _look(
            connection, documents[half:], share, found
        )
    return sampled


def _counted(
    connection: duckdb.DuckDBPyConnection, unknown: list[tuple[str, ...]]
) -> Iterator[tuple[str, int, str | None]]:
    """How often each path occurs in the table `sampled`, list items counted one by one, and the first study that has it."""
    if not unknown:
        return
    hits = ", ".join(f"study -> '{_json_path(path)}' as hit_{n}" for n, path in enumerate(unknown))
    counts = ", ".join(
        f"case coalesce(json_type(hit_{n}), 'NULL') when 'ARRAY' then json_array_length(hit_{n}) "
        f"when 'NULL' then 0 else 1 end as n_{n}"
        for n in range(len(unknown))
    )
    sums = ", ".join(f"sum(n_{n}), min(nct_id) filter (n_{n} > 0)" for n in range(len(unknown)))
    row = connection.execute(
        f"select {sums} from (select nct_id, {counts} from (select nct_id, {hits} from sampled))"
    ).fetchone()
    for n, path in enumerate(unknown):
        yield ".".join(path).replace("[*]", ""), int(row[2 * n] or 0), row[2 * n + 1]


def _unknown(shape: Any, declared: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of an inferred structure that the declared one lacks, lists marked `[*]`."""
    if isinstance(shape, list):
        if isinstance(declared, list):
            yield from _unknown(shape[0], declared[0], (*path[:-1], path[-1] + "[*]"))
        else:
            yield path
    elif isinstance(shape, dict):
        if not isinstance(declared, dict):
            yield path
            return
        for name, child in shape.items():
            if name in declared:
                yield from _unknown(child, declared[name], (*path, name))
            else:
                yield (*path, name)
    elif shape not in ("NULL", None) and not isinstance(declared, str):
        yield path  # a plain value, or shapes that differ between records, where an object or list is declared


def _json_path(path: tuple[str, ...]) -> str:
    parts = []
    for name in path:
        plain = name.removesuffix("[*]")
        parts.append(f'."{plain}"' + ("[*]" if name.endswith("[*]") else ""))
    return ("$" + "".join(parts)).replace("'", "''")


def gone_empty(base: Path, folder: Path) -> list[tuple[str, int]]:
    """Columns that had values in the current snapshot of `base` and have none in the new one in `folder`.

    Both must be of the same studies by and large (half of the old ones are there): another folder or another
    search is not compared. Counts come from the Parquet files' own statistics.

    Returns:
        `table.column` and the number of values that stood there.
    """
    old = lake.current(base)
    if old is None or not _same_studies(old, folder):
        return []
    gone = []
    with tables.connect() as connection:
        # What Remit derives has no field of the registry's that could be lost.
        for table in (table.name for table in (*schemas.PROTOCOL, *schemas.RESULTS)):
            before, now = _values(connection, old, table), _values(connection, folder, table)
            gone += [
                (f"{table}.{column}", count)
                for column, count in before.items()
                if count >= ENOUGH_VALUES and column in schemas.lake_columns(table) and not now.get(column)
            ]
    return gone


def _same_studies(old: Path, new: Path) -> bool:
    try:
        before = pl.read_parquet(old / "studies" / "*.parquet", columns=["nct_id"])
    except (OSError, pl.exceptions.PolarsError):
        return False
    now = pl.read_parquet(new / "studies" / "*.parquet", columns=["nct_id"])
    return before.height > 0 and before.join(now, on="nct_id", how="semi").height * 2 >= before.height


def _values(connection: duckdb.DuckDBPyConnection, snapshot: Path, table: str) -> dict[str, int]:
    if not any((snapshot / table).glob("*.parquet")):
        return {}
    return dict(
        connection.execute(
            """
            select split_part(path_in_schema, ',', 1), cast(sum(num_values - coalesce(stats_null_count, 0)) as bigint)
            from parquet_metadata(?) group by all
            """,
            [f"{snapshot / table}/*.parquet"],
        ).fetchall()
    )
