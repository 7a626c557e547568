"""Cohorts with the tables of the slides give these tables back, every figure within half its last decimal."""

from __future__ import annotations

import pytest

from tests.outcomes import slides


@pytest.mark.parametrize("name", slides.GROUPS)
def test_the_cohort_has_the_printed_table_without_any_help_of_remit(name):
    found = slides.recomputed(slides.group(name))
    for key, (printed, tolerance) in slides.figures(name).items():
        assert found[key] == pytest.approx(printed, abs=tolerance + 1e-9), key


@pytest.mark.parametrize("name", slides.GROUPS)
def test_the_marts_give_the_table_back(outcomes, name):
    rows = outcomes.sql(
        "select metric, statistic, cohort_value, cohort_n, status from outcomes.published_comparison "
        f"where cohort = 'slides_{name}' and analysis = '{slides.ANALYSIS}' and group_name = '{name}'"
    ).to_dicts()
    assert len(rows) == len(slides.figures(name))
    recomputed = slides.recomputed(slides.group(name))
    for row in rows:
        key = row["metric"], row["statistic"]
        assert row["status"] == "agrees", key
        assert row["cohort_value"] == pytest.approx(recomputed[key], abs=1e-9), key
        assert row["cohort_n"] == recomputed["patients", "count"]
