"""Putting protocols to patients: CPU seconds, wall seconds and memory of every model from the answers to the marts.

`python -m benchmarks.trials [--patients N] [--trials N] [--texts FILE] [--models] [--keep FOLDER]`: an invented
cohort and trials whose criteria are those of the invented trials (or of FILE: lines with `nct_id` and `text`), printed
again with other numbers and with sentences left out until there are enough. dbt builds what lies before; then each
model of the trials runs by itself as dbt compiled it, so that its CPU seconds can be told. Memory is DuckDB's limit
plus what the process held at most. The default is a short run; the aim is 100,000 patients and 200 trials in two minutes
and 8 GB on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from pipeline import lake
from pipeline.cohort import schemas as cohort_schemas
from pipeline.registry import eligibility
from pipeline.registry import schemas as registry_schemas

PROJECT = Path(__file__).resolve().parents[1]
COHORT = "bench"
DRUGS = ("interferon beta-1a", "interferon beta-1b", "glatiramer acetate", "natalizumab", "fingolimod", "teriflunomide",
         "dimethyl fumarate", "rituximab", "azathioprine", "mitoxantrone", None)  # fmt: skip
HISTORY = ("malignancy", "hiv", "hepatitis_b", "hepatitis_c", "infection", "pregnancy", "contraception", "mri_contraindication",
           "autoimmunity", "tuberculosis")  # fmt: skip
LABORATORY = (("lymphocytes", 1.8, "10^9/L"), ("platelets", 250.0, "10^9/L"), ("alt", 25.0, "U/L"), ("creatinine", 75.0, "umol/L"))  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; `arguments` as on the command line (default: none, the short run)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=2_000)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--texts", type=Path, help="criteria as JSON lines with nct_id and text")
    parser.add_argument("--skip", default="", help="names of models to leave out, with commas")
    parser.add_argument("--memory", default="5GB", help="DuckDB's limit (the build's own is 5GB)")
    parser.add_argument(
        "--keep", type=Path, help="folder for lake and build file; an existing lake is used again"
    )
    given = parser.parse_args([] if arguments is None else arguments)
    with tempfile.TemporaryDirectory() as scratch:
        root = given.keep or Path(scratch)
        if not (root / "lake").exists():
            write_cohort(root / "lake", given.patients)
            write_trials(root / "lake", given.trials, given.texts)
        before = resource.getrusage(resource.RUSAGE_SELF)
        (root / "build.duckdb").unlink(missing_ok=True)
        _dbt(root, "seed")
        _dbt(root, "run", "--select", "+marts.trials", "--exclude", "int_trials__patients+")
        after = resource.getrusage(resource.RUSAGE_SELF)
        print(
            f"{given.patients:,} patients, {given.trials} trials; before the trials' models: {_cpu(before, after):.1f} CPU s"
        )
        _dbt(root, "compile", "--select", "int_trials__*", "marts.trials")
        rows = list(_models(root, given.memory, given.skip.split(",")))
        total = sum(cpu for _, cpu, _, _ in rows)
        for name, cpu, wall, count in rows:
            if cpu >= 0.005 * total:
                print(f"{name:>40} {cpu:>8.2f} CPU s {wall:>8.2f} s {count:>13,} rows")
        print(f"{'all':>40} {total:>8.2f} CPU s {sum(wall for _, _, wall, _ in rows):>8.2f} s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(
            f"{total / given.patients * 1e5:.0f} CPU s for 100,000 patients at this rate; {peak:.2f} GB at most"
        )
        _print_shape(root)


# --- what is put to them


def write_trials(base: Path, trials: int, texts: Path | None) -> None:
    """The registry's lake below `base`: so many trials of multiple sclerosis."""
    known = _texts(texts)
    random = np.random.default_rng(1)
    printed = [
        known[i % len(known)] if i < len(known) else _varied(known[i % len(known)], random)
        for i in range(trials)
    ]
    ids = [f"NCT9{number:07d}" for number in range(1, trials + 1)]
    studies = pl.DataFrame({"nct_id": ids, "eligibility_text": printed}).with_columns(
        minimum_age_years=pl.lit(18.0), maximum_age_years=pl.Series([[55.0, 60.0, 65.0, None][i % 4] for i in range(trials)]), sex=pl.lit("ALL")
    )  # fmt: skip
    frames = eligibility.parse(studies)
    frames["studies"] = studies.with_columns(
        brief_title=pl.lit("Invented"), is_current=pl.lit(True), source=pl.lit("snapshot"), seen_at=pl.lit(datetime(2026, 11, 1)),
        document_sha256=pl.lit("0"),
    )  # fmt: skip
    frames["conditions"] = pl.DataFrame({"nct_id": ids, "ordinal": 1, "condition": "Multiple Sclerosis"})

    def write(folder: Path) -> None:
        for table in registry_schemas.LAKE_TABLES:
            frame = frames.get(table, pl.DataFrame())
            lake.write_table(folder, table, _typed(frame, registry_schemas.lake_columns(table)))

    lake.write_snapshot(base / "registry", "bench", write)


