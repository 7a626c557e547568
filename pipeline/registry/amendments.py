"""Amended eligibility: the criteria that a study had before each amendment, read as the present ones are.

What changed and when is changes.py, reading documents tables.py, reading criteria eligibility. No network, no clock.
What an amendment means for patients is evaluated in dbt, by the same models as the present criteria.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.registry import eligibility, tables
from pipeline.registry.changes import History

TABLES = ("amendments", "earlier_criteria", "earlier_criterion_constraints")
# Versions of one study are looked at back to this many amendments; how many are put to patients is dbt's
# (variable amendments_evaluated).
LIMIT = 20

_KEY = ["nct_id", "versions_back"]
_SEEN = ["nct_id", "version", "seen_at"]
# All that criteria and the study's place in the lists are read from; the rest of a record may be large.
_NEEDED = ("identificationModule", "statusModule", "eligibilityModule")


def earlier(
    history: History, overrides: pl.DataFrame, scratch: Path, readings: eligibility.Readings | None = None
) -> dict[str, pl.DataFrame]:
    """The criteria in force before each amendment.

    Args:
        history: versions of the studies and the feed that came of comparing them.
        overrides: curated corrections of criteria: they hold for earlier words as for present ones.
        scratch: an existing folder for documents on their way to the reader.
        readings: criteria texts that the load read; an earlier text is often a present one of another study.

    Returns:
        `amendments`: `nct_id, versions_back` (1: the latest), `version, seen_at, source` as in the feed's rows with
        `is_eligibility_change`. `earlier_criteria`, `earlier_criterion_constraints`: as eligibility.parse, of the
        version before that amendment, with `versions_back`.
    """
    found = _amended(history)
    # Equal texts of many versions are read once.
    documents = found.select("document").unique(maintain_order=True).with_row_index("place")
    fields = _fields(documents, scratch)
    placed = found.join(documents, on="document", maintain_order="left").join(fields, on="place", how="left")
    read = [
        {name: frame.with_columns(versions_back=pl.lit(back, pl.Int64)) for name, frame in parsed.items()}
        for back in sorted(found["versions_back"].unique())
        for parsed in [eligibility.parse(placed.filter(pl.col("versions_back") == back), overrides, readings)]
    ]
    return {
        "amendments": found.drop("document"),
        "earlier_criteria": _together([one["criteria"] for one in read], eligibility.CRITERIA),
        "earlier_criterion_constraints": _together(
            [one["criterion_constraints"] for one in read], eligibility.CONSTRAINTS
        ),
    }


def _amended(history: History) -> pl.DataFrame:
    """The amendments with the record before each: `nct_id, versions_back, version, seen_at, source, document`."""
    amended = history.feed.filter("is_eligibility_change").select(_SEEN).unique(maintain_order=True)
    return (
        history.versions.sort("nct_id", "seen_at", maintain_order=True)
        # A study that was gone meanwhile had its last criteria until it came back.
        .with_columns(before=pl.col("document").forward_fill().shift(1).over("nct_id"))
        .join(amended, on=_SEEN, how="semi", nulls_equal=True, maintain_order="left")
        .filter(pl.col("document").is_not_null() & pl.col("before").is_not_null())
        .with_columns(versions_back=pl.int_range(pl.len(), 0, -1).over("nct_id"))
        .filter(pl.col("versions_back") <= LIMIT)
        .select(*_KEY, "version", "seen_at", "source", document="before")
        .sort(_KEY)
    )


def _fields(documents: pl.DataFrame, scratch: Path) -> pl.DataFrame:
    """`place` and the fields that criteria are read from, by the reader of all records."""
    if documents.is_empty():
        return pl.DataFrame(schema={"place": pl.UInt32})
    file = scratch / "earlier_versions.jsonl"
    slim = documents.select(
        pl.concat_str(
            pl.lit('{"protocolSection":{'),
            pl.concat_str(
                [
                    pl.lit(f'"{module}":')
                    + pl.col("document").str.json_path_match(f"$.protocolSection.{module}")
                    for module in _NEEDED
                ],
                separator=",",
                ignore_nulls=True,
            ),
            pl.lit("}}"),
        )
    )
    file.write_text("\n".join(slim.to_series()) + "\n", encoding="utf-8")
    reader = tables.Reader(scratch)
    try:
        form = "newline_delimited/study"
        records = reader.read([tables.Document(0, file, form, file.stat().st_size)], lenient=True)
        studies = reader.tables()["studies"]
    finally:
        reader.close()
        file.unlink()
    places = records.select("rec", place=pl.int_range(pl.len(), dtype=pl.UInt32))
    return studies.drop("nct_id").join(places, on="rec").drop("rec")


def _together(frames: list[pl.DataFrame], columns: dict) -> pl.DataFrame:
    return pl.concat(
        [*frames, pl.DataFrame(schema={**columns, "versions_back": pl.Int64})], how="vertical_relaxed"
    ).sort("nct_id", "versions_back", maintain_order=True)
