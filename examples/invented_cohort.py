"""An invented cohort of 60 patients in the shape of published cohort slides, as rows of the canonical workbook.

Every person, date and value here comes from a seeded random generator. Only the shape (how many, how old,
how disabled, treated with what before) resembles the published tables. Rows only: `make_samples.py` writes files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np

SEED = 20151101
END_OF_DATA = date(2016, 6, 30)
Row = dict[str, Any]

# Exclusive class of the drug before alemtuzumab: 26 IFNGA, 14 FTY, 11 NAT as the slides, 9 others.
EXPERIENCED_PRIOR = ["IFNGA"] * 20 + ["NAT"] * 6 + ["OTHER"] * 3 + ["NONE"]
NAIVE_PRIOR = (
    ["NAT_FTY"] * 10 + ["FTY"] * 4 + ["IFNGA"] * 6 + ["NAT"] * 5 + ["OTHER"] * 3 + ["NONE", "UNKNOWN"]
)
PLATFORM = [
    "Avonex",
    "Rebif 44",
    "Betaferon",
    "Copaxone",
    "interferon beta-1a",
    "Extavia",
    "glatiramer acetate",
]
OTHERS = ["Mitoxantron", "Rituxan", "cyclophosphamide", "Tecfidera", "study drug XQ-17", "azathioprine"]
HISTORY = [
    "malignancy", "hiv", "hepatitis_b", "hepatitis_c", "tuberculosis", "infection", "autoimmunity", "psychiatric",
    "cardiovascular", "epilepsy", "bleeding", "hepatic", "renal", "mri_contraindication", "hypersensitivity",
    "substance_abuse", "transplant", "thyroid",
]  # fmt: skip
EVENTS = [
    ("Infusion related reaction", 2, False), ("Urinary tract infection", 2, False), ("Herpes zoster", 2, False),
    ("Nasopharyngitis", 1, False), ("Headache", 1, False), ("Rash", 1, False), ("Graves' disease", 3, True),
    ("Immune thrombocytopenia", 4, True), ("Pneumonia", 3, True), ("Fatigue", 1, False), ("Insomnia", 1, False),
]  # fmt: skip


@dataclass
class Patient:
    """One invented patient while the tables are made; times are days from the index day."""

    number: int
    cohort: str
    prior: str
    index: date
    follow_up: int
    age: int
    duration_days: int
    baseline: float
    change: float
    course: str = "RR"
    starts: list[int] = field(default_factory=list)  # first days of the courses

    @property
    def id(self) -> str:
        return f"INV-{self.number:03d}"

    @property
    def last(self) -> date:
        return self.index + timedelta(days=self.follow_up)

    def day(self, offset: float) -> date:
        return self.index + timedelta(days=round(offset))


def spread(
    rng: np.random.Generator, n: int, mean: float, sd: float, low: float, high: float, step: float
) -> list[float]:
    """n values at the quantiles of a normal, on a grid and within bounds, in random order.

    Quantiles instead of draws: with 30 patients a draw's mean would miss the slides' by up to half a point.
    """
    normal = NormalDist(mean, sd)
    values = [normal.inv_cdf((i + 0.5) / n) for i in range(n)]
    grid = [min(high, max(low, round(value / step) * step)) for value in values]
    return [float(value) for value in rng.permutation(grid)]


def cohort(seed: int = SEED) -> dict[str, list[Row]]:
    """All sheets of the canonical workbook, each a list of rows; equal for equal seeds."""
    rng = np.random.default_rng(seed)
    sheets: dict[str, list[Row]] = {
        name: []
        for name in (
            "patients", "edss", "relapses", "treatments", "infusions", "mri_scans", "assessments",
            "adverse_events", "laboratory", "medical_history", "pk_samples",
        )
    }  # fmt: skip
    for person in _people(rng):
        _courses(person, sheets, rng)
        onsets = _relapses(person, sheets, rng)
        _visits(person, sheets, rng, onsets)
        _treatments(person, sheets, rng)
        _scans(person, sheets, rng)
        _assessments(person, sheets, rng)
        _events(person, sheets, rng)
        _laboratory(person, sheets, rng)
        _history(person, sheets, rng)
        if person.number in (1, 2, 3, 4, 12, 31, 32):
            _pharmacokinetics(person, sheets, rng)
        _person(person, sheets, rng)
    return sheets


def _people(rng: np.random.Generator) -> list[Patient]:
    people = []
    for kind, first, prior, age, edss, change, months in (
        ("naive", 1, NAIVE_PRIOR, (49, 10, 33, 68), (5.0, 1.3, 2.5, 7.0), (-0.4, 1.4, -4.5, 1.5), (10, 4, 6, 25)),
        ("experienced", 31, EXPERIENCED_PRIOR, (48, 9, 33, 63), (5.5, 1.3, 2.0, 7.5), (-1.0, 1.4, -4.0, 2.0), (80, 19, 27, 104)),
    ):  # fmt: skip
        n = len(prior)
        ages, bases = spread(rng, n, *age, 1), spread(rng, n, *edss, 0.5)
        follow_ups = spread(rng, n, *months, 1)
        durations = [
            float(x)
            for x in rng.permutation(np.clip(np.exp(spread(rng, n, 2.25, 0.6, 1.1, 3.45, 0.01)), 3, 33))
        ]
        changes = _paired(rng, bases, spread(rng, n, *change, 0.5))
        priors = [str(x) for x in rng.permutation(prior)]
        courses = rng.permutation(["RR"] * 21 + ["SP"] * 7 + ["PR"] + ["unknown"]) if kind == "naive" else rng.permutation(["RR"] * 19 + ["SP"] * 11)  # fmt: skip
        for i in range(n):
            follow_up = int(follow_ups[i] * 28 + rng.integers(0, 28))
            end = END_OF_DATA - timedelta(days=int(rng.integers(0, 420)))
            index = end - timedelta(days=follow_up)
            if priors[i] in ("NAT_FTY", "FTY") and index < date(2012, 6, 1):
                index = date(2012, 6, 1) + timedelta(days=int(rng.integers(0, 300)))
            duration = int(min(durations[i], ages[i] - 14) * 365.25)
            people.append(
                Patient(first + i, kind, priors[i], index, follow_up, int(ages[i]), duration, bases[i], changes[i], str(courses[i]))
            )  # fmt: skip
    # The youngest: a fifteen-year-old on interferon, swapped in so that the classes still add up.
    child = people[11]
    on_interferon = next(person for person in people if person.prior == "IFNGA")
    child.prior, on_interferon.prior = "IFNGA", child.prior
    child.age, child.duration_days, child.course, child.baseline, child.change = 15, 1200, "RR", 3.5, -0.5
    return people


def _paired(rng: np.random.Generator, bases: list[float], changes: list[float]) -> list[float]:
    """Changes in an order in which every follow-up EDSS is possible (0, or 1.0 to 8.5)."""
    for _ in range(10_000):
        order = [float(x) for x in rng.permutation(changes)]
        ends = [base + change for base, change in zip(bases, order, strict=True)]
        if all(end == 0 or 1.0 <= end <= 8.5 for end in ends):
            return order
    raise ValueError("No order of the changes fits the baselines: choose another seed.")


def _courses(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    legacy = p.cohort == "experienced" and p.index < date(2009, 6, 1)
    starts = [0]
    while (
        len(starts) < 3
        and starts[-1] + 375 < p.follow_up - 60
        and not (p.number % 9 == 4 and len(starts) == 1)
    ):
        starts.append(
            starts[-1]
            + (300 if p.number == 33 else 366)
            + int(rng.integers(0, 400 if len(starts) > 1 else 30))
        )
    for n, start in enumerate(starts, start=1):
        doses = (
            ([10, 20, 30, 30, 30] if n == 1 else [10, 10, 10])
            if legacy
            else ([12] * 5 if n == 1 else [12] * 3)
        )
        if p.number == 7 and n == 1:
            doses = doses[:4]  # the fifth infusion was not given
        reason = "first" if n == 1 else "scheduled" if n == 2 else str(rng.choice(["relapse", "mri"]))
        for k, dose in enumerate(doses):
            drug = "Campath" if legacy else "Lemtrada"
            sheets["infusions"].append(
                {
                    "patient_id": p.id,
                    "drug": drug,
                    "infusion_date": p.day(start + k),
                    "dose_mg": dose,
                    "reason": reason,
                }
            )
    p.starts = starts


def _relapses(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> list[int]:
    before = int(rng.choice([1, 2, 3, 4, 5], p=[0.15, 0.3, 0.3, 0.15, 0.1]))
    onsets = [int(-rng.integers(66, 340))] if p.number % 8 else []
    while len(onsets) < before:
        onset = int(-rng.integers(66, 728))
        if all(abs(onset - other) > 35 for other in onsets):
            onsets.append(onset)
    if p.number == 5:
        onsets = [-25, -400]
    worsens = p.change >= 0.5
    after = rng.poisson(0.33 * p.follow_up / 365.25)
    for _ in range(int(after)):
        onset = int(rng.integers(40, max(41, p.follow_up - 20)))
        if all(abs(onset - other) > 35 for other in onsets):
            onsets.append(onset)
    if worsens and p.number % 2:
        onsets.append(_turn(p) - 20)  # worsening that came with a relapse
    onsets = sorted(set(onsets))
    for k, onset in enumerate(onsets, start=1):
        end = onset + int(rng.integers(14, 60))
        known = p.day(onset)
        written: Any = known if rng.random() > 0.06 or onset > -200 else known.strftime("%Y-%m")
        sheets["relapses"].append(
            {
                "patient_id": p.id, "onset_date": written, "relapse_id": f"R{k}",
                "end_date": p.day(end) if end < p.follow_up and written is known else None,
                "severity": str(rng.choice(["mild", "moderate", "severe"])),
                "recovery": str(rng.choice(["full", "partial", "none"], p=[0.5, 0.4, 0.1])),
                "steroids": bool(rng.random() < 0.7), "is_pseudo_relapse": False,
            }
        )  # fmt: skip
    if p.number % 11 == 3:  # a second report of the same relapse
        sheets["relapses"].append(
            {"patient_id": p.id, "onset_date": p.day(onsets[0] + 12), "relapse_id": "R1b"}
        )
    if p.number % 13 == 6:
        sheets["relapses"].append(
            {
                "patient_id": p.id,
                "onset_date": p.day(-500.5),
                "relapse_id": "P1",
                "severity": "mild",
                "is_pseudo_relapse": True,
            }
        )
    return onsets


def _turn(p: Patient) -> int:
    """The day on which a patient who worsens does so: late enough to have a visit before, early enough for one after."""
    return max(100, int(p.follow_up * 0.4))


def _visits(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator, onsets: list[int]) -> None:
    baseline = -12 if p.number == 5 else -int(rng.integers(0, 28))
    days = [-722 + int(rng.integers(0, 20)), -400 + int(rng.integers(0, 25)), baseline]
    if p.number != 5:
        days.insert(2, -195 + int(rng.integers(0, 30)))
    day, last = 0, p.follow_up - int(rng.integers(0, 14))
    while True:
        day += 61 if day < 365 else 91 if day < 720 else 182
        if day + 40 > last:
            break
        days.append(day + int(rng.integers(-8, 9)))
    days.append(last)
    near = {day + 9 for day in onsets if 60 < day < last - 60 and rng.random() < 0.5}
    for day in sorted(set(days) | near):
        if day == last:
            value = p.baseline + p.change
        elif day == baseline:
            value = p.baseline
        elif day < baseline:
            value = p.baseline - (0.5 if day < -300 and p.baseline >= 2 else 0.0)
        elif p.change > 0:
            value = p.baseline + (p.change if day >= _turn(p) else 0.0)
        else:
            share = min(1.0, day / min(500, p.follow_up))
            value = p.baseline + round(p.change * share * 2) / 2
            value += float(rng.choice([-0.5, 0.0, 0.5], p=[0.08, 0.84, 0.08]))
        acute = any(0 <= day - onset < 30 for onset in onsets)
        if acute and day not in (last, baseline):
            value += 1.0
        value = 0.0 if value < 0.75 and day != last else min(value, 9.0)
        row: Row = {"patient_id": p.id, "visit_date": p.day(day), "edss": value, "in_relapse": acute}
        if p.number % 4 == 0:
            row |= {
                "fs_visual": int(rng.integers(0, 3)), "fs_brainstem": int(rng.integers(0, 3)),
                "fs_pyramidal": int(min(5, max(1, value // 1.5))), "fs_cerebellar": int(rng.integers(0, 4)),
                "fs_sensory": int(rng.integers(0, 4)), "fs_bowel_bladder": int(rng.integers(0, 3)),
                "fs_cerebral": int(rng.integers(0, 3)), "ambulation": int(max(0, value * 2 - 6)),
            }  # fmt: skip
        if p.number % 5 == 2 and day in (baseline, last):
            row["msss_recorded"] = round(float(np.clip(value * 1.15 + rng.normal(0, 0.3), 0.2, 9.9)), 2)
        if p.number == 18 and day == days[1]:
            row["is_valid_confirmation"] = False
        sheets["edss"].append(row)
    if p.number == 44:  # two raters on one day
        sheets["edss"].append({"patient_id": p.id, "visit_date": p.day(days[1]), "edss": p.baseline})


def _treatments(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    if p.prior == "UNKNOWN":
        return  # infusions alone: nothing is known of earlier treatment
    rows: list[tuple[str, float, float | None, str | None]] = []
    platform, earlier = (str(x) for x in rng.choice(PLATFORM, 2, replace=False))
    stop = -int(rng.integers(0, 28))
    if p.prior == "IFNGA":
        if p.cohort == "experienced" and p.number % 3:
            rows.append((earlier, -2000, -900, "inefficacy"))
            rows.append(("Tysabri", -700, -420, str(rng.choice(["safety", "intolerance"]))))
            rows.append((platform, -400, stop, "inefficacy"))
        else:
            rows.append((platform, -1500 + int(rng.integers(0, 700)), stop, "inefficacy"))
    elif p.prior == "NAT":
        rows.append((platform, -1600, -690 if p.number % 2 else -800, "inefficacy"))
        rows.append(
            ("natalizumab" if p.number % 2 else "Tysabri", -660, -int(rng.integers(40, 260)), "safety")
        )
    elif p.prior == "NAT_FTY":
        rows.append((earlier, -2100, -1300, "inefficacy"))
        rows.append(("Tysabri", -1290, -int(rng.integers(420, 600)), "safety"))
        rows.append(("Gilenya", -int(rng.integers(280, 380)), -int(rng.integers(14, 70)), "inefficacy"))
    elif p.prior == "FTY":
        rows.append((platform, -1700, -640 if p.number % 2 else -900, "intolerance"))
        rows.append(("fingolimod", -600, -int(rng.integers(14, 80)), "inefficacy"))
    elif p.prior == "OTHER":
        rows.append((platform, -1900, -800, "inefficacy"))
        rows.append((str(OTHERS[p.number % len(OTHERS)]), -520, -int(rng.integers(60, 200)), "other"))
    floor = -p.duration_days + 30
    for drug, start, end, reason in rows:
        start = max(start, floor)
        if end is not None and end <= start:
            continue
        begun: Any = p.day(start)
        if p.number % 10 == 6 and drug == rows[0][0]:
            begun = begun.strftime("%Y-%m") if p.number % 20 == 6 else begun.strftime("%Y")
        sheets["treatments"].append(
            {
                "patient_id": p.id,
                "drug": drug,
                "start_date": begun,
                "end_date": p.day(end),
                "stop_reason": reason,
            }
        )
    # Prior class NONE: the history exists and is empty, only the index drug stands in it.
    starts = p.starts
    shift = -45 if p.number == 40 else 0
    sheets["treatments"].append(
        {
            "patient_id": p.id,
            "drug": "alemtuzumab",
            "start_date": p.day(shift),
            "end_date": p.day(starts[-1] + 2),
            "dose": 12,
            "dose_unit": "mg",
        }
    )
    if p.number in (36, 47, 52) and p.follow_up > starts[-1] + 500:
        sheets["treatments"].append(
            {
                "patient_id": p.id,
                "drug": "MabThera",
                "start_date": p.day(starts[-1] + 450),
                "stop_reason": None,
            }
        )


def _scans(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    days = [-380, -121, -int(rng.integers(1, 12))]
    days += [day for day in (122, 243, 365, 730, 1095, 1461, 1826, 2191, 2557) if day < p.follow_up]
    total = int(rng.integers(12, 40))
    for day in days:
        before = day <= 0
        new = int(
            rng.choice(
                [0, 1, 2, 3, 6], p=[0.25, 0.25, 0.25, 0.15, 0.1] if before else [0.86, 0.08, 0.04, 0.02, 0.0]
            )
        )
        total += new
        sheets["mri_scans"].append(
            {
                "patient_id": p.id, "scan_date": p.day(day), "region": "brain", "new_or_enlarging_t2": new,
                "gd_lesions": int(rng.choice([0, 1, 2, 4], p=[0.4, 0.3, 0.2, 0.1] if before else [0.95, 0.04, 0.01, 0.0])),
                "t2_lesions": total,
            }
        )  # fmt: skip
    if p.number % 7 == 0:
        sheets["mri_scans"].append(
            {
                "patient_id": p.id,
                "scan_date": p.day(-200),
                "region": "cervical_cord",
                "gd_lesions": 0,
                "t2_lesions": 2,
            }
        )


def _assessments(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    days = [-3] + [day for day in (182, 365, 730, 1095, 1461, 1826) if day < p.follow_up]
    sdmt, recall, gait = rng.normal(46, 9), rng.normal(22, 5), 4 + p.baseline * 1.4

    def add(day: int, instrument: str, scale: str, value: float, **more: Any) -> None:
        row = {
            "patient_id": p.id,
            "assessed_on": p.day(day),
            "instrument": instrument,
            "scale": scale,
            "value": value,
        }
        sheets["assessments"].append(row | more)

    for day in days:
        drift = -6 if p.number % 6 == 0 and day > 0 else 1.5 * (day > 0)
        add(
            day,
            "SDMT",
            "total_correct",
            float(np.clip(round(sdmt + drift + rng.normal(0, 2)), 0, 110)),
            respondent="patient",
        )
        if p.number % 2:
            add(
                day,
                "BVMT-R",
                "total_recall",
                float(np.clip(round(recall + drift / 2 + rng.normal(0, 2)), 0, 36)),
            )
            add(day, "BVMT-R", "delayed_recall", float(np.clip(round(recall / 3 + rng.normal(0, 1)), 0, 12)))
        if p.number % 3 == 0 and p.age >= 18:
            add(
                day,
                "NeuroQoL",
                "fatigue",
                round(float(rng.normal(54 - 3 * (day > 0), 6)), 1),
                respondent="patient",
            )
            add(
                day,
                "NeuroQoL",
                "lower_extremity_function",
                round(float(rng.normal(38, 5)), 1),
                respondent="patient",
            )
        if p.number % 2 == 0:
            add(day, "T25FW", "seconds", round(float(gait * np.exp(rng.normal(0, 0.1))), 1))
            add(day, "9HPT", "seconds", round(float(26 * np.exp(rng.normal(0, 0.12))), 1))
            add(day, "PASAT", "total_correct", float(np.clip(round(rng.normal(42, 8)), 0, 60)))
        if p.number % 10 == 0:
            add(day, "OCT", "rnfl_thickness", round(float(rng.normal(86, 7)), 1))
    if p.age < 18:
        for day in (-3, 122, 243):
            for respondent in ("child", "parent"):
                for scale, items in (("physical", 8), ("emotional", 5), ("social", 5), ("school", 5)):
                    for item in range(1, items + 1):
                        if not (respondent == "parent" and scale == "school" and item > 4):
                            add(
                                day,
                                "PedsQL",
                                scale,
                                float(rng.integers(0, 4)),
                                item=str(item),
                                respondent=respondent,
                            )
            add(day, "NeuroQoL", "fatigue", round(float(rng.normal(52, 5)), 1), respondent="child")


def _events(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    chosen = [EVENTS[int(k)] for k in rng.integers(0, len(EVENTS), int(rng.integers(0, 5)))]
    for term, grade, serious in chosen:
        onset = 0 if term.startswith("Infusion") else int(rng.integers(3, max(4, p.follow_up - 5)))
        end = onset + int(rng.integers(2, 40))
        sheets["adverse_events"].append(
            {
                "patient_id": p.id, "term": term, "onset_date": p.day(onset), "is_serious": serious, "grade": grade,
                "end_date": p.day(end) if end < p.follow_up else None, "is_related": bool(rng.random() < 0.6),
            }
        )  # fmt: skip
    if p.number % 6 == 1:
        sheets["adverse_events"].append(
            {
                "patient_id": p.id,
                "term": "Injection site reaction",
                "onset_date": p.day(-300),
                "is_serious": False,
                "grade": 1,
            }
        )
    if p.number == 22:
        sheets["adverse_events"].append(
            {
                "patient_id": p.id,
                "term": "Sinusitis",
                "onset_date": p.index.strftime("%Y-%m"),
                "is_serious": False,
            }
        )


def _laboratory(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    def add(day: int, test: str, value: float, unit: str, comparator: str | None = None) -> None:
        row = {"patient_id": p.id, "sampled_on": p.day(day), "test": test, "value": value, "unit": unit}
        sheets["laboratory"].append(row | ({"comparator": comparator} if comparator else {}))

    base = {"lymphocytes": 1.9, "cd4": 0.85, "cd8": 0.45, "cd19": 0.22}
    quantification = {"cd19": 0.06}  # below it a laboratory writes "< 0.06"
    recovery = {"lymphocytes": 260, "cd4": 420, "cd8": 330, "cd19": 150}
    own = float(np.exp(rng.normal(0, 0.15)))
    starts = [start for start in p.starts if start < 1200]
    days = [-2] + [start + lag for start in starts for lag in (30, 61, 122, 182, 243, 304, 350)]
    for day in [day for day in days if day < p.follow_up]:
        since = max((day - start for start in starts if start <= day), default=-1)
        for test, level in base.items():
            if test != "lymphocytes" and p.number % 3:
                continue
            share = 1.0 if since < 0 else min(1.1, 0.06 + (since / recovery[test]) ** 1.2)
            value = round(level * own * share * float(np.exp(rng.normal(0, 0.08))), 3)
            limit = quantification.get(test, 0.0)
            add(day, test, max(value, limit), "10^9/L", "<" if value < limit else None)
    for day in (-2, 182, 365):
        if day < p.follow_up:
            raised = 4.2 if p.number % 15 == 8 and day < 0 else 1.0
            for test, mean, sd, unit in (
                ("leukocytes", 6.4, 1.2, "10^9/L"), ("neutrophils", 3.9, 0.8, "10^9/L"), ("platelets", 245, 40, "10^9/L"),
                ("alt", 26 * raised, 6, "U/L"), ("ast", 24 * raised, 5, "U/L"), ("creatinine", 72, 10, "umol/L"),
                ("total_bilirubin", 9, 2.5, "umol/L"), ("tsh", 1.9, 0.6, "mIU/L"),
            ):  # fmt: skip
                add(day, test, round(max(0.1, float(rng.normal(mean, sd))), 2), unit)
    if p.number % 4 in (1, 2):
        positive = p.number % 5 in (1, 2)
        add(-2, "antidrug_antibodies", 20.0 if p.number == 10 else 0.0, "titre")
        for day, titre in ((30, 40.0), (182, 160.0), (365, 80.0)):
            if day < p.follow_up:
                add(day, "antidrug_antibodies", titre if positive else 0.0, "titre")


def _history(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    female = _sex(p) == "female"
    present = {
        9: ("malignancy", "past", -4000), 17: ("infection", "present", -20), 26: ("autoimmunity", "present", -1500),
        39: ("psychiatric", "present", -900), 45: ("hepatitis_b", "past", -3000), 51: ("cardiovascular", "present", -800),
        57: ("mri_contraindication", "present", -600), 28: ("epilepsy", "present", -2000),
    }.get(p.number)  # fmt: skip
    for category in HISTORY:
        if present and category == present[0]:
            row: Row = {"category": category, "status": present[1], "onset_date": p.day(present[2])}
        elif rng.random() < 0.06:
            row = {"category": category, "status": "unknown"}
        else:
            row = {"category": category, "status": "absent"}
        sheets["medical_history"].append({"patient_id": p.id} | row)
    if female:
        for category in ("pregnancy", "breastfeeding"):
            sheets["medical_history"].append(
                {"patient_id": p.id, "category": category, "status": "absent", "end_date": p.index}
            )
        sheets["medical_history"].append(
            {"patient_id": p.id, "category": "contraception", "status": "present" if p.age < 50 else "absent"}
        )
    if female and p.cohort == "experienced" and p.age <= 38:
        sheets["medical_history"].append(
            {
                "patient_id": p.id,
                "category": "pregnancy",
                "status": "past",
                "onset_date": p.day(800),
                "end_date": p.day(1070),
            }
        )
    if p.number == 60:
        sheets["medical_history"].append(
            {
                "patient_id": p.id,
                "category": "thyroid",
                "status": "present",
                "onset_date": p.day(600).strftime("%Y-%m"),
            }
        )


def _pharmacokinetics(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    peak, half_life = float(rng.normal(3000, 300)), float(rng.normal(95, 12))
    first = datetime.combine(p.index, datetime.min.time()) + timedelta(hours=9)
    for hour in (0, 2, 4, 24, 48, 72, 96, 100, 120, 168, 336, 672, 1344):
        doses = sum(1 for start in range(0, 120, 24) if start + 4 <= hour)
        value = sum(peak / 5 * 0.5 ** ((hour - start - 4) / half_life) for start in range(0, 120, 24)[:doses])
        value *= float(np.exp(rng.normal(0, 0.04)))
        if p.number == 4 and hour > 120:
            continue  # did not come back after the infusions: the profile has no terminal phase
        low = value < 60
        sheets["pk_samples"].append(
            {
                "patient_id": p.id, "first_dose_at": first, "time_h": hour, "concentration": 0.0 if low else round(value, 1),
                "unit": "ng/mL", "is_below_quantification": low, "lower_limit": 60,
            }
        )  # fmt: skip


def _sex(p: Patient) -> str:
    return "male" if p.number % 5 == 0 or p.number in (14, 33) else "female"


def _person(p: Patient, sheets: dict[str, list[Row]], rng: np.random.Generator) -> None:
    birth = date(p.index.year - p.age - 1, p.index.month, min(p.index.day, 28)) + timedelta(
        days=int(rng.integers(1, 364))
    )
    onset = p.day(-p.duration_days)
    onset_written: Any = onset
    if p.number % 6 == 5:
        onset_written = onset.strftime("%Y-%m")
    elif p.number % 12 == 8:
        onset_written = onset.strftime("%Y")
    if p.cohort == "naive":
        enrolled = p.day(0 if p.number % 4 == 0 else -int(rng.integers(1, 40)))
    else:
        enrolled = max(
            p.day(200),
            min(date(2012, 9, 1) + timedelta(days=int(rng.integers(0, 400))), p.day(p.follow_up - 180)),
        )
    # Complete since the first symptom for most; where that is known to the year only, since that year began.
    history: Any = date(onset.year, 1, 1) if p.number % 5 else p.day(-913)
    if p.number in (19, 43):
        history = None
    sheets["patients"].append(
        {
            "patient_id": p.id, "sex": _sex(p), "birth_date": birth.strftime("%Y-%m") if p.number % 20 == 16 else birth,
            "onset_date": onset_written, "diagnosis_date": p.day(-p.duration_days + int(rng.integers(20, 400))), "course": p.course,
            "progression_onset_date": p.day(-int(rng.integers(200, 900)) if p.number % 4 else 300) if p.course == "SP" else None,
            "enrolment_date": enrolled, "history_from": history,
            "last_contact_date": None if p.number == 21 else p.last, "death_date": p.last if p.number == 35 else None,
            "regular_corticosteroids": p.number % 8 == 3, "is_nmo": False,
        }
    )  # fmt: skip


def second_delivery() -> dict[str, list[Row]]:
    """A small second workbook of the same cohort: four more patients, and faults as clinics make them.

    Sheets stay under 20 rows, so that no share of rejected rows stops the cohort. Patients 61 and 62 never had
    the index therapy; 63 is a child; 64 was entered twice with different birth dates, so both rows are refused.
    """
    day = date
    patients: list[Row] = [
        {"patient_id": "INV-061", "sex": "female", "birth_date": day(1979, 4, 11), "onset_date": day(2008, 2, 3),
         "diagnosis_date": day(2008, 9, 1), "course": "RR", "history_from": day(2008, 2, 3), "last_contact_date": day(2016, 3, 1)},
        {"patient_id": "INV-062", "sex": "male", "birth_date": day(1968, 12, 30), "onset_date": "2001", "course": "SP",
         "progression_onset_date": day(2012, 5, 1), "last_contact_date": day(2016, 2, 10)},
        {"patient_id": "INV-063", "sex": "female", "birth_date": day(2000, 5, 14), "onset_date": day(2013, 6, 2),
         "diagnosis_date": day(2013, 11, 20), "course": "RR", "history_from": day(2013, 6, 2), "last_contact_date": day(2016, 4, 4)},
        {"patient_id": "INV-064", "sex": "female", "birth_date": day(1981, 1, 2), "course": "RR"},
        {"patient_id": "INV-064", "sex": "female", "birth_date": day(1982, 1, 2), "course": "RR"},
        {},
        {"patient_id": "INV-065", "sex": "9", "birth_date": day(1975, 8, 8), "course": "RR"},
        {"patient_id": "INV-066", "sex": "male", "birth_date": None, "course": "PP"},
    ]  # fmt: skip
    edss: list[Row] = [
        {"patient_id": "INV-061", "visit_date": day(2015, 9, 2), "edss": 3.0},
        {"patient_id": "INV-061", "visit_date": day(2016, 2, 15), "edss": 3.5},
        {"patient_id": "INV-061", "visit_date": day(2016, 2, 15), "edss": 3.5},  # the same row twice
        {"patient_id": "INV-061", "visit_date": day(2015, 3, 1), "edss": 2.3},  # no step of the scale
        {"patient_id": "INV-062", "visit_date": "2015-02-30", "edss": 6.0},  # no such day
        {"patient_id": "INV-062", "visit_date": day(2015, 11, 5), "edss": 6.0},
        {},
        {"patient_id": "INV-062", "visit_date": day(2061, 1, 5), "edss": 6.5},  # typed 2061 for 2016
        {"patient_id": "INV-063", "visit_date": day(2016, 1, 20), "edss": "2,5"},
        {"patient_id": "INV-064", "visit_date": day(2016, 1, 21), "edss": 4.0},  # own row refused
        {"patient_id": "INV-099", "visit_date": day(2016, 1, 22), "edss": 4.0},  # nobody
        {"patient_id": "INV-063", "visit_date": None, "edss": 2.0},
        {"patient_id": "INV-061", "visit_date": day(1975, 1, 1), "edss": 1.0},  # before birth
    ]
    relapses: list[Row] = [
        {"patient_id": "INV-061", "onset_date": day(2015, 7, 19), "severity": "moderate", "recovery": "partial", "steroids": True},
        {"patient_id": "INV-061", "onset_date": day(2014, 5, 1), "end_date": day(2014, 4, 2)},  # ends before it starts
        {"patient_id": "INV-063", "onset_date": day(2015, 8, 30), "severity": "severe", "steroids": "ja"},
        {"patient_id": "INV-063", "onset_date": day(2015, 12, 10), "severity": "terrible"},
    ]  # fmt: skip
    treatments: list[Row] = [
        {"patient_id": "INV-061", "drug": "Tecfidera", "start_date": day(2014, 6, 1)},
        {"patient_id": "INV-062", "drug": "Betaferon", "start_date": day(2013, 1, 1), "end_date": day(2012, 1, 1)},
        {"patient_id": "INV-063", "drug": "Avonex", "start_date": day(2014, 1, 15)},
        {"patient_id": "INV-063", "drug": None, "start_date": day(2014, 1, 15)},
        {"patient_id": "INV-062", "drug": "home remedy", "start_date": "sommer 2014"},
    ]  # fmt: skip
    mri: list[Row] = [
        {"patient_id": "INV-061", "scan_date": day(2016, 2, 1), "region": "brain", "new_or_enlarging_t2": 2, "gd_lesions": 1, "t2_lesions": 17},
        {"patient_id": "INV-063", "scan_date": day(2015, 12, 28), "region": "brain", "new_or_enlarging_t2": "many", "gd_lesions": 1},
        {"patient_id": "INV-063", "scan_date": day(2015, 12, 29), "region": "brain", "new_or_enlarging_t2": 3, "gd_lesions": 1, "t2_lesions": 14},
    ]  # fmt: skip
    laboratory: list[Row] = [
        {"patient_id": "INV-061", "sampled_on": day(2016, 2, 1), "test": "lymphocytes", "value": 1.4, "unit": "10^9/L"},
        {"patient_id": "INV-061", "sampled_on": day(2016, 2, 1), "test": "alt", "value": "n/a", "unit": "U/L"},
    ]  # fmt: skip
    return {
        "patients": patients, "edss": edss, "relapses": relapses, "treatments": treatments,
        "mri_scans": mri, "laboratory": laboratory,
    }  # fmt: skip