def _texts(file: Path | None) -> list[str]:
    if file is not None:
        return [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
    sys.path.insert(0, str(PROJECT / "examples"))
    try:
        import invented_trials
    finally:
        sys.path.pop(0)
    modules = [trial["protocolSection"]["eligibilityModule"] for trial in invented_trials.all_trials()]
    return [module["eligibilityCriteria"] for module in modules]


def _varied(text: str, random: np.random.Generator) -> str:
    """The text with a tenth of its sentences left out and two thirds of the others with another number."""

    def other(found: re.Match[str]) -> str:
        return str(max(1, int(found[0]) + int(random.integers(-3, 4))))

    lines = []
    for line in text.splitlines():
        draw = random.random()
        if draw < 0.1 and len(line) > 40:
            continue
        lines.append(re.sub(r"\b\d{1,2}\b", other, line, count=1) if draw > 0.4 else line)
    return "\n".join(lines)


# --- whom they are put to


def write_cohort(base: Path, patients: int) -> None:
    """An invented cohort's lake below `base`: ten visits, a few relapses, drugs, scans, tests and categories a patient."""
    random = np.random.default_rng(7)
    ids = "P" + pl.Series(np.arange(patients)).cast(pl.String).str.zfill(7)
    index = _days(date(2010, 1, 1)) + random.integers(0, 3650, patients)
    onset = index - random.integers(200, 6000, patients)
    is_treated = random.random(patients) < 0.8

    def each(low: int, high: int) -> np.ndarray:
        return np.repeat(np.arange(patients), random.integers(low, high + 1, patients))

    def dated(who: np.ndarray, days: np.ndarray, name: str, **more: Any) -> pl.DataFrame:
        months = random.random(who.size) < 0.1
        return pl.DataFrame({"patient_id": ids.gather(who), **_date(name, days, months), **more})

    visits, attacks, drugs = each(6, 14), each(0, 6), each(0, 4)
    scans, samples, said = each(0, 4), each(0, 6), each(2, 8)
    courses = np.flatnonzero(is_treated)
    started = index[drugs] - random.integers(30, 3000, drugs.size)
    drug = random.integers(0, len(DRUGS), drugs.size)
    test = random.integers(0, len(LABORATORY), samples.size)
    usual = np.array([value for _, value, _ in LABORATORY])
    frames = {
        "patients": pl.DataFrame(
            {
                "patient_id": ids,
                "sex": _picked(random, ["female", "female", "male", "unknown"], patients),
                "course": _picked(random, ["RR", "RR", "RR", "SP", "PP", "CIS", "unknown"], patients),
                **_date("birth_date", onset - random.integers(5500, 18000, patients), random.random(patients) < 0.1),
                **_date("onset_date", onset, random.random(patients) < 0.2),
                **_date("diagnosis_date", onset + random.integers(0, 700, patients), random.random(patients) < 0.2),
                **_date("history_from", np.where(random.random(patients) < 0.6, onset, index - 900), np.zeros(patients, bool)),
                **_date("last_contact_date", index + random.integers(100, 3000, patients), np.zeros(patients, bool)),
                "regular_corticosteroids": random.random(patients) < 0.05,
            }
        ),
        "edss": dated(visits, index[visits] + random.integers(-900, 2500, visits.size), "visit_date", edss=random.integers(2, 15, visits.size) / 2),
        "relapses": dated(attacks, index[attacks] + random.integers(-1500, 1500, attacks.size), "onset_date", steroids=random.random(attacks.size) < 0.6),
        "treatments": dated(drugs, started, "start_date", drug=pl.Series([name or "an unknown drug" for name in DRUGS]).gather(drug),
                            drug_inn=pl.Series(DRUGS).gather(drug), **_date("end_date", started + random.integers(20, 2500, drugs.size), random.random(drugs.size) < 0.1)),
        "infusions": dated(courses, index[courses], "infusion_date", drug="alemtuzumab", drug_inn="alemtuzumab", dose_mg=12.0).with_columns(
            infusion_date_earliest=pl.col("infusion_date_latest"), infusion_date_precision=pl.lit("day")),
        "mri_scans": dated(scans, index[scans] - random.integers(-400, 800, scans.size), "scan_date", gd_lesions=random.integers(0, 3, scans.size),
                           new_or_enlarging_t2=random.integers(0, 4, scans.size)),
        "laboratory": dated(samples, index[samples] - random.integers(-60, 120, samples.size), "sampled_on", test=pl.Series([t for t, _, _ in LABORATORY]).gather(test),
                            value=usual[test] * random.uniform(0.2, 3, samples.size), unit=pl.Series([u for _, _, u in LABORATORY]).gather(test)),
        "medical_history": dated(said, index[said] - random.integers(-300, 4000, said.size), "onset_date", category=_picked(random, HISTORY, said.size),
                                 status=_picked(random, ["absent", "absent", "absent", "present", "past", "unknown"], said.size)),
    }  # fmt: skip
    delivered = ",".join(sorted(frames))
    frames["cohorts"] = pl.DataFrame({"delivered_tables": [delivered]})

    def write(folder: Path) -> None:
        for table in cohort_schemas.LAKE_TABLES:
            frame = frames.get(table, pl.DataFrame())
            if frame.height:
                frame = frame.with_row_index("source_row", 2).with_columns(
                    cohort=pl.lit(COHORT), is_invented=pl.lit(True), source_file=pl.lit(f"{COHORT}-0001"), source_sheet=pl.lit(table)
                )  # fmt: skip
            lake.write_table(folder, table, _typed(frame, cohort_schemas.lake_columns(table)))

    lake.write_snapshot(base / "cohort" / COHORT, "bench", write)


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _picked(random: np.random.Generator, names: Sequence[str], count: int) -> pl.Series:
    return pl.Series(list(names)).gather(random.integers(0, len(names), count))


def _date(name: str, days: np.ndarray, is_month: np.ndarray) -> dict[str, pl.Series]:
    """The four lake columns of a date, some known only to the month."""
    day, month = pl.Series(days.astype(np.int32)).cast(pl.Date), pl.Series(is_month)
    first, last = day.dt.month_start(), day.dt.month_end()
    frame = pl.DataFrame({"day": day, "month": month, "first": first, "last": last}).select(
        **{
            f"{name}_earliest": pl.when("month").then("first").otherwise("day"),
            f"{name}_latest": pl.when("month").then("last").otherwise("day"),
            f"{name}_precision": pl.when("month").then(pl.lit("month")).otherwise(pl.lit("day")),
            f"{name}_text": pl.col("day").cast(pl.String),
        }
    )
    return {column: frame[column] for column in frame.columns}


def _typed(frame: pl.DataFrame, columns: dict[str, pl.DataType]) -> pl.DataFrame:
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in columns.items()
    )


