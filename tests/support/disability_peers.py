"""Comparing our disability events with msprog's: its configurations, its columns, and cohorts made to be awkward."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.statistics import disability
from pipeline.statistics.disability_definitions import (
    CONFIRMATION_COLUMNS,
    DEFINITION_COLUMNS,
    Definition,
    parse,
)

PROJECT = Path(__file__).resolve().parents[2]
SEEDS = PROJECT / "dbt_project" / "seeds" / "outcomes"

# Oracle file → the definition that it answers (configurations.md beside the files says what was run).
TOY_ORACLES = {
    "default_firstCDW": "msprog_default",
    "firstCDW_RAW_PIRA": "msprog_default",
    "multiple_roving": "msprog_multiple_roving",
    "multiple_fixed": "msprog_multiple_fixed",
    "conf24w_firstCDW": "msprog_24w",
    "PIRA_muller2023_roving": "pira_mueller2023",
    "PIRA_muller2023_highspec_roving": "pira_mueller2023_highspec",
    "PIRA_kappos2020_rebl": "pira_kappos2020_msprog",
    "PIRA_cagol2022_roving": "pira_cagol2022",
    "firstCDI": "msprog_first_cdi",
    "firstRAW_roving_wors": "msprog_first_raw_roving_worsening",
}

_TWO_TIMES = {"conf_days": [84, 168], "conf_tol_days": [0, None]}
# Definition → what pymsprog must be told to compute the same.
PEER_OPTIONS: dict[str, dict] = {
    "msprog_default": {"RAW_PIRA": True},
    "msprog_24w": {"RAW_PIRA": True, "conf_days": 168, "conf_tol_days": [0, None]},
    "msprog_first_cdi": {"event": "firstCDI"},
    "msprog_first_raw_roving_worsening": {"event": "firstRAW", "baseline": "roving_wors"},
    "msprog_multiple_fixed": {"event": "multiple", "baseline": "fixed", "RAW_PIRA": True},
    "msprog_multiple_roving": {"event": "multiple", "baseline": "roving", "RAW_PIRA": True},
    "msprog_multiple_roving_12_24w": {
        "event": "multiple",
        "baseline": "roving",
        "RAW_PIRA": True,
        "conf_days": [84, 168],
        "conf_tol_days": [30, None],
    },
    "pira_mueller2023": {"event": "firstPIRA", "baseline": "roving", **_TWO_TIMES},
    "pira_mueller2023_highspec": {
        "event": "firstPIRA",
        "baseline": "roving",
        **_TWO_TIMES,
        "relapse_indep": {"prec": [0, None], "event": [None, None], "conf": [None, 0]},
    },
    "pira_kappos2020": {
        "event": "firstPIRA",
        "baseline": "fixed",
        "relapse_rebl": True,
        "bl_geq": True,
        **_TWO_TIMES,
        "relapse_indep": {"prec": [0, None], "event": [None, 30], "conf": [30, 30]},
    },
    "pira_kappos2020_msprog": {
        "event": "firstPIRA",
        "baseline": "fixed",
        "relapse_rebl": True,
        **_TWO_TIMES,
        "relapse_indep": {"prec": [0, None], "event": [None, 30], "conf": [30, 30]},
    },
    "pira_cagol2022": {
        "event": "firstPIRA",
        "baseline": "roving",
        **_TWO_TIMES,
        "relapse_indep": {"prec": [0, 0], "event": [90, None], "conf": [None, 0]},
    },
}

# Peer column → ours. `conf84_date` and its like are added by `_columns`.
_COLUMNS = {
    "event_type": "event_type",
    "CDW_type": "worsening_type",
    "date": "event_date",
    "value": "event_value",
    "bl_date": "baseline_date",
    "bl_value": "baseline_value",
    "last_delta_date": "last_delta_date",
    "last_delta_value": "last_delta_value",
    "sust_days": "sustained_days",
    "sust_last": "is_sustained",
}


def definitions() -> dict[str, Definition]:
    """The shipped definitions by name."""
    rows = pl.read_csv(SEEDS / "disability_definitions.csv", schema_overrides=DEFINITION_COLUMNS)
    times = pl.read_csv(SEEDS / "disability_confirmation_times.csv", schema_overrides=CONFIRMATION_COLUMNS)
    return {rule.name: rule for rule in parse(rows, times)}


def no_starts() -> pl.DataFrame:
    """No patient has an index baseline."""
    return pl.DataFrame(schema={"cohort": pl.String, "patient_id": pl.String, "index_baseline_date": pl.Date})


def frames(visits: pl.DataFrame, relapses: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The peer's `id, date, EDSS` and `id, date` as our frames."""
    key = [pl.lit("test").alias("cohort"), pl.col("id").cast(pl.String).alias("patient_id")]
    return (
        visits.select(
            *key,
            pl.col("date").cast(pl.Date).alias("visit_date"),
            pl.col("EDSS").cast(pl.Float64).alias("edss"),
        ),
        relapses.select(*key, pl.col("date").cast(pl.Date).alias("onset_date")),
    )


