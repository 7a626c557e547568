"""All outcome marts of a large cohort: CPU seconds, wall, peak memory per step, and growth, in one run.

`python -m benchmarks.outcomes [--sizes 1000,10000,100000] [--top 15] [--keep FOLDER] [--checks]` invents cohorts of 10
visits a patient with the sample's records per visit (relapses, drugs, infusions, scans, assessments, events,
laboratory, serum profiles), writes them as the lake's Parquet, and builds what outcomes needs as a run does: dbt's
models tagged `statistics_input` with all before them, the statistics, the marts. Each step is a process of its own.

dbt's start, its reading of the project, and its some 0.1 s for each model and seed do not depend on the cohort: the same
build of a cohort of 20 patients is measured first and its cost shown apart (`fixed`). `over fixed` is what the patients
cost. The registry is empty: each epoch of a registered time frame adds to the cost as one more epoch of the seed does.
`--checks` also times the data tests that a run makes on these models.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipeline import lake, statistics
from pipeline.cohort import schemas
from pipeline.registry import schemas as registry_schemas

PROJECT = Path(__file__).resolve().parents[1]
COHORT = "bench"
VISITS = 10
FIXED_PATIENTS = 20
FIRST = ["--select", "+tag:statistics_input"]
SECOND = ["--select", "+path:models/marts/outcomes", "--exclude", "+tag:statistics_input"]
STATISTICS = (
    "import sys; from pathlib import Path; from pipeline import statistics; statistics.run(Path(sys.argv[1]))"
)

DRUGS = (
    ("interferon beta-1a", "Avonex", 0.34),
    ("natalizumab", "Tysabri", 0.22),
    ("glatiramer acetate", "Copaxone", 0.18),
    ("fingolimod", "Gilenya", 0.14),
    ("rituximab", "MabThera", 0.06),
    ("azathioprine", "Imurek", 0.05),
    (None, "study drug", 0.01),
)
# instrument, scale, unit steps of the score, share of visits at which it is taken
SCALES = (
    ("SDMT", "total_correct", 52, 9, 0.28),
    ("BVMT-R", "total_recall", 24, 5, 0.13),
    ("BVMT-R", "delayed_recall", 8, 2, 0.13),
    ("T25FW", "seconds", 6, 2, 0.14),
    ("9HPT", "seconds", 22, 4, 0.14),
    ("PASAT", "total_correct", 42, 8, 0.14),
    ("NeuroQoL", "fatigue", 50, 9, 0.09),
    ("NeuroQoL", "lower_extremity_function", 50, 9, 0.09),
    ("OCT", "rnfl_thickness", 88, 10, 0.03),
)
# test, unit, typical value, samples a visit
TESTS = (
    ("lymphocytes", "10^9/L", 1.5, 0.82),
    ("cd4", "10^9/L", 0.6, 0.29),
    ("cd8", "10^9/L", 0.4, 0.29),
    ("cd19", "10^9/L", 0.2, 0.29),
    *((name, "U/L", 30.0, 0.16) for name in ("alt", "ast", "creatinine", "total_bilirubin", "platelets")),
    *((name, "10^9/L", 5.0, 0.16) for name in ("leukocytes", "neutrophils")),
    ("tsh", "mU/L", 2.0, 0.16),
)


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of all cores, and the process's peak memory."""

    wall: float
    cpu: float
    peak_gb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; `arguments` as on the command line (default: none, the short run)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="2000,20000", help="patients")
    parser.add_argument("--top", type=int, default=8, help="show so many of the slowest models")
    parser.add_argument("--keep", type=Path, help="leave lakes and build files in this folder")
    parser.add_argument("--checks", action="store_true", help="time the data tests too")
    given = parser.parse_args([] if arguments is None else arguments)
    sizes = [int(size) for size in given.sizes.split(",") if size]
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as name:
        root = given.keep or Path(name)
        print(f"All outcome marts, {VISITS} visits a patient; {os.cpu_count()} cores")
        print(
            f"{'patients':>9} {'step':18} {'wall s':>8} {'CPU s':>8} {'over fixed: CPU s':>18} {'peak GB':>8}"
        )
        fixed: dict[str, Cost] = {}
        totals = {}
        for size in [FIXED_PATIENTS, *sizes]:
            costs, slowest = build(root / str(size), size, checks=given.checks)
            fixed = fixed or costs
            for step, cost in costs.items():
                _line(size, step, cost, fixed[step])
            marts = [cost for step, cost in costs.items() if step != "checks"]
            total = Cost(sum(c.wall for c in marts), sum(c.cpu for c in marts), max(c.peak_gb for c in marts))
            totals[size] = total
            _line(size, "all marts", total, totals[FIXED_PATIENTS])
            if size != FIXED_PATIENTS:
                shown = ", ".join(f"{model} {seconds:.1f} s" for model, seconds in slowest[: given.top])
                print(f"          slowest: {shown}", flush=True)
            if not given.keep:
                shutil.rmtree(root / str(size))
        for small, large in itertools.pairwise(sizes):
            base = totals[FIXED_PATIENTS].cpu
            growth = (totals[large].cpu - base) / max(totals[small].cpu - base, 1e-9)
            print(f"{large / small:g} × the patients take {growth:.1f} × the CPU over fixed")


