"""Cohorts built so that their tables are tables of the slides. Every patient is invented."""

from __future__ import annotations

from datetime import date, timedelta

from tests.outcomes import cohorts

# 30 improved (mean -1.5, range -4 to -0.5), 7 worsened (mean 0.6, median 0.5, range 0.5 to 1.0), 18 stable: the
# parts alone give a mean of -0.74, printed as -0.7 with a median of -0.5.
HUNTER_2011_CHANGES = (
    [-4.0, -3.0, -3.0, -2.5, -2.5] + [-2.0] * 5 + [-1.5] * 5 + [-1.0] * 10 + [-0.5] * 5
    + [0.0] * 18 + [0.5] * 6 + [1.0]
)  # fmt: skip


def hunter_2011() -> cohorts.Rows:
    """55 patients of the second retrospective analysis: their EDSS changes and numbers of courses."""
    parts = []
    for number, change in enumerate(HUNTER_2011_CHANGES):
        name = f"H{number:02d}"
        index = date(2007, 3, 1) + timedelta(5 * number)
        part = cohorts.treated(
            name,
            index=index,
            edss=[(-20, 6.0), (800, 6.0 + change)],
            follow_up_days=924,
            sex="female" if number < 46 else "male",
            regular_corticosteroids=number >= 47,
        )
        courses = 3 if number < 30 else 2 if number < 49 else 1
        for course in range(1, courses):
            part["infusions"] += cohorts.infusions(name, index + timedelta(370 * course), 3)
        parts.append(part)
    return cohorts.together(*parts)
