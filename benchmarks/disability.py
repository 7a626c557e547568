"""Confirmed disability events: patients per second, growth, and the ratio to pymsprog measured in the same run.

`python -m benchmarks.disability [--peer PATH/TO/python] [--sizes 1000,10000] [--peer-sizes 200,400]`: the peer runs with
the Python of its own environment (numpy < 2), named by --peer or PYMSPROG_PYTHON; without one only our own figures
are printed. Both get the same invented cohort: 10 visits a patient, the definition of the 1,000-patient oracle (every
event, roving, RAW and PIRA, 84 and 168 days). The peer's seconds are its function alone, without reading. Beside the
clock stand the seconds of all cores, which other work on the machine moves less.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.statistics import disability
from pipeline.statistics.disability_definitions import CONFIRMATION_COLUMNS, DEFINITION_COLUMNS, parse

PROJECT = Path(__file__).resolve().parents[1]
VISITS = 10
DEFINITION = "msprog_multiple_roving_12_24w"
OPTIONS = {"event": "multiple", "baseline": "roving", "RAW_PIRA": True, "conf_days": [84, 168], "conf_tol_days": [30, None]}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; `arguments` as on the command line (default: none, the short run)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", default=os.environ.get("PYMSPROG_PYTHON"), help="Python with pymsprog")
    parser.add_argument("--sizes", default="1000,10000,100000", help="patients, ours")
    parser.add_argument("--peer-sizes", default="1000", help="patients, the peer's too (10,000 take minutes)")
    given = parser.parse_args([] if arguments is None else arguments)
    sizes = [int(size) for size in given.sizes.split(",") if size]
    shared = [int(size) for size in given.peer_sizes.split(",") if size] if given.peer else []
    rules = _definitions()
    one = [rule for rule in rules if rule.name == DEFINITION]
    disability.search(*cohort(50), _no_starts(), one)  # loads what is loaded once
    print(f"Confirmed disability events, {VISITS} visits a patient, {DEFINITION}")
    print(
        f"{'patients':>10} {'seconds':>9} {'µs/patient':>11} {'CPU s':>8} {'events':>9} {'peer s':>9} {'ratio':>8} {'by CPU':>8}"
    )
    for size in sorted(set(sizes) | set(shared)):
        visits, onsets = cohort(size)
        seconds, cpu, events = _best(visits, onsets, one, 3)
        number = events.select("cohort", "patient_id", "event_number").unique().height
        line = f"{size:>10,} {seconds:>9.3f} {seconds / size * 1e6:>11.1f} {cpu:>8.3f} {number:>9,}"
        if size in shared:
            peer, peer_cpu = _peer(given.peer, visits, onsets)
            line += f" {peer:>9.1f} {peer / seconds:>7,.0f}× {peer_cpu / cpu:>7,.0f}×"
        print(line, flush=True)
    visits, onsets = cohort(10_000)
    seconds, _, _ = _best(visits, onsets, [rule for rule in rules if rule.series_start == "first_visit"], 1)
    print(f"All shipped definitions from the first visit, 10,000 patients: {seconds:.2f} s")
    if not given.peer:
        print("No peer: name its Python with --peer or PYMSPROG_PYTHON for ratios.")


def cohort(patients: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """An invented cohort: visits about every four months, EDSS walking in half steps, 0 to 3 relapses a patient."""
    random = np.random.default_rng(seed)
    day = np.cumsum(random.integers(60, 200, (patients, VISITS)), axis=1) + 15_000
    walk = random.choice([-2, -1, 0, 0, 0, 1, 2], size=(patients, VISITS))
    step = np.clip(random.integers(2, 10, (patients, 1)) + np.cumsum(walk, axis=1), 0, 20)
    count = random.integers(0, 4, patients)
    number = np.repeat(np.arange(patients), VISITS)
    sick = np.repeat(np.arange(patients), count)
    onset = day[sick, 0] + random.integers(-30, 1300, sick.size)
    return (
        pl.DataFrame(
            {
                "cohort": pl.repeat("bench", number.size, eager=True),
                "patient_id": _ids(number),
                "visit_date": pl.Series(day.ravel().astype(np.int32)).cast(pl.Date),
                "edss": step.ravel() / 2,
            }
        ),
        pl.DataFrame(
            {
                "cohort": pl.repeat("bench", sick.size, eager=True),
                "patient_id": _ids(sick),
                "onset_date": pl.Series(onset.astype(np.int32)).cast(pl.Date),
            }
        ).sort("patient_id", "onset_date"),
    )


def _ids(numbers: np.ndarray) -> pl.Series:
    return "P" + pl.Series(numbers).cast(pl.String).str.zfill(7)


def _best(
    visits: pl.DataFrame, onsets: pl.DataFrame, rules: list, repeats: int
) -> tuple[float, float, pl.DataFrame]:
    """Least seconds by the clock, least seconds of all cores, and the events."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        events = disability.search(visits, onsets, _no_starts(), rules)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return min(wall), min(cpu), events


def _peer(python: str, visits: pl.DataFrame, onsets: pl.DataFrame) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        visits.select(id="patient_id", date="visit_date", EDSS="edss").write_csv(folder / "visits.csv")
        onsets.select(id="patient_id", date="onset_date").write_csv(folder / "relapses.csv")
        (folder / "configuration.json").write_text(json.dumps(OPTIONS))
        names = ("visits.csv", "relapses.csv", "configuration.json", "out.csv")
        command = [python, str(PROJECT / "tests" / "support" / "pymsprog_peer.py")]
        command += [str(folder / name) for name in names]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(printed.splitlines()[-1])
    return found["seconds"], found["cpu_seconds"]


def _definitions() -> list:
    seeds = PROJECT / "dbt_project" / "seeds" / "outcomes"
    return parse(
        pl.read_csv(seeds / "disability_definitions.csv", schema_overrides=DEFINITION_COLUMNS),
        pl.read_csv(seeds / "disability_confirmation_times.csv", schema_overrides=CONFIRMATION_COLUMNS),
    )


def _no_starts() -> pl.DataFrame:
    return pl.DataFrame(schema={"cohort": pl.String, "patient_id": pl.String, "index_baseline_date": pl.Date})


if __name__ == "__main__":
    main(sys.argv[1:])
