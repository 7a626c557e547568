"""The disability part of the statistics step: input models' frames in, derived tables out. No files here."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.errors import BuildError
from pipeline.statistics import disability, disability_definitions, survival

NEDA_DEFINITION = "msprog_24w"  # worsening within NEDA-3 is judged by this definition (domain.md)

DEFINITIONS = "int_disability__definitions"
TIMES = "int_disability__confirmation_times"
VISITS = "int_disability__visits"
ONSETS = "int_disability__onsets"
PATIENTS = "int_disability__patients"
EPOCHS = "int_disability__epochs"
MEMBERS = "int_outcomes__memberships"

EVENTS: dict[str, tuple[pl.DataType, str]] = {
    name: (kind, f"As outcomes.disability_events.{name}.")
    for name, kind in disability.events_schema(disability.NUMBER).items()
}
NEDA_WORSENING: dict[str, tuple[pl.DataType, str]] = {
    "measure_key": (pl.Int64(), "Number of the observed window (int_outcomes__window_measures)."),
    "reference_date": (pl.Date(), "Last EDSS on or before the epoch's start that may be a baseline."),
    "worsening_date": (pl.Date(), "First visit of a confirmed worsening that began in the epoch."),
    "is_able_to_confirm": (pl.Boolean(), "An EDSS late enough to confirm follows the epoch's last one."),
}


def compute(inputs: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Events, time to event, survival and worsening within epochs, by derived table name.

    Raises:
        BuildError: a definition contradicts itself, or the one that NEDA-3 needs is gone.
    """
    rules = definitions(inputs)
    patients = inputs[PATIENTS]
    starts = patients.select("patient_key", "index_baseline_date")
    events = disability.search(inputs[VISITS], inputs[ONSETS], starts, rules)
    # Where no relapse was delivered, none can tell RAW from PIRA: everything would be PIRA.
    untold = patients.filter(~pl.col("has_relapses_table"))["patient_key"].implode()
    seeking = inputs[DEFINITIONS].filter(pl.col("events").is_in(["first_raw", "first_pira"]))
    is_untold = pl.col("patient_key").is_in(untold)
    events = events.filter(
        ~(is_untold & pl.col("definition").is_in(seeking["definition"].implode()))
    ).with_columns(worsening_type=pl.when(~is_untold).then("worsening_type"))
    times = survival.time_to_event(inputs[DEFINITIONS], events, patients)
    is_untold &= pl.col("event_type").is_in(["RAW", "PIRA"])
    times = times.with_columns(
        time_days=pl.when(~is_untold).then("time_days"),
        entry_days=pl.when(~is_untold).then("entry_days"),
        censor_reason=pl.when(is_untold).then(pl.lit("relapses_not_delivered")).otherwise("censor_reason"),
    )
    return {
        "disability_events": events,
        "time_to_event": times,
        "survival": survival.kaplan_meier(times, inputs[MEMBERS]),
        "neda_worsening": _neda(inputs, rules),
    }


def definitions(inputs: Mapping[str, pl.DataFrame]) -> list[disability_definitions.Definition]:
    """The checked definitions, twins included."""
    return disability_definitions.parse(
        inputs[DEFINITIONS]
        .select(disability_definitions.DEFINITION_COLUMNS.keys())
        .cast(disability_definitions.DEFINITION_COLUMNS),
        inputs[TIMES]
        .select(disability_definitions.CONFIRMATION_COLUMNS.keys())
        .cast(disability_definitions.CONFIRMATION_COLUMNS),
    )


def _neda(inputs: Mapping[str, pl.DataFrame], rules: list[disability_definitions.Definition]) -> pl.DataFrame:
    rule = next((rule for rule in rules if rule.name == NEDA_DEFINITION), None)
    if rule is None and inputs[EPOCHS].height:
        raise BuildError(
            f"NEDA-3 needs the disability definition '{NEDA_DEFINITION}'; put its row back in seeds/outcomes."
        )
    if rule is None:
        return pl.DataFrame(schema={name: kind for name, (kind, _) in NEDA_WORSENING.items()})
    return disability.worsening_in_epochs(inputs[VISITS], inputs[ONSETS], inputs[EPOCHS], rule)
