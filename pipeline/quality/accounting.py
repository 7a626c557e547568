"""Accepted, rejected, not data: who is who, and that it adds up. Rules and their meaning are not here."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


def split(
    frame: pl.DataFrame, faults: pl.DataFrame, levels: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Accepted rows with their warnings, and rejected rows.

    Args:
        frame: rows with `record` and a `warnings` column to fill.
        faults: `record`, `rule` of this table.
        levels: level of every rule that occurs: `error`, `warning`, `off`.

    Returns:
        accepted, rejected: together every row of `frame` once, in its order. `warnings` of an accepted row
        holds its rules of level `warning`, sorted, comma-separated; null where none.
    """
    graded = (
        faults.select("record", "rule")
        .unique()
        .with_columns(
            pl.col("rule")
            .replace_strict(dict(levels), default="error", return_dtype=pl.String)
            .alias("level")
        )
    )
    errors = graded.filter(pl.col("level") == "error").select("record").unique()
    flags = (
        graded.filter(pl.col("level") == "warning")
        .sort("record", "rule")
        .group_by("record")
        .agg(pl.col("rule").str.join(",").alias("_flags"))
    )
    flagged = (
        frame.join(flags, on="record", how="left", maintain_order="left")
        .with_columns(pl.col("_flags").alias("warnings"))
        .drop("_flags")
    )
    accepted = flagged.join(errors, on="record", how="anti", maintain_order="left")
    rejected = frame.join(errors, on="record", how="semi", maintain_order="left")
    return accepted, rejected


def adds_up(deliveries: pl.DataFrame) -> pl.DataFrame:
    """The sheets whose rows in are not accepted + rejected + not data; empty when all is well."""
    total = pl.col("rows_accepted") + pl.col("rows_rejected") + pl.col("rows_not_data")
    return deliveries.filter(pl.col("rows_in") != total)
