"""Tests between groups that do not overlap, on changes. Which groupings and changes is dbt's choice."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import stats

from pipeline.statistics.paired import MEMBERS, PAIRS, members_of

KEYS = ("cohort", "grouping", "metric")

PAIR_NAMES = "int_outcomes__pair_names"
GROUP_NAMES = "int_outcomes__group_names"
COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "cohort": (pl.String(), "The cohort: its folder's name in the inbox."),
    "grouping": (pl.String(), "How patients are grouped."),
    "metric": (pl.String(), "The change that is compared."),
    "groups": (pl.Int64(), "Groups of at least two patients."),
    "group_names": (pl.String(), "Their names."),
    "n": (pl.Int64(), "Patients in them."),
    "test": (pl.String(), "The test."),
    "statistic": (pl.Float64(), "Its statistic."),
    "p_value": (pl.Float64(), "Two-sided p."),
    "null_reason": (pl.String(), "Why there is no result."),
}
SCHEMA: dict[str, pl.DataType] = {name: kind for name, (kind, _) in COLUMNS.items()}


def compare(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The changes of PAIRS → two rows per grouping and metric: a test of means and a test of ranks.

    Compared are the groups with `is_compared` in GROUP_NAMES on the pairs with a `change_metric` in PAIR_NAMES. Two
    groups: Welch's t and Mann-Whitney (scipy's defaults: exact for small samples without ties). More: Welch's
    analysis of variance and Kruskal-Wallis. Groups of fewer than two patients take no part.
    """
    names = frames[GROUP_NAMES].filter("is_compared").sort("cohort", "grouping", "group_name")
    members = frames[MEMBERS].join(names.select("group_key"), on="group_key", how="semi")
    asked = frames[PAIR_NAMES].filter(pl.col("change_metric").is_not_null()).sort("change_metric")
    if members.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    members = members.sort("group_key")
    group_keys = members["group_key"].to_numpy()
    rows = []
    # loops over metrics and groupings, some thirty of them whatever the number of patients
    for pair_key, metric in asked.select("pair_key", "change_metric").iter_rows():
        pairs = frames[PAIRS].filter(pl.col("pair_key") == pair_key).sort("patient_key")
        change = (pairs["after_value"] - pairs["before_value"]).to_numpy()
        member, row = members_of(pairs["patient_key"], members)
        group = group_keys[member]
        for (cohort, grouping), block in names.group_by("cohort", "grouping", maintain_order=True):
            samples = {}
            for name, key in block.select("group_name", "group_key").iter_rows():
                begin, end = np.searchsorted(group, (key, key + 1))
                if end - begin >= 2:
                    samples[name] = change[row[begin:end]]
            if len(samples) < 2:
                continue
            shared = {
                "cohort": cohort,
                "grouping": grouping,
                "metric": metric,
                "groups": len(samples),
                "group_names": ", ".join(samples),
                "n": sum(len(values) for values in samples.values()),
            }
            rows += [shared | result for result in _tests(list(samples.values()))]
    return pl.DataFrame(rows, schema=SCHEMA).sort(KEYS, maintain_order=True)


def _tests(samples: list[np.ndarray]) -> list[dict[str, object]]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # constant samples: the result is then NaN, reported as null with its reason
        warnings.simplefilter("ignore")
        if len(samples) == 2:
            means = stats.ttest_ind(*samples, equal_var=False)
            ranks = stats.mannwhitneyu(*samples, alternative="two-sided")
            return [_row("welch_t", means), _row("mann_whitney", ranks)]
        if all(np.var(values) > 0 for values in samples):
            means = stats.f_oneway(*samples, equal_var=False)
            first = _row("welch_anova", means)
        else:
            first = _row("welch_anova", None)
        flat = np.concatenate(samples)
        ranks = stats.kruskal(*samples) if np.ptp(flat) > 0 else None
        return [first, _row("kruskal_wallis", ranks)]


def _row(test: str, result: object | None) -> dict[str, object]:
    statistic, p_value = (
        (float(result.statistic), float(result.pvalue)) if result is not None else (np.nan, np.nan)
    )
    fine = np.isfinite(p_value) and np.isfinite(statistic)
    return {
        "test": test,
        "statistic": statistic if fine else None,
        "p_value": p_value if fine else None,
        "null_reason": None if fine else "no_variance",
    }
