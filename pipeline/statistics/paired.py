"""Comparisons within patients: paired t-test, Wilcoxon signed-rank, and the ratio of two pooled rates.

Input rows stand for the patients of a group who share their pair of values (`patients` of them). No rule about
who may be compared is here: dbt chose the patients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import stats

NAMES = ("cohort", "grouping", "group_name", "metric", "before_epoch", "after_epoch")
# dbt's numbers for the same: grouping a million rows by six strings takes several times as long
KEYS = ("group_key", "pair_key")

INPUT = "int_outcomes__paired_counts"
COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "cohort": (pl.String(), "The cohort: its folder's name in the inbox."),
    "grouping": (pl.String(), "How patients are grouped."),
    "group_name": (pl.String(), "The group."),
    "metric": (pl.String(), "What is compared."),
    "before_epoch": (pl.String(), "Epoch before."),
    "after_epoch": (pl.String(), "Epoch after."),
    "absolute_change_ci95_low": (pl.Float64(), "Lower bound of the mean change, by Student's t."),
    "absolute_change_ci95_high": (pl.Float64(), "Upper bound of the mean change, by Student's t."),
    "p_paired_t": (pl.Float64(), "Two-sided p of the paired t-test."),
    "p_wilcoxon": (pl.Float64(), "Two-sided p of the signed-rank test."),
    "rate_ratio": (pl.Float64(), "Pooled rate after divided by pooled rate before."),
    "rate_ratio_ci95_low": (pl.Float64(), "Lower bound of the ratio."),
    "rate_ratio_ci95_high": (pl.Float64(), "Upper bound of the ratio; null where there is none."),
    "rate_ratio_method": (pl.String(), "poisson_gee_robust, conditional_exact or no_events."),
}
SCHEMA: dict[str, pl.DataType] = {name: kind for name, (kind, _) in COLUMNS.items()}

SUMMARY_INPUT = "int_outcomes__summary_counts"
CHANGE_KEYS = ("cohort", "grouping", "group_name", "metric", "time_point")
CHANGE_COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "cohort": (pl.String(), "The cohort: its folder's name in the inbox."),
    "grouping": (pl.String(), "How patients are grouped."),
    "group_name": (pl.String(), "The group."),
    "metric": (pl.String(), "The change."),
    "time_point": (pl.String(), "When it is measured."),
    "p_paired_t": (pl.Float64(), "Two-sided p of the paired t-test."),
}
CHANGE_SCHEMA: dict[str, pl.DataType] = {name: kind for name, (kind, _) in CHANGE_COLUMNS.items()}

Z95 = stats.norm.ppf(0.975)
# Differences equal to this many decimals are ties: 0.3 - 0.2 and 0.2 - 0.1 are one difference.
DECIMALS = 9


def compare(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The pairs of INPUT → one row of SCHEMA per group, metric and pair of epochs."""
    pairs = frames[INPUT]
    if pairs.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    pairs = pairs.with_columns(
        change=(pl.col("after_value") - pl.col("before_value")).round(DECIMALS) + 0.0,
        w=pl.col("patients").cast(pl.Float64),
    )
    return (
        pairs.group_by(*KEYS)
        .agg(pl.col(*NAMES).first())
        .join(_paired_t(pairs), on=KEYS)
        .join(_wilcoxon(pairs), on=KEYS, how="left")
        .join(_rate_ratios(pairs), on=KEYS, how="left")
        .sort(*NAMES)
    )


