"""The registry's own fields for age and sex as criteria, and where the text disagrees with them. No text is read here."""

from __future__ import annotations

import polars as pl

from pipeline.registry.eligibility.quantities import DAYS

CONFLICTS = {
    "nct_id": pl.String,
    "field": pl.String,
    "left_source": pl.String,
    "left_value": pl.String,
    "right_source": pl.String,
    "right_value": pl.String,
}


def _bounded(value: str) -> pl.Expr:
    number = pl.col(value)
    return (
        pl.when(number == number.round())
        .then(number.cast(pl.Int64).cast(pl.String))
        .otherwise(number.cast(pl.String))
    )


def criteria(studies: pl.DataFrame) -> pl.DataFrame:
    """One row a registry field that restricts: nct_id, criterion_id, kind, text, minimum, maximum, terms.

    The registry states ages in completed years: a maximum of 55 admits everyone before the 56th birthday, so both
    bounds are inclusive.
    """
    ages = studies.filter(
        pl.col("minimum_age_years").is_not_null() | pl.col("maximum_age_years").is_not_null()
    ).select(
        "nct_id",
        criterion_id=pl.col("nct_id") + "-age",
        kind=pl.lit("age_range"),
        text=pl.concat_str(
            pl.lit("Registry field, age in years: "),
            pl.when(pl.col("minimum_age_years").is_not_null()).then(
                pl.lit("at least ") + _bounded("minimum_age_years")
            ),
            pl.when(
                pl.col("minimum_age_years").is_not_null() & pl.col("maximum_age_years").is_not_null()
            ).then(pl.lit(", ")),
            pl.when(pl.col("maximum_age_years").is_not_null()).then(
                pl.lit("at most ") + _bounded("maximum_age_years")
            ),
            ignore_nulls=True,
        ),
        minimum=pl.col("minimum_age_years"),
        maximum=pl.col("maximum_age_years"),
        terms=pl.lit([], dtype=pl.List(pl.String)),
    )
    sexes = studies.filter(pl.col("sex").str.to_uppercase().is_in(["FEMALE", "MALE"])).select(
        "nct_id",
        criterion_id=pl.col("nct_id") + "-sex",
        kind=pl.lit("sex"),
        text=pl.lit("Registry field, sex: ") + pl.col("sex").str.to_lowercase(),
        minimum=pl.lit(None, dtype=pl.Float64),
        maximum=pl.lit(None, dtype=pl.Float64),
        terms=pl.concat_list(pl.col("sex").str.to_lowercase()),
    )
    return pl.concat([ages, sexes])


def conflicts(studies: pl.DataFrame, constraints: pl.DataFrame, criteria: pl.DataFrame) -> pl.DataFrame:
    """Ages of the text that differ from the registry's field, and a sex that the text widens.

    A text that names several ages (parts of a study) conflicts only where none of them is the field's.
    """
    whole = criteria.filter(pl.col("part") == "").select("criterion_id")
    stated = (
        constraints.filter(pl.col("kind") == "age_range", pl.col("origin") != "structured")
        .join(whole, on="criterion_id", how="semi")
        .with_columns(
            scale=pl.when(pl.col("unit") == "months").then(DAYS["months"] / DAYS["years"]).otherwise(1.0),
            forbids=pl.col("polarity") == "forbid",
        )
        .with_columns(
            low=pl.when(pl.col("forbids")).then(pl.col("max_value")).otherwise(pl.col("min_value"))
            * pl.col("scale"),
            high=pl.when(pl.col("forbids")).then(pl.col("min_value")).otherwise(pl.col("max_value"))
            * pl.col("scale"),
            low_inclusive=pl.when(pl.col("forbids"))
            .then(~pl.col("max_inclusive"))
            .otherwise(pl.col("min_inclusive")),
            high_inclusive=pl.when(pl.col("forbids"))
            .then(~pl.col("min_inclusive"))
            .otherwise(pl.col("max_inclusive")),
        )
        # "Exclusion: 18 to 55" is no statement about both bounds.
        .filter(~(pl.col("forbids") & pl.col("min_value").is_not_null() & pl.col("max_value").is_not_null()))
    )
    rows = []
    for field, side in (("minimum_age_years", "low"), ("maximum_age_years", "high")):
        sign = "≥" if side == "low" else "≤"
        strict = ">" if side == "low" else "<"
        both = stated.filter(pl.col(side).is_not_null()).join(
            studies.filter(pl.col(field).is_not_null()).select("nct_id", field), on="nct_id"
        )
        rows.append(
            both.with_columns(
                # Completed years: "under 18" is "at most 17".
                agrees=(((pl.col(side) - pl.col(field)).abs() < 0.02) & pl.col(f"{side}_inclusive"))
                | (
                    pl.lit(side == "high")
                    & ~pl.col(f"{side}_inclusive")
                    & ((pl.col(side) - 1 - pl.col(field)).abs() < 0.02)
                ),
            )
            .filter(~pl.col("agrees").any().over("nct_id"))
            .select(
                "nct_id",
                field=pl.lit(field),
                left_source=pl.lit("structured"),
                left_value=pl.lit(sign + " ") + _bounded(field),
                right_source=pl.lit("text"),
                right_value=pl.when(pl.col(f"{side}_inclusive"))
                .then(pl.lit(sign + " "))
                .otherwise(pl.lit(strict + " "))
                + pl.col(side).round(2).cast(pl.String).str.strip_suffix(".0"),
            )
            .unique(maintain_order=True)
        )
    both_sexes = r"(?i)\b(?:male\s*(?:and|or|/)\s*female|female\s*(?:and|or|/)\s*male|men\s*(?:and|or|/)\s*women|women\s*(?:and|or|/)\s*men|both (?:sexes|genders)|either sex)\b"
    text = criteria.filter(
        pl.col("origin") == "text", pl.col("section") == "inclusion", pl.col("text").str.contains(both_sexes)
    )
    rows.append(
        text.join(
            studies.filter(pl.col("sex").str.to_uppercase().is_in(["FEMALE", "MALE"])).select(
                "nct_id", "sex"
            ),
            on="nct_id",
        )
        .select(
            "nct_id",
            field=pl.lit("sex"),
            left_source=pl.lit("structured"),
            left_value=pl.col("sex").str.to_lowercase(),
            right_source=pl.lit("text"),
            right_value=pl.col("text").str.extract(f"({both_sexes})", 1).str.to_lowercase(),
        )
        .unique(subset=["nct_id"], maintain_order=True)
    )
    return pl.concat(rows).select(list(CONFLICTS)).cast(CONFLICTS)