def _line(size: int, step: str, cost: Cost, fixed: Cost) -> None:
    print(
        f"{size:>9,} {step:18} {cost.wall:8.1f} {cost.cpu:8.1f} {cost.cpu - fixed.cpu:18.1f} {cost.peak_gb:8.2f}",
        flush=True,
    )


def build(
    root: Path, patients: int, *, checks: bool = False
) -> tuple[dict[str, Cost], list[tuple[str, float]]]:
    """Write a cohort below `root` and build it: cost by step, and the slowest models with their seconds."""
    write_lake(root / "lake", patients)
    statistics.write_empty(root / "lake")
    environment = os.environ | {
        "REMIT_LAKE": str(root / "lake"),
        "REMIT_BUILD_FILE": str(root / "build.duckdb"),
        "DBT_TARGET_PATH": str(root / "target"),
        "DBT_LOG_PATH": str(root / "logs"),
    }
    place = ["--project-dir", str(PROJECT / "dbt_project"), "--profiles-dir", str(PROJECT / "dbt_project")]
    dbt = [str(Path(sys.executable).with_name("dbt")), "--quiet", "--log-level-file", "none"]
    quiet = ["--exclude-resource-type", "unit_test", "test"]
    measured([*dbt, "parse", *place], environment)
    costs = {"dbt, first step": measured([*dbt, "build", *place, *FIRST, *quiet], environment)}
    seconds = _seconds(root)
    costs["statistics"] = measured([sys.executable, "-c", STATISTICS, str(root / "lake")], environment)
    costs["dbt, second step"] = measured([*dbt, "build", *place, *SECOND, *quiet], environment)
    seconds |= _seconds(root)
    if checks:
        chosen = ["--select", "path:models/intermediate/outcomes", "path:models/intermediate/disability"]
        chosen += [
            "path:models/marts/outcomes",
            "path:tests/outcomes",
            "--exclude-resource-type",
            "unit_test",
        ]
        costs["checks"] = measured([*dbt, "test", *place, *chosen], environment)
    return costs, sorted(seconds.items(), key=lambda item: -item[1])


def _seconds(root: Path) -> dict[str, float]:
    results = json.loads((root / "target" / "run_results.json").read_bytes())["results"]
    return {row["unique_id"].split(".")[2]: row["execution_time"] for row in results}