def compare_changes(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The summaries of SUMMARY_INPUT → Student's paired t-test of every change, from its n, mean and standard deviation."""
    changes = frames[SUMMARY_INPUT]
    if changes.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    changes = changes.filter(pl.col("is_change"))
    return changes.select(*CHANGE_KEYS).with_columns(
        p_paired_t=_p_of_t(*(changes[name].cast(pl.Float64).to_numpy() for name in ("n", "mean", "sd")))
    )


def _p_of_t(n: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Two-sided p of a mean of differences; NaN for fewer than two, or where all differences are equal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(sd > 1e-12, mean / (sd / np.sqrt(n)), np.nan)
        return 2 * stats.t.sf(np.abs(t), np.where(n > 1, n - 1, np.nan))


def _paired_t(pairs: pl.DataFrame) -> pl.DataFrame:
    w, d = pl.col("w"), pl.col("change")
    groups = (
        pairs.with_columns(group_mean=((w * d).sum() / w.sum()).over(KEYS))
        .group_by(*KEYS)
        .agg(
            n=w.sum(),
            mean=pl.col("group_mean").first(),
            squares=(w * (d - pl.col("group_mean")) ** 2).sum(),
        )
    )
    n, mean = groups["n"].to_numpy(), groups["mean"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(groups["squares"].to_numpy() / np.where(n > 1, n - 1, np.nan))
        half = stats.t.ppf(0.975, np.where(n > 1, n - 1, np.nan)) * sd / np.sqrt(n)
    return groups.select(
        *KEYS,
        absolute_change_ci95_low=pl.Series(mean - half),
        absolute_change_ci95_high=pl.Series(mean + half),
        p_paired_t=pl.Series(_p_of_t(n, mean, sd)),
    )


def _wilcoxon(pairs: pl.DataFrame) -> pl.DataFrame:
    """Signed-rank test: zeros dropped, normal approximation with tie correction, no continuity correction.

    The same as scipy.stats.wilcoxon(zero_method="wilcox", correction=False, method="asymptotic"), on counted
    pairs and for all groups at once. All differences zero: null.
    """
    ranked = (
        pairs.filter(pl.col("change") != 0)
        .with_columns(size=pl.col("change").abs())
        .group_by(*KEYS, "size")
        .agg(
            tied=pl.col("w").sum(),
            positive=pl.col("w").filter(pl.col("change") > 0).sum(),
        )
        .sort(*KEYS, "size")
        .with_columns(before=(pl.col("tied").cum_sum() - pl.col("tied")).over(KEYS))
        .with_columns(rank=pl.col("before") + (pl.col("tied") + 1) / 2)
        .group_by(*KEYS)
        .agg(
            n=pl.col("tied").sum(),
            rank_sum=(pl.col("rank") * pl.col("positive")).sum(),
            ties=(pl.col("tied") ** 3 - pl.col("tied")).sum(),
        )
    )
    n = ranked["n"].to_numpy()
    expected = n * (n + 1) / 4
    variance = (n * (n + 1) * (2 * n + 1) - ranked["ties"].to_numpy() / 2) / 24
    z = (ranked["rank_sum"].to_numpy() - expected) / np.sqrt(variance)
    return ranked.select(*KEYS, p_wilcoxon=pl.Series(2 * stats.norm.sf(np.abs(z))))


def _rate_ratios(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pooled rate after ÷ pooled rate before.

    Poisson GEE with log-exposure offset, one indicator for the epoch, independence working correlation,
    clusters = patients, robust variance: with two epochs the model is saturated, so estimate and sandwich have
    this closed form (tests compare it with statsmodels). With a zero count, or one patient, the exact interval
    conditional on the total (Clopper-Pearson on the share of events after), and `rate_ratio_method` says so.
    """
    counted = pairs.filter(pl.col("before_events").is_not_null() & pl.col("after_events").is_not_null())
    w = pl.col("w")
    groups = (
        counted.with_columns(
            b=(w * pl.col("before_events")).sum().over(KEYS),
            a=(w * pl.col("after_events")).sum().over(KEYS),
            tb=(w * pl.col("before_exposure")).sum().over(KEYS),
            ta=(w * pl.col("after_exposure")).sum().over(KEYS),
        )
        .with_columns(
            influence=(pl.col("after_events") - pl.col("after_exposure") * pl.col("a") / pl.col("ta"))
            / pl.col("a")
            - (pl.col("before_events") - pl.col("before_exposure") * pl.col("b") / pl.col("tb")) / pl.col("b")
        )
        .group_by(*KEYS)
        .agg(
            n=w.sum(),
            b=pl.col("b").first(),
            a=pl.col("a").first(),
            tb=pl.col("tb").first(),
            ta=pl.col("ta").first(),
            variance=(w * pl.col("influence") ** 2).sum(),
        )
    )
    n, b, a, tb, ta, variance = (
        groups[name].cast(pl.Float64).to_numpy() for name in ("n", "b", "a", "tb", "ta", "variance")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(b > 0, (a / ta) / (b / tb), np.nan)
        robust = (a > 0) & (b > 0) & (n > 1)
        spread = Z95 * np.sqrt(variance)
        exposure_ratio = tb / ta
        low_share = np.where(a > 0, stats.beta.ppf(0.025, np.maximum(a, 0.5), b + 1), 0.0)
        high_share = np.where(b > 0, stats.beta.ppf(0.975, a + 1, np.maximum(b, 0.5)), 1.0)
        low = np.where(robust, np.exp(np.log(ratio) - spread), low_share / (1 - low_share) * exposure_ratio)
        high = np.where(
            robust, np.exp(np.log(ratio) + spread), high_share / (1 - high_share) * exposure_ratio
        )
    none = a + b == 0
    method = np.select([none, robust], ["no_events", "poisson_gee_robust"], default="conditional_exact")
    return groups.select(
        *KEYS,
        rate_ratio=pl.Series(np.where(none, np.nan, ratio)),
        rate_ratio_ci95_low=pl.Series(np.where(none, np.nan, low)),
        # no relapse before: the ratio has no upper bound
        rate_ratio_ci95_high=pl.Series(np.where(none | ~np.isfinite(high), np.nan, high)),
        rate_ratio_method=pl.Series(method.tolist(), dtype=pl.String),
    )
