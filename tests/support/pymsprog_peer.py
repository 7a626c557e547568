"""Run pymsprog on one cohort. Started with the Python of its own environment (numpy < 2), never imported by ours.

`python pymsprog_peer.py visits.csv relapses.csv configuration.json out.csv [--each]`: `--each` runs patient by
patient and reports those on which the peer raises (column `failed`), which one run over all would not survive.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd
from pymsprog import MSprog

warnings.filterwarnings("ignore")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("visits")
    parser.add_argument("relapses")
    parser.add_argument("configuration")
    parser.add_argument("out")
    parser.add_argument("--each", action="store_true")
    given = parser.parse_args()
    visits = pd.read_csv(given.visits, dtype={"id": str})
    relapses = pd.read_csv(given.relapses, dtype={"id": str})
    options = json.loads(Path(given.configuration).read_text())
    if "conf_tol_days" in options:
        early, late = options["conf_tol_days"]
        options["conf_tol_days"] = [early, float("inf") if late is None else late]
    start, cpu = time.perf_counter(), time.process_time()
    if given.each:
        onsets = dict(tuple(relapses.groupby("id")))
        none = relapses.iloc[:0]
        frames = []
        for patient, own in visits.groupby("id"):
            try:
                frames.append(run(own, onsets.get(patient, none), options))
            except Exception as error:
                frames.append(pd.DataFrame({"id": [patient], "failed": [type(error).__name__]}))
        result = pd.concat(frames)
    else:
        result = run(visits, relapses, options)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    result.to_csv(given.out, index=False)
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu_seconds": cpu}) + "\n")


def run(visits: pd.DataFrame, relapses: pd.DataFrame, options: dict) -> pd.DataFrame:
    _, results = MSprog(
        visits,
        relapse=relapses,
        subj_col="id",
        value_col="EDSS",
        date_col="date",
        outcome="edss",
        include_dates=True,
        include_value=True,
        verbose=0,
        date_format="%Y-%m-%d",
        **options,
    )
    return results


if __name__ == "__main__":
    main()