def measured(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end; its own cost, children included."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20)


# ── the invented cohort ─────────────────────────────────────────────────────────────────────────────────


def write_lake(folder: Path, patients: int, seed: int = 0) -> None:
    """A lake with one invented cohort of `patients` × 10 visits; the same for the same size and seed."""
    tables = cohort(patients, seed)

    def write(snapshot: Path) -> None:
        for table in schemas.LAKE_TABLES:
            lake.write_table(snapshot, table, _lake_frame(table, tables))

    def write_no_trials(snapshot: Path) -> None:
        for table in registry_schemas.TABLES:
            lake.write_table(snapshot, table, registry_schemas.empty(table))

    lake.write_snapshot(folder / "cohort" / COHORT, "bench", write)
    lake.write_snapshot(folder / "registry", "bench", write_no_trials)


def _lake_frame(table: str, tables: dict[str, dict[str, np.ndarray]]) -> pl.DataFrame:
    columns = schemas.lake_columns(table)
    if table == "cohorts":
        row = {"cohort": [COHORT], "is_invented": [True], "delivered_tables": [",".join(tables)]}
        return pl.DataFrame(row, schema=columns)
    given = tables.get(table)
    if given is None:
        return schemas.empty(table)
    rows = len(given["patient"])
    numbers = pl.Series(given["patient"])
    built = {
        "cohort": pl.repeat(COHORT, rows, eager=True),
        "patient_id": "P" + numbers.cast(pl.String).str.zfill(15),
        "source_file": pl.repeat(f"{COHORT}-0001", rows, eager=True),
        "source_sheet": pl.repeat(table, rows, eager=True),
        "source_row": pl.int_range(2, rows + 2, eager=True),
        "is_invented": pl.repeat(True, rows, eager=True),
    }
    for name, values in given.items():
        if name == "patient":
            continue
        if f"{name}_earliest" in columns:
            built |= _dates(name, values, is_partial=given.get(f"{name}?"))
        elif not name.endswith("?"):
            built[name] = values if isinstance(values, pl.Series) else pl.Series(values)
    return pl.DataFrame(
        {
            name: built[name].cast(kind) if name in built else pl.repeat(None, rows, dtype=kind, eager=True)
            for name, kind in columns.items()
        }
    )


def _dates(name: str, days: np.ndarray, is_partial: np.ndarray | None) -> dict[str, pl.Series]:
    """The four lake columns of a date from days since 1970 (NaN: none); partial ones are known to the month."""
    day = pl.Series(np.asarray(days, dtype=float)).fill_nan(None).cast(pl.Int32).cast(pl.Date)
    partial = pl.Series(np.zeros(len(day), dtype=bool) if is_partial is None else is_partial)
    frame = pl.select(
        earliest=pl.when(partial).then(day.dt.month_start()).otherwise(day),
        latest=pl.when(partial).then(day.dt.month_end()).otherwise(day),
        precision=pl.when(day.is_null())
        .then(None)
        .when(partial)
        .then(pl.lit("month"))
        .otherwise(pl.lit("day")),
        text=pl.when(partial).then(day.dt.strftime("%Y-%m")).otherwise(day.dt.strftime("%Y-%m-%d")),
    )
    return {f"{name}_{part}": frame[part] for part in frame.columns}


def cohort(patients: int, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Canonical tables by column; `patient` is a row's patient number, dates are days since 1970, NaN for none."""
    random = np.random.default_rng(seed)
    everyone = np.arange(patients)
    index = random.integers(14_600, 18_000, patients).astype(float)
    follow_up = random.integers(200, 2600, patients)
    birth = index - random.integers(16 * 365, 62 * 365, patients)
    onset = np.maximum(birth + 12 * 365, index - random.gamma(2.0, 1800, patients).astype(int))
    is_treated = random.random(patients) < 0.95
    dead = random.random(patients) < 0.01
    last = index + follow_up
    enrolled = random.random(patients)
    enrolment = np.select(
        [enrolled < 0.3, enrolled < 0.6], [index, index + follow_up * random.random(patients) // 1], np.nan
    )
    tables: dict[str, dict[str, np.ndarray]] = {
        "patients": {
            "patient": everyone,
            "sex": _pick(random, patients, ("female", "male", "unknown"), (0.7, 0.29, 0.01)),
            "birth_date": birth,
            "onset_date": onset,
            "onset_date?": random.random(patients) < 0.2,
            "course": _pick(random, patients, ("RR", "SP", "PR", "unknown"), (0.7, 0.26, 0.02, 0.02)),
            "enrolment_date": enrolment,
            "history_from": np.where(random.random(patients) < 0.6, index - 1500, np.nan),
            "last_contact_date": last,
            "death_date": np.where(dead, last, np.nan),
            "regular_corticosteroids": _pick(random, patients, (True, False, None), (0.1, 0.85, 0.05)),
        }
    }
    tables["edss"], visit = _visits(random, index, follow_up)
    tables["relapses"] = _relapses(random, index, follow_up, onset)
    tables["treatments"], tables["infusions"] = _drugs(random, index, follow_up, is_treated)
    tables["mri_scans"] = _scans(random, index, follow_up)
    tables["assessments"] = _assessments(random, visit)
    tables["adverse_events"] = _events(random, index, follow_up)
    tables["laboratory"] = _laboratory(random, index, follow_up)
    tables["pk_samples"] = _serum(random, index, is_treated)
    return tables


def _pick(random: np.random.Generator, size: int, options: tuple, weights: tuple) -> pl.Series:
    return pl.Series(options)[random.choice(len(options), size, p=weights)]


def _visits(random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray) -> tuple[dict, np.ndarray]:
    """Three visits before index and seven after; EDSS walks in half steps; one in a hundred days has two EDSS."""
    size = (len(index), VISITS)
    before = index[:, None] - np.cumsum(random.integers(60, 250, (len(index), 3)), axis=1)[:, ::-1] + 60
    after = (
        index[:, None] + np.sort(random.random((len(index), VISITS - 3)), axis=1) * follow_up[:, None] // 1
    )
    visit = np.concatenate([before, after], axis=1)
    walk = random.choice([-2, -1, 0, 0, 0, 0, 1, 1, 2], size=size)
    step = np.clip(random.integers(2, 13, (len(index), 1)) + np.cumsum(walk, axis=1), 0, 19)
    step = np.where(step == 1, 2, step)
    patient = np.repeat(np.arange(len(index)), VISITS)
    return {
        "patient": patient,
        "visit_date": visit.ravel(),
        "visit_date?": random.random(patient.size) < 0.01,
        "edss": step.ravel() / 2,
    }, visit


def _relapses(
    random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray, onset: np.ndarray
) -> dict[str, np.ndarray]:
    number = np.arange(len(index))
    before, after = (
        np.repeat(number, random.poisson(1.9, len(index))),
        np.repeat(number, random.poisson(1.0, len(index))),
    )
    day = np.concatenate(
        [
            index[before] - random.random(before.size) * 1100 // 1,
            index[after] + random.random(after.size) * follow_up[after] // 1,
        ]
    )
    patient = np.concatenate([before, after])
    day = np.maximum(day, onset[patient])
    return {
        "patient": patient,
        "onset_date": day,
        "onset_date?": random.random(day.size) < 0.05,
        "severity": _pick(random, day.size, ("mild", "moderate", "severe", None), (0.3, 0.4, 0.1, 0.2)),
        "is_pseudo_relapse": random.random(day.size) < 0.02,
    }


def _drugs(
    random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray, is_treated: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Up to three drugs one after the other before index, alemtuzumab in up to four courses, some a drug after it."""
    number = np.arange(len(index))
    prior = random.choice(4, len(index), p=(0.15, 0.35, 0.35, 0.15))
    patient = np.repeat(number, prior)
    place = np.arange(patient.size) - np.repeat(np.cumsum(prior) - prior, prior)
    end = index[patient] - random.integers(0, 200, patient.size) - place * 600
    start = end - random.integers(60, 590, patient.size)
    switch = np.flatnonzero(random.random(len(index)) < 0.15)
    switched = index[switch] + random.random(switch.size) * follow_up[switch] // 1 + 1
    which = random.choice(len(DRUGS), patient.size + switch.size, p=[share for *_, share in DRUGS])
    own = np.flatnonzero(is_treated)
    treatments = {
        "patient": np.concatenate([patient, switch, own]),
        "drug": pl.concat(
            [pl.Series([name for _, name, _ in DRUGS])[which], pl.repeat("Lemtrada", own.size, eager=True)]
        ),
        "drug_inn": pl.concat(
            [pl.Series([inn for inn, *_ in DRUGS])[which], pl.repeat("alemtuzumab", own.size, eager=True)]
        ),
        "start_date": np.concatenate([start, switched, index[own]]),
        "end_date": np.concatenate([end, np.full(switch.size + own.size, np.nan)]),
        "end_date?": np.concatenate(
            [random.random(patient.size) < 0.1, np.zeros(switch.size + own.size, bool)]
        ),
    }
    courses = np.where(is_treated, random.choice([1, 2, 3, 4], len(index), p=(0.25, 0.5, 0.2, 0.05)), 0)
    course_patient = np.repeat(number, courses)
    course = np.arange(course_patient.size) - np.repeat(np.cumsum(courses) - courses, courses)
    first = index[course_patient] + course * random.integers(350, 400, course_patient.size)
    days = np.where(course == 0, 5, 3)
    day = np.arange(days.sum()) - np.repeat(np.cumsum(days) - days, days)
    at = np.repeat(first, days) + day
    who = np.repeat(course_patient, days)
    given = at <= index[who] + follow_up[who]
    infusions = {
        "patient": who[given],
        "drug": pl.repeat("Lemtrada", int(given.sum()), eager=True),
        "drug_inn": pl.repeat("alemtuzumab", int(given.sum()), eager=True),
        "infusion_date": at[given],
        "dose_mg": np.full(int(given.sum()), 12.0),
    }
    return treatments, infusions


def _times(
    random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray, mean: float, before: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of patients with a day each, evenly from `before` days before index to the end of follow-up."""
    patient = np.repeat(np.arange(len(index)), random.poisson(mean, len(index)))
    span = before + follow_up[patient]
    return patient, index[patient] - before + random.random(patient.size) * span // 1


def _scans(random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray) -> dict[str, np.ndarray]:
    patient, day = _times(random, index, follow_up, 5, 400)
    lesions = random.poisson(0.8, patient.size)
    return {
        "patient": patient,
        "scan_date": day,
        "region": _pick(random, patient.size, ("brain", "cervical_cord", None), (0.9, 0.05, 0.05)),
        "new_or_enlarging_t2": pl.Series(lesions).set(pl.Series(random.random(patient.size) < 0.05), None),
        "gd_lesions": pl.Series(random.poisson(0.3, patient.size)).set(
            pl.Series(random.random(patient.size) < 0.2), None
        ),
    }


def _assessments(random: np.random.Generator, visit: np.ndarray) -> dict[str, np.ndarray]:
    parts = []
    for instrument, scale, centre, spread, share in SCALES:
        at = np.flatnonzero(random.random(visit.size) < share)
        parts.append(
            (at, instrument, scale, np.clip(np.round(random.normal(centre, spread, at.size)), 1, None))
        )
    rows = np.concatenate([at for at, *_ in parts])
    return {
        "patient": rows // VISITS,
        "assessed_on": visit.ravel()[rows],
        "instrument": pl.concat([pl.repeat(name, at.size, eager=True) for at, name, *_ in parts]),
        "scale": pl.concat([pl.repeat(scale, at.size, eager=True) for at, _, scale, _ in parts]),
        "value": np.concatenate([value for *_, value in parts]),
    }


def _events(random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray) -> dict[str, np.ndarray]:
    patient, day = _times(random, index, follow_up, 1.4, 60)
    return {
        "patient": patient,
        "term": _pick(
            random, patient.size, ("headache", "rash", "thyroiditis", "infection"), (0.4, 0.3, 0.1, 0.2)
        ),
        "onset_date": day,
        "onset_date?": random.random(patient.size) < 0.05,
        "is_serious": random.random(patient.size) < 0.15,
    }


def _laboratory(
    random: np.random.Generator, index: np.ndarray, follow_up: np.ndarray
) -> dict[str, np.ndarray]:
    parts = []
    for test, unit, typical, per_visit in TESTS:
        patient, day = _times(random, index, follow_up, per_visit * VISITS, 300)
        parts.append((patient, day, test, unit, typical * random.gamma(4, 0.25, patient.size)))
    tested = np.flatnonzero(random.random(len(index)) < 0.5)
    for offset in (-10, 60, 400):
        titre = np.where(random.random(tested.size) < 0.4, random.integers(1, 5000, tested.size), 0)
        parts.append((tested, index[tested] + offset, "antidrug_antibodies", "titre", titre.astype(float)))
    return {
        "patient": np.concatenate([patient for patient, *_ in parts]),
        "sampled_on": np.concatenate([day for _, day, *_ in parts]),
        "test": pl.concat([pl.repeat(test, len(p), eager=True) for p, _, test, *_ in parts]),
        "value": np.concatenate([value for *_, value in parts]),
        "unit": pl.concat([pl.repeat(unit, len(p), eager=True) for p, _, _, unit, _ in parts]),
    }


def _serum(random: np.random.Generator, index: np.ndarray, is_treated: np.ndarray) -> dict[str, np.ndarray]:
    """A serum profile of 12 samples for a tenth of the treated."""
    hours = np.array([0, 4, 8, 24, 48, 72, 96, 120, 168, 336, 504, 672], dtype=float)
    who = np.flatnonzero(is_treated & (random.random(len(index)) < 0.1))
    patient = np.repeat(who, hours.size)
    time_h = np.tile(hours, who.size)
    level = np.where(time_h <= 96, time_h / 96 * 3000, 3000 * np.exp(-(time_h - 96) / 120))
    return {
        "patient": patient,
        "first_dose_at": pl.Series(index[patient].astype(np.int32)).cast(pl.Date).cast(pl.Datetime("us")),
        "time_h": time_h,
        "concentration": level * random.gamma(20, 0.05, patient.size),
        "unit": pl.repeat("ng/mL", patient.size, eager=True),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