def ours(visits: pl.DataFrame, relapses: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    """Our events for the peer's frames."""
    return disability.search(*frames(visits, relapses), no_starts(), [definition])


def read_answers(path: Path) -> pl.DataFrame:
    """A file of the peer's answers, every cell text, its ways of writing "none" null."""
    return pl.read_csv(path, infer_schema=False, null_values=["NA", ""])


def differences(answers: pl.DataFrame, events: pl.DataFrame) -> tuple[int, int, dict]:
    """Number of the peer's events, of ours, and where they differ: (patient, event) → {column: (peer, ours)}."""
    columns = _columns(answers.columns)
    theirs = {
        (row["id"], int(float(row["nevent"]))): {name: _plain(row[name]) for name in columns}
        for row in answers.to_dicts()
        if int(float(row["nevent"])) > 0
    }
    mine: dict[tuple[str, int], dict] = {}
    for row in events.to_dicts():
        event = mine.setdefault((row["patient_id"], row["event_number"]), {})
        for name in columns:
            if (own := columns[name])[1] is None or own[1] == row["confirmation_days"]:
                event[name] = _plain(row[own[0]])
    return (
        len(theirs),
        len(mine),
        {
            key: _changed(theirs.get(key), mine.get(key))
            for key in sorted(set(theirs) | set(mine))
            if theirs.get(key) != mine.get(key)
        },
    )


def _changed(peer: dict | None, own: dict | None) -> dict | str:
    if peer is None or own is None:
        return "only ours" if peer is None else "only the peer's"
    return {name: (peer[name], own[name]) for name in peer if peer[name] != own[name]}


def _columns(given: list[str]) -> dict[str, tuple[str, int | None]]:
    columns: dict[str, tuple[str, int | None]] = {
        name: (own, None) for name, own in _COLUMNS.items() if name in given
    }
    for days in (84, 168):
        for prefix, own in (("conf", "confirmation"), ("PIRA_conf", "pira_confirmation")):
            for part in ("date", "value"):
                if f"{prefix}{days}_{part}" in given:
                    columns[f"{prefix}{days}_{part}"] = (f"{own}_{part}", days)
    return columns


def _plain(value) -> object:
    if value is None:
        return None
    text = str(value)
    if text in ("TRUE", "True"):
        return True
    if text in ("FALSE", "False"):
        return False
    try:
        return float(text)
    except ValueError:
        return text


def run_peer(
    python: str,
    folder: Path,
    visits: pl.DataFrame,
    relapses: pl.DataFrame,
    options: dict,
    *,
    each: bool = True,
) -> tuple[pl.DataFrame, float]:
    """The peer's answers (rows with `failed` where it raised) and the seconds that its own work took."""
    folder.mkdir(parents=True, exist_ok=True)
    visits.write_csv(folder / "visits.csv")
    relapses.write_csv(folder / "relapses.csv")
    (folder / "configuration.json").write_text(json.dumps(options))
    command = [python, str(Path(__file__).with_name("pymsprog_peer.py"))]
    command += [
        str(folder / name) for name in ("visits.csv", "relapses.csv", "configuration.json", "out.csv")
    ]
    printed = subprocess.run(
        command + (["--each"] if each else []), check=True, capture_output=True, text=True
    ).stdout
    return read_answers(folder / "out.csv"), json.loads(printed.splitlines()[-1])["seconds"]


def awkward_cohort(patients: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """An invented cohort of odd timing: short gaps, relapses on visit days, runs at thresholds, lone visits.

    No onset lies more than 30 days before a patient's first visit: the peer drops those (docs/disability.md).
    """
    random = np.random.default_rng(seed)
    visits, relapses = [], []
    origin = np.datetime64("2010-01-01")
    for number in range(patients):
        count = int(
            random.choice([1, 2, 3, 5, 8, 10, 14, 25], p=[0.04, 0.06, 0.08, 0.2, 0.22, 0.2, 0.15, 0.05])
        )
        style = random.integers(4)
        gap = {
            0: random.integers(60, 130, count),
            1: random.integers(5, 60, count),
            2: random.choice(
                [1, 7, 14, 29, 30, 31, 53, 54, 55, 77, 83, 84, 85, 90, 91, 138, 168, 182, 400, 800], count
            ),
            3: random.integers(20, 400, count),
        }[style]
        day = int(random.integers(0, 2000)) + np.cumsum(gap) - gap[0]
        step = np.empty(count, dtype=int)
        step[0] = random.choice([0, 0, 1, 2, 3, 4, 6, 8, 9, 10, 11, 12, 13, 16, 19])
        jump = [-4, -3, -2, -1, 0, 1, 2, 3, 4]
        weight = np.array([0.02, 0.05, 0.12, 0.12, 0.34, 0.13, 0.14, 0.06, 0.02])
        for visit in range(1, count):
            step[visit] = np.clip(step[visit - 1] + random.choice(jump, p=weight / weight.sum()), 0, 20)
        patient = f"A{number:05d}"
        visits += [(patient, str(origin + d), s / 2) for d, s in zip(day, step, strict=True)]
        onsets = []
        for _ in range(int(random.choice([0, 0, 1, 1, 2, 3, 6]))):
            if random.random() < 0.5:  # at a telling distance from a visit
                offset = random.choice([-91, -90, -89, -31, -30, -29, -1, 0, 1, 29, 30, 31, 89, 90, 91])
                onsets.append(int(random.choice(day)) + int(offset))
            else:
                onsets.append(int(random.integers(day[0] - 30, day[-1] + 60)))
        onsets = sorted(onset for onset in onsets if onset >= day[0] - 30)
        relapses += [(patient, str(origin + onset)) for onset in onsets]
    return (
        pl.DataFrame(
            visits, schema={"id": pl.String, "date": pl.String, "EDSS": pl.Float64}, orient="row"
        ).with_columns(pl.col("date").str.to_date()),
        pl.DataFrame(relapses, schema={"id": pl.String, "date": pl.String}, orient="row").with_columns(
            pl.col("date").str.to_date()
        ),
    )
