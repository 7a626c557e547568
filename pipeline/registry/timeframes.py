"""Time frames of registered outcomes → epochs: "Period 1: Month -4 up to Month 0" → anchor, offsets, unit, quote.

Frames in, frames out; the language itself is timeframe_words.py (tokens) and timeframe_reader.py (what they
mean together). What an epoch means for a patient (index, clipping, exposure) is decided in dbt.

A text is cut into words that carry time (numbers with units, named moments such as "baseline" or "last
dose", "to", "after", "up to" …) and these are read from left to right. What the text does not say is not
made up: a bare "12 weeks" has a length and no start, an anchor that nobody names is `unstated`. Each
distinct text is read once; studies share most of them.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from pipeline.registry import timeframe_reader
from pipeline.registry.timeframe_words import squeeze

COLUMNS: dict[str, pl.DataType] = {
    "nct_id": pl.String(),
    "outcome_type": pl.String(),
    "ordinal": pl.Int64(),
    "epoch_number": pl.Int64(),
    "epoch_label": pl.String(),
    "epoch_kind": pl.String(),
    "anchor": pl.String(),
    "anchor_words": pl.String(),
    "start_offset": pl.Float64(),
    "end_offset": pl.Float64(),
    "offset_unit": pl.String(),
    "end_anchor": pl.String(),
    "end_event": pl.String(),
    "repeats": pl.String(),
    "is_approximate": pl.Boolean(),
    "is_unit_converted": pl.Boolean(),
    "quote": pl.String(),
    "parse_status": pl.String(),
}

# What the parser may say; the schema of the lake table checks it.
EPOCH_KINDS = ("point", "range", "length")
PARSE_STATUSES = ("parsed", "partial", "unparsed", "empty")


def parse(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Epochs of registered outcomes, one row for each time point or period that a time frame names.

    Args:
        outcomes: `nct_id, outcome_type, ordinal, time_frame` (other columns are ignored), one row an outcome.

    Returns:
        Columns `COLUMNS`. `epoch_kind` is `point` ("Week 12": both offsets are 12), `range` ("Day 1 to Month
        24") or `length` ("12 weeks": the start is not said and null). Offsets count in `offset_unit` (minute,
        hour, day, week, month, year, cycle, visit, calendar_year) from `anchor`, negative before it; the end
        counts from `end_anchor`, which differs from the anchor in "first dose to 30 days after last dose".
        A range that ends with an event has `end_event`, and an end offset only where the text bounds it.
        `quote` is the span of the text that the epoch was read from; for `unparsed` the whole text.
        `parse_status`: `parsed` (all that speaks of time was understood), `partial` (something was left over),
        `unparsed`, `empty` (no time frame registered). Every outcome has at least one row.
    """
    keyed = outcomes.select(
        pl.col("nct_id").cast(pl.String),
        pl.col("outcome_type").cast(pl.String),
        pl.col("ordinal").cast(pl.Int64),
        pl.col("time_frame").cast(pl.String).str.strip_chars().replace("", None),
    )
    texts = keyed.get_column("time_frame").drop_nulls().unique(maintain_order=True).to_list()
    rows = [row for text in texts for row in _rows(text)]
    epoch_columns = {
        name: kind for name, kind in COLUMNS.items() if name not in ("nct_id", "outcome_type", "ordinal")
    }
    epochs = pl.DataFrame(rows, schema={"time_frame": pl.String(), **epoch_columns}, orient="row")
    return (
        keyed.join(epochs, on="time_frame", how="left", maintain_order="left_right")
        .with_columns(
            pl.col("parse_status").fill_null("empty"),
            pl.col("epoch_number").fill_null(1),
            pl.col("is_approximate", "is_unit_converted").fill_null(False),
        )
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    )


def share_parsed(epochs: pl.DataFrame) -> dict[str, float | int]:
    """How well the time frames were understood: counts of outcomes by status and the share `parsed`.

    Outcomes without a registered time frame stand in no denominator.
    """
    outcomes = epochs.unique(["nct_id", "outcome_type", "ordinal"], keep="first")
    counts = dict(outcomes.group_by("parse_status").len().iter_rows())
    with_text = sum(count for status, count in counts.items() if status != "empty")
    return {
        **{status: counts.get(status, 0) for status in PARSE_STATUSES},
        "share_parsed": counts.get("parsed", 0) / with_text if with_text else 1.0,
    }


# Studies share most of their time frames; a load reads them batch by batch.
@lru_cache(maxsize=1 << 17)
def _rows(text: str) -> tuple[tuple[object, ...], ...]:
    reading = timeframe_reader.read(text)
    if not reading.epochs:
        return ((text, 1, *(None,) * 9, reading.repeats, False, False, text, reading.status),)
    return tuple(
        (
            text,
            number,
            epoch.label or squeeze(text[epoch.start : epoch.end]),
            epoch.kind,
            epoch.anchor,
            epoch.anchor_words,
            epoch.start_offset,
            epoch.end_offset,
            epoch.unit,
            epoch.end_anchor or epoch.anchor,
            epoch.end_event,
            reading.repeats,
            epoch.is_approximate,
            epoch.is_unit_converted,
            text[epoch.start : epoch.end],
            reading.status,
        )
        for number, epoch in enumerate(reading.epochs, start=1)
    )
