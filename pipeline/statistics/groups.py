"""Tests between groups that do not overlap, on changes. Which groupings and changes is dbt's choice."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

KEYS = ("cohort", "grouping", "metric")

INPUT = "int_outcomes__change_counts"
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
    """The changes of INPUT → two rows per grouping and metric: a test of means and a test of ranks.

    Two groups: Welch's t and Mann-Whitney (scipy's defaults: exact for small samples without ties). More: Welch's
    analysis of variance and Kruskal-Wallis. Groups of fewer than two patients take no part.
    """
    changes = frames[INPUT]
    if changes.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    rows = []
    ordered = changes.sort(*KEYS, "group_name", "value")
    # a loop over groupings and metrics, some thirty of them whatever the number of patients
    for key, block in ordered.group_by(*KEYS, maintain_order=True):
        samples = {
            name[0]: np.repeat(part["value"].to_numpy(), part["patients"].to_numpy())
            for name, part in block.group_by("group_name", maintain_order=True)
        }
        samples = {name: values for name, values in samples.items() if len(values) >= 2}
        if len(samples) < 2:
            continue
        shared = dict(zip(KEYS, key, strict=True)) | {
            "groups": len(samples),
            "group_names": ", ".join(samples),
            "n": sum(len(values) for values in samples.values()),
        }
        rows += [shared | result for result in _tests(list(samples.values()))]
    return pl.DataFrame(rows, schema=SCHEMA)


def _tests(samples: list[np.ndarray]) -> list[dict[str, object]]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # constant samples: the result is then NaN, reported as null with its reason
        warnings.simplefilter("ignore")
        if len(samples) == 2:
            means = stats.ttest_ind(*samples, equal_var=False)
            ranks = stats.mannwhitneyu(*samples, alternative="two-sided")
            return [_row("welch_t", means), _row("mann_whitney", ranks)]
        if all(np.var(values) > 0 for values in samples):
            means = anova_oneway(samples, use_var="unequal", welch_correction=True)
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
