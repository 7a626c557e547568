"""Where two sources of one study disagree, field by field. Pure functions over lake tables; no choice here."""

from __future__ import annotations

import polars as pl

# Single values that a mirror page carries too. What the page does not say is no conflict.
_FIELDS = (
    "brief_title", "official_title", "overall_status", "why_stopped", "phase", "study_type", "enrollment_count",
    "lead_sponsor", "start_date_text", "primary_completion_date_text", "completion_date_text", "last_update_posted_date",
    "minimum_age", "maximum_age", "sex", "accepts_healthy_volunteers", "brief_summary", "detailed_description",
    "eligibility_text",
)  # fmt: skip
# Lists, compared as sets of the items' identities.
_LISTS: dict[str, tuple[str, ...]] = {
    "conditions": ("condition",),
    "arms": ("label",),
    "interventions": ("intervention_type", "name"),
    "outcomes": ("outcome_type", "measure"),
    "locations": ("facility", "city", "state", "country"),
}
TABLES = ("studies", *_LISTS)

COLUMNS = ("nct_id", "field", "left_source", "left_value", "right_source", "right_value")


def between_sources(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Compare two readings of the same studies.

    Args:
        left: `TABLES` of the source that stands (the registry).
        right: the same of the source that is set aside (the mirror); studies of `left` alone are ignored.

    Returns:
        `COLUMNS`, one row per field or list item that differs; spaces and line breaks alone do not.
        An item that one side lacks has null there.
    """
    sources = (
        left["studies"]
        .select("nct_id", left_source="source")
        .join(right["studies"].select("nct_id", right_source="source"), on="nct_id")
    )
    found = [_values(left["studies"], right["studies"])]
    found += [_items(name, keys, left[name], right[name]) for name, keys in _LISTS.items()]
    return (
        pl.concat(found)
        .join(sources, on="nct_id")
        .select(COLUMNS)
        .sort("nct_id", "field", "left_value", "right_value", nulls_last=True)
    )


def _squeezed(expression: pl.Expr) -> pl.Expr:
    return expression.str.replace_all(r"\s+", " ").str.strip_chars()


def _values(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    def long(frame: pl.DataFrame, name: str) -> pl.DataFrame:
        return frame.select("nct_id", *(pl.col(field).cast(pl.String) for field in _FIELDS)).unpivot(
            index="nct_id", variable_name="field", value_name=name
        )

    both = long(left, "left_value").join(long(right, "right_value"), on=["nct_id", "field"])
    return both.filter(
        pl.col("right_value").is_not_null()
        & _squeezed(pl.col("left_value")).ne_missing(_squeezed(pl.col("right_value")))
    )


def _items(name: str, keys: tuple[str, ...], left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    def identified(frame: pl.DataFrame, value: str) -> pl.DataFrame:
        text = pl.concat_str([pl.col(key).fill_null("") for key in keys], separator=" | ")
        return frame.select("nct_id", _squeezed(text).alias(value)).with_columns(
            identity=pl.col(value).str.to_lowercase(),
            # Two sites of one name are two items.
            number=pl.int_range(pl.len()).over("nct_id", pl.col(value).str.to_lowercase()),
        )

    mine, theirs = identified(left, "left_value"), identified(right, "right_value")
    if name == "outcomes":  # outcomes that only the results name stand in no mirror
        mine = mine.filter(~pl.col("identity").str.starts_with("posted |"))
    mine = mine.join(right.select("nct_id").unique(), on="nct_id", how="semi")
    on = ["nct_id", "identity", "number"]
    return (
        mine.join(theirs, on=on, how="full", coalesce=True)
        .filter(pl.col("left_value").is_null() | pl.col("right_value").is_null())
        .select("nct_id", pl.lit(name).alias("field"), "left_value", "right_value")
    )
