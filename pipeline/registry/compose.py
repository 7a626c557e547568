"""The tables of some studies, completed with what the registry's other rules say, and held against their schemas.

Pure functions over frames: no files, no landing, no choice between sources.
"""

from __future__ import annotations

import polars as pl
from pandera.errors import SchemaErrors

from pipeline.errors import RegistryError
from pipeline.registry import eligibility, outcome_kinds, schemas, tables, timeframes

# pandera's names of its checks, and ours.
_RULES = {
    "greater_than_or_equal_to": "minimum",
    "less_than_or_equal_to": "maximum",
    "isin": "codes",
    "str_matches": "nct_id",
    "not_nullable": "not_null",
}


def composed(
    frames: dict[str, pl.DataFrame], overrides: pl.DataFrame, readings: eligibility.Readings
) -> dict[str, pl.DataFrame]:
    """All tables of a batch.

    Args:
        frames: what `tables.Reader.tables` gives.
        overrides: curated corrections of criteria, see eligibility.
        readings: criteria texts that other batches read.

    Returns:
        The same with kinds of outcomes, posted measures matched to registered outcomes, epochs, criteria and
        constraints; rows of a study together.
    """
    frames = frames | _outcomes(frames)
    frames["outcome_epochs"] = timeframes.parse(
        frames["outcomes"].select("nct_id", "outcome_type", "ordinal", "measure", "description", "time_frame")
    )
    frames |= eligibility.parse(frames["studies"], overrides, readings)
    return {
        name: frame.sort("rec", maintain_order=True) if "rec" in frame.columns else frame
        for name, frame in frames.items()
    }


def _outcomes(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Outcomes and posted measures: the kind of each, and which registered outcome a posted measure is."""
    registered, measures = frames["outcomes"], frames["outcome_measures"]
    posted = measures.select(
        "rec", "nct_id", outcome_type=pl.lit("posted"), ordinal="ordinal", measure="title",
        description="description", time_frame="time_frame",
    )  # fmt: skip
    registered = registered.select(posted.columns)
    # The same words make the same outcome; case and spaces do not count.
    words = pl.col("measure").str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ").alias("words")
    matched = posted.with_columns(words).join(
        registered.select(
            "rec", words, registered_outcome_type="outcome_type", registered_ordinal="ordinal"
        ).unique(["rec", "words"], keep="first", maintain_order=True),
        on=["rec", "words"],
        how="left",
        maintain_order="left",
    )
    kinds = outcome_kinds.classify(
        pl.concat([registered, posted]).with_columns(pl.col("measure").fill_null(""))
    ).select("rec", "outcome_type", "ordinal", "outcome_kind", "outcome_kind_words")
    kinds_of_posted = kinds.filter(pl.col("outcome_type") == "posted").drop("outcome_type")
    only_posted = matched.filter(pl.col("registered_ordinal").is_null()).select(posted.columns)

    def by_outcome(name: str) -> pl.DataFrame:
        return frames[name].join(
            kinds_of_posted.select("rec", "outcome_kind", outcome_ordinal="ordinal"),
            on=["rec", "outcome_ordinal"],
            how="left",
            maintain_order="left",
        )

    return {
        "outcomes": pl.concat([registered, only_posted]).join(
            kinds, on=["rec", "outcome_type", "ordinal"], how="left", maintain_order="left"
        ),
        "outcome_measures": measures.join(
            kinds_of_posted, on=["rec", "ordinal"], how="left", maintain_order="left"
        ).join(
            matched.select("rec", "ordinal", "registered_outcome_type", "registered_ordinal"),
            on=["rec", "ordinal"],
            how="left",
            maintain_order="left",
        ),
        "outcome_results": by_outcome("outcome_results"),
        "result_analyses": by_outcome("result_analyses"),
    }


# Rows of a table that were set aside: how many of which study (null where the table has none) broke which rule.
REJECTIONS = {
    "table_name": pl.String,
    "column_name": pl.String,
    "rule": pl.String,
    "nct_id": pl.String,
    "rows": pl.Int64,
}
# Posted values of a column that could not be read, per study.
UNREAD = {"table": pl.String, "column": pl.String, "nct_id": pl.String, "occurrences": pl.Int64}


def accepted(table: str, frame: pl.DataFrame, rejections: list[pl.DataFrame]) -> pl.DataFrame:
    """The rows of `frame` that meet the table's schema, in lake columns.

    The others are left out; `rejections` gets one frame of REJECTIONS for each rule that they broke.

    Raises:
        RegistryError: the frame does not have the declared columns.
    """
    frame = frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schemas.lake_columns(table).items()
    )
    rules = schemas.row_rules(table)
    try:
        rules.validate(frame.select(list(rules.columns)), lazy=True)
        return frame
    except SchemaErrors as error:
        cases = error.failure_cases
    if cases["index"].null_count():
        raise RegistryError(
            f"The table {table} does not have the columns that its schema declares: report this as a fault of Remit."
        ) from None
    studies = frame.select(
        pl.int_range(pl.len()).alias("index"),
        pl.col("nct_id") if "nct_id" in frame.columns else pl.lit(None, pl.String).alias("nct_id"),
    )
    for (column, check), part in cases.group_by("column", "check", maintain_order=True):
        name = str(check).split("(")[0]
        rejections.append(
            studies.join(part.select(pl.col("index").cast(pl.Int64)).unique(), on="index", how="semi")
            .group_by("nct_id", maintain_order=True)
            .agg(rows=pl.len().cast(pl.Int64))
            .select(
                pl.lit(table).alias("table_name"),
                pl.lit(column).alias("column_name"),
                pl.lit(_RULES.get(name, name)).alias("rule"),
                "nct_id",
                "rows",
            )
            .cast(REJECTIONS)
        )
    bad = cases["index"].cast(pl.UInt32).unique()
    return frame.with_row_index("_row").filter(~pl.col("_row").is_in(bad.implode())).drop("_row")


def unread(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Posted values that could not be read: UNREAD, of all tables."""
    found = [
        frame.lazy()
        .filter(pl.col(tables.UNREAD).is_not_null())
        .select("nct_id", column=pl.col(tables.UNREAD).str.split(","))
        .explode("column")
        .group_by("column", "nct_id")
        .agg(occurrences=pl.len())
        .select(pl.lit(name).alias("table"), "column", "nct_id", "occurrences")
        .cast(UNREAD)
        for name, frame in frames.items()
        if tables.UNREAD in frame.columns
    ]
    return pl.concat(pl.collect_all(found)).sort("table", "column", "nct_id")