# --- running


def _dbt(root: Path, *arguments: str) -> None:
    os.environ |= {
        "REMIT_LAKE": str(root / "lake"),
        "REMIT_BUILD_FILE": str(root / "build.duckdb"),
        "DBT_TARGET_PATH": str(root / "target"),
        "DBT_LOG_PATH": str(root / "logs"),
    }
    folder = str(PROJECT / "dbt_project")
    result = dbtRunner().invoke([*arguments, "--project-dir", folder, "--profiles-dir", folder, "--quiet"])
    DuckDBConnectionManager.close_all_connections()
    if not result.success:
        raise SystemExit(f"dbt {arguments[0]} failed: {result.exception or 'see its messages'}")


def _models(root: Path, memory: str, skipped: Sequence[str]) -> Iterator[tuple[str, float, float, int]]:
    """Each model of the trials in order: name, CPU seconds, wall seconds, rows."""
    nodes = json.loads((root / "target" / "manifest.json").read_text())["nodes"]
    waiting = {
        key: node
        for key, node in nodes.items()
        if node["resource_type"] == "model"
        and "trials" in node["fqn"]
        and node.get("compiled_code")
        and node["name"] not in skipped
    }
    with duckdb.connect(str(root / "build.duckdb"), config={"memory_limit": memory}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        for schema in ("intermediate", "trials"):
            connection.execute(f"create schema if not exists {schema}")
        while waiting:
            ready = [
                key for key, node in waiting.items() if not waiting.keys() & set(node["depends_on"]["nodes"])
            ]
            for key in ready:
                node = waiting.pop(key)
                kind = "view" if node["config"]["materialized"] == "view" else "table"
                before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
                name = f"{node['schema']}.{node['alias']}"
                connection.execute(f"drop {kind} if exists {name}")
                connection.execute(f"create {kind} {name} as {node['compiled_code']}")
                after = resource.getrusage(resource.RUSAGE_SELF)
                seconds = time.perf_counter() - start
                count = (
                    0
                    if kind == "view"
                    else connection.execute(f"select count(*) from {name}").fetchall()[0][0]
                )
                yield node["name"], _cpu(before, after), seconds, count


def _cpu(before: resource.struct_rusage, after: resource.struct_rusage) -> float:
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _print_shape(root: Path) -> None:
    with duckdb.connect(str(root / "build.duckdb"), read_only=True) as connection:
        for table in ("criteria", "constraints", "conditions"):
            count = connection.execute(f"select count(*) from intermediate.int_trials__{table}").fetchall()[
                0
            ][0]
            print(f"{count:>8,} {table}", end="")
        shapes = connection.execute(
            "select max(shape_number) from intermediate.int_trials__shapes"
        ).fetchall()[0][0]
        print(f"{shapes:>8,} shapes")
        print(
            *connection.execute(
                "select verdict, count(*) from trials.patient_eligibility group by verdict order by verdict"
            ).fetchall()
        )


if __name__ == "__main__":
    main(sys.argv[1:])
