"""One small warehouse for all tests of the outcomes: every scenario is a cohort of its own in one build."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipeline import statistics
from tests.outcomes import cohorts, slides
from tests.support.warehouse import Warehouse

FOUR_YEARS = 1461  # the only shift that keeps calendar months as long as they were


def scenarios() -> dict[str, dict]:
    base = cohorts.random_cohort(40, seed=4)
    day = timedelta(1)
    untreated = cohorts.treated("U", edss=[(0, 3.0)])
    untreated["infusions"] = []
    partial = cohorts.treated("P", edss=[(-10, 4.0), (200, 3.0)], relapses=[-100])
    partial = cohorts.changed(partial, lambda table, row: row | _months(table, row))
    unborn = cohorts.treated("Y", birth_date=cohorts.INDEX + day, edss=[(-10, 4.0)])
    dead = cohorts.treated(
        "D", edss=[(-10, 4.0), (100, 4.5), (400, 9.0)], death_date=cohorts.INDEX + timedelta(300)
    )
    untold = cohorts.treated("R", edss=[(-10, 2.0), (200, 4.0), (400, 4.0), (700, 4.0)])
    del untold["relapses"]
    return {
        "untold": untold,
        "base": base,
        "shuffled": cohorts.shuffled(base, seed=9),
        "renamed": cohorts.renamed(base, lambda name: f"Z{999 - int(name[1:]):03d}"),
        "shifted": cohorts.shifted(base, FOUR_YEARS),
        "doubled": cohorts.together(base, cohorts.renamed(base, lambda name: f"{name}b")),
        "half_a": cohorts.of_patients(base, lambda name: int(name[1:]) % 2 == 0),
        "half_b": cohorts.of_patients(base, lambda name: int(name[1:]) % 2 == 1),
        "untreated": untreated,
        "one_patient": cohorts.treated("O", edss=[(-10, 4.0), (300, 3.0)], relapses=[-300, -200, 400]),
        "no_relapse": cohorts.together(
            *(cohorts.treated(f"N{n}", edss=[(-5, 4.0), (300, 4.0)], follow_up_days=364) for n in range(10))
        ),
        "partial": partial,
        "unborn": unborn,
        "dead": dead,
        "no_follow_up": cohorts.treated("F", follow_up_days=0, edss=[(0, 4.0)]),
        "conflict": cohorts.treated("C", edss=[(-10, 4.0), (-10, 5.0), (300, 3.0), (300, 2.0)]),
        "hunter_2011": slides.hunter_2011(),
        **{f"slides_{name}": slides.group(name) for name in slides.GROUPS},
    }


def _months(table: str, row: dict) -> dict:
    return {
        name: f"{row[name]:%Y-%m}" for name in cohorts.DATES[table] if isinstance(row.get(name), date)
    }  # fmt: skip


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory) -> Warehouse:
    """All marts of the outcomes over all scenarios, as a run builds them: dbt, statistics, dbt."""
    warehouse = Warehouse(tmp_path_factory.mktemp("outcomes"))
    for name, tables in scenarios().items():
        warehouse.cohort(name, **tables)
    statistics.write_empty(warehouse.lake)
    quiet = "resource_type:test resource_type:unit_test"
    warehouse.build("+tag:statistics_input", exclude=quiet)
    statistics.run(warehouse.lake)
    warehouse.build("+path:models/marts/outcomes", exclude=f"+tag:statistics_input {quiet}")
    return warehouse
