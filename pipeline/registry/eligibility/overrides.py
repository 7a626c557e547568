"""Corrections of the grammar by people: a seed with author, date and reason that wins over what was parsed.

An override names its criterion by id and by the hash of its text. When the text has changed, or a correction is not
signed, it is refused and listed: a correction never silently applies to other words.
"""

from __future__ import annotations

import polars as pl

SEED_COLUMNS = {
    "nct_id": pl.String,
    "criterion_id": pl.String,
    "text_sha256": pl.String,
    "kind": pl.String,
    "polarity": pl.String,
    "min_value": pl.Float64,
    "min_inclusive": pl.Boolean,
    "max_value": pl.Float64,
    "max_inclusive": pl.Boolean,
    "unit": pl.String,
    "measure": pl.String,
    "window_value": pl.Float64,
    "window_unit": pl.String,
    "window_near_value": pl.Float64,
    "window_near_unit": pl.String,
    "window_anchor": pl.String,
    "terms": pl.String,
    "term_logic": pl.String,
    "exception_terms": pl.String,
    "any_of_group": pl.String,
    "all_of_group": pl.String,
    "author": pl.String,
    "override_date": pl.String,
    "reason": pl.String,
}
USES = {
    "nct_id": pl.String,
    "criterion_id": pl.String,
    "author": pl.String,
    "override_date": pl.String,
    "reason": pl.String,
    "status": pl.String,
}


def read_seed(path) -> pl.DataFrame:
    """The seed as a frame of SEED_COLUMNS; an absent or empty file gives no rows."""
    from pathlib import Path

    path = Path(path)
    if not path.is_file() or not path.read_text(encoding="utf-8").strip():
        return pl.DataFrame(schema=SEED_COLUMNS)
    return normalised(pl.read_csv(path, infer_schema_length=0))


def normalised(overrides: pl.DataFrame) -> pl.DataFrame:
    """Any frame of overrides in SEED_COLUMNS' types; absent columns are null."""
    flags = {
        "true": True,
        "t": True,
        "1": True,
        "yes": True,
        "false": False,
        "f": False,
        "0": False,
        "no": False,
    }
    columns = []
    for name, kind in SEED_COLUMNS.items():
        if name not in overrides.columns:
            columns.append(pl.lit(None, dtype=kind).alias(name))
        elif kind == pl.Boolean and overrides.schema[name] == pl.String:
            columns.append(
                pl.col(name)
                .str.to_lowercase()
                .replace_strict(flags, default=None, return_dtype=pl.Boolean)
                .alias(name)
            )
        elif overrides.schema[name] == pl.List(pl.String) and kind == pl.String:
            columns.append(pl.col(name).list.join(";").alias(name))
        else:
            columns.append(pl.col(name).cast(kind, strict=False).alias(name))
    frame = overrides.select(columns)
    return frame.with_columns(
        pl.when(pl.col(c).str.strip_chars() != "").then(pl.col(c).str.strip_chars()).alias(c)
        for c, kind in SEED_COLUMNS.items()
        if kind == pl.String
    )


def judge(overrides: pl.DataFrame, criteria: pl.DataFrame) -> pl.DataFrame:
    """Overrides with `status`: applied, refused_text_changed, refused_incomplete, refused_contradicts_itself, study_not_loaded.

    A whole criterion is refused when one of its rows is.
    """
    known = criteria.select("criterion_id", current_sha256="text_sha256")
    studies = criteria.select("nct_id").unique().with_columns(study_loaded=pl.lit(True))
    judged = (
        overrides.join(known, on="criterion_id", how="left", maintain_order="left")
        .join(studies, on="nct_id", how="left", maintain_order="left")
        .with_columns(
            status=pl.when(pl.col("study_loaded").is_null())
            .then(pl.lit("study_not_loaded"))
            .when(
                pl.col("author").is_null()
                | pl.col("override_date").is_null()
                | pl.col("reason").is_null()
                | pl.col("text_sha256").is_null()
            )
            .then(pl.lit("refused_incomplete"))
            .when(pl.col("current_sha256").is_null() | (pl.col("current_sha256") != pl.col("text_sha256")))
            .then(pl.lit("refused_text_changed"))
            .when(
                pl.col("kind").is_not_null()
                & (pl.col("kind") != "none")
                & ~pl.col("polarity").is_in(["require", "forbid"]).fill_null(False)
            )
            .then(pl.lit("refused_incomplete"))
            .otherwise(pl.lit("applied"))
        )
    )
    worst = pl.col("status").filter(pl.col("status") != "applied").first().over("criterion_id")
    return judged.with_columns(status=pl.coalesce(worst, pl.col("status"))).drop(
        "current_sha256", "study_loaded"
    )
