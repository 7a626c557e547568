"""Invented cohorts for the tests of the outcomes, as rows of the canonical tables. No reading, no expectations here."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

Rows = dict[str, list[dict[str, Any]]]
INDEX = date(2010, 3, 1)
DATES = {
    "patients": ("birth_date", "onset_date", "enrolment_date", "history_from", "last_contact_date", "death_date"),
    "edss": ("visit_date",),
    "relapses": ("onset_date",),
    "treatments": ("start_date", "end_date"),
    "infusions": ("infusion_date",),
    "mri_scans": ("scan_date",),
}  # fmt: skip
DRUGS = ("interferon beta-1a", "natalizumab", "fingolimod", "teriflunomide", None)


def infusions(patient: str, first: date, days: int = 5, dose: float = 12) -> list[dict[str, Any]]:
    return [
        {
            "patient_id": patient,
            "drug": "Lemtrada",
            "drug_inn": "alemtuzumab",
            "infusion_date": first + timedelta(n),
            "dose_mg": dose,
        }
        for n in range(days)
    ]


def treated(
    patient: str,
    *,
    index: date = INDEX,
    edss: Iterable[tuple[int, float]] = (),
    relapses: Iterable[int] = (),
    follow_up_days: int = 1460,
    **fields: Any,
) -> Rows:
    """One treated patient: EDSS and relapses at days from index."""
    return {
        "patients": [
            {
                "patient_id": patient,
                "sex": "female",
                "birth_date": date(1970, 5, 1),
                "onset_date": date(2000, 1, 15),
                "course": "RR",
                "history_from": index - timedelta(1500),
                "last_contact_date": index + timedelta(follow_up_days),
                "regular_corticosteroids": False,
            }
            | fields
        ],
        "edss": [
            {"patient_id": patient, "visit_date": index + timedelta(day), "edss": value}
            for day, value in edss
        ],
        "relapses": [{"patient_id": patient, "onset_date": index + timedelta(day)} for day in relapses],
        "treatments": [],
        "infusions": infusions(patient, index),
        "mri_scans": [],
    }


def together(*parts: Rows) -> Rows:
    found: Rows = {table: [] for table in DATES}
    for part in parts:
        for table, rows in part.items():
            found[table] += rows
    return found


def random_cohort(patients: int, seed: int) -> Rows:
    """Patients with all kinds of course: relapses close together, conflicts, several drugs and courses, scans."""
    rng = random.Random(seed)
    parts = []
    for number in range(patients):
        name = f"P{number:03d}"
        index = INDEX + timedelta(rng.randrange(900))
        follow_up = rng.choice([60, 200, 500, 900, 1500, 2500])
        part = treated(
            name,
            index=index,
            edss=[
                (day, rng.randrange(2, 16) / 2) for day in sorted(rng.sample(range(-400, follow_up), 6)) * 2
            ][: rng.randrange(3, 9)],
            relapses=[rng.randrange(-900, follow_up) for _ in range(rng.randrange(7))],
            follow_up_days=follow_up,
            sex=rng.choice(["female", "male"]),
            course=rng.choice(["RR", "SP", None]),
            birth_date=date(1960, 1, 1) + timedelta(rng.randrange(9000)),
            onset_date=date(1990, 1, 1) + timedelta(rng.randrange(6000)),
            enrolment_date=rng.choice([None, index - timedelta(30), index, index + timedelta(200)]),
            regular_corticosteroids=rng.choice([True, False, False]),
        )
        for _ in range(rng.randrange(3)):
            start = index - timedelta(rng.randrange(100, 1500))
            part["treatments"].append(
                {
                    "patient_id": name,
                    "drug": "as written",
                    "drug_inn": rng.choice(DRUGS),
                    "start_date": start,
                    "end_date": rng.choice([None, start + timedelta(rng.randrange(30, 900))]),
                }
            )
        if rng.random() < 0.5 and follow_up > 400:
            part["infusions"] += infusions(name, index + timedelta(366), 3)
        part["mri_scans"] = [
            {
                "patient_id": name,
                "scan_date": index + timedelta(day),
                "new_or_enlarging_t2": rng.randrange(5),
            }
            for day in rng.sample(range(-150, 300), 4)
        ]
        parts.append(part)
    return together(*parts)


def changed(rows: Rows, change: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Rows:
    return {table: [change(table, dict(row)) for row in items] for table, items in rows.items()}


def shuffled(rows: Rows, seed: int) -> Rows:
    rng = random.Random(seed)
    return {table: rng.sample(items, len(items)) for table, items in rows.items()}


def renamed(rows: Rows, name: Callable[[str], str]) -> Rows:
    return changed(rows, lambda _, row: row | {"patient_id": name(row["patient_id"])})


def shifted(rows: Rows, days: int) -> Rows:
    def shift(table: str, row: dict[str, Any]) -> dict[str, Any]:
        return row | {
            name: row[name] + timedelta(days) for name in DATES[table] if isinstance(row.get(name), date)
        }

    return changed(rows, shift)


def of_patients(rows: Rows, keep: Callable[[str], bool]) -> Rows:
    return {table: [row for row in items if keep(row["patient_id"])] for table, items in rows.items()}
