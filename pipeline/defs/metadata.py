"""Metadata that every asset carries: column schema, row count, and nothing that came from a patient."""

from collections.abc import Iterable
from datetime import timedelta

import dagster as dg

# Landing is visited every night, so a day and a half without it is late. What is behind it is built only when
# something changed; a month without any change in registry and cohorts deserves a look.
NIGHTLY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
WHEN_CHANGED = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=35))

SUMMARY = "summary"  # of a check's metadata: lines for a person on what a step did, counts alone


def column_schema(columns: Iterable[tuple[str, str, str]]) -> dg.TableSchema:
    """A table's columns (name, type, description) as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=name, type=kind, description=text or None) for name, kind, text in columns
        ]
    )


def rows(count: int) -> dict[str, dg.MetadataValue]:
    """The row count under the key that Dagster plots."""
    return {"dagster/row_count": dg.MetadataValue.int(count)}
