"""The disability part of the statistics step: input models' frames in, derived tables out. No files here."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.statistics import disability, disability_definitions


def events(inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Confirmed disability events under every definition.

    Args:
        inputs: frames of `int_disability__definitions`, `…confirmation_times`, `…visits`, `…onsets` and
            `…series_starts`, by model name.

    Raises:
        BuildError: a definition contradicts itself.
    """
    return disability.search(
        inputs["int_disability__visits"],
        inputs["int_disability__onsets"],
        inputs["int_disability__series_starts"],
        definitions(inputs),
    )


def definitions(inputs: Mapping[str, pl.DataFrame]) -> list[disability_definitions.Definition]:
    """The checked definitions, twins included."""
    return disability_definitions.parse(
        inputs["int_disability__definitions"]
        .select(disability_definitions.DEFINITION_COLUMNS.keys())
        .cast(disability_definitions.DEFINITION_COLUMNS),
        inputs["int_disability__confirmation_times"]
        .select(disability_definitions.CONFIRMATION_COLUMNS.keys())
        .cast(disability_definitions.CONFIRMATION_COLUMNS),
    )
