"""Comparisons within patients: paired t-test, Wilcoxon signed-rank, and the ratio of two pooled rates.

Input are the patients' pairs of values and the groups that they are in. No rule about who may be compared is here: dbt
chose the patients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import stats

PAIRS = "int_outcomes__paired_epochs"
MEMBERS = "int_outcomes__memberships"
COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "group_key": (pl.Int64(), "Number of the group (int_outcomes__group_names)."),
    "pair_key": (pl.Int64(), "Number of the metric and pair of epochs (int_outcomes__pair_names)."),
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
    """The patients' pairs of PAIRS in the groups of MEMBERS → one row of SCHEMA per group and pair of epochs."""
    pairs, members = frames[PAIRS], frames[MEMBERS].sort("group_key")
    if pairs.is_empty() or members.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    group_keys = members["group_key"].to_numpy()
    # a loop over the pairs of epochs, a dozen of them whatever the number of patients
    tables = []
    for (pair_key,), rows in pairs.sort("pair_key", "patient_key").group_by("pair_key", maintain_order=True):
        member, row = members_of(rows["patient_key"], members)
        if not row.size:
            continue
        present, group = np.unique(group_keys[member], return_inverse=True)
        tables.append(
            pl.DataFrame(
                {"group_key": present, "pair_key": np.full(present.size, pair_key)}
                | _differences(group, row, rows)
                | _rate_ratios(group, row, rows)
            )
        )
    return pl.concat(tables).select(SCHEMA.keys()).cast(SCHEMA).sort("group_key", "pair_key")


def members_of(patients: pl.Series, members: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Places of the memberships of these patients, in the order of `members`, and each one's place in `patients`."""
    who, key = members["patient_key"].to_numpy(), patients.to_numpy()
    place = np.full(max(int(who.max()), int(key.max())) + 1, -1, dtype=np.int64)
    place[key] = np.arange(key.size)
    row = place[who]
    member = np.flatnonzero(row >= 0)
    return member, row[member]


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


def _differences(group: np.ndarray, row: np.ndarray, rows: pl.DataFrame) -> dict[str, np.ndarray]:
    """Paired t-test with its interval, and the signed-rank test, by group (`group` ascends)."""
    change = (rows["after_value"] - rows["before_value"]).round(DECIMALS).to_numpy() + 0.0
    d = change[row]
    n = np.bincount(group).astype(float)
    mean = np.bincount(group, d) / n
    squares = np.bincount(group, (d - mean[group]) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
        half = stats.t.ppf(0.975, np.where(n > 1, n - 1, np.nan)) * sd / np.sqrt(n)
    return {
        "absolute_change_ci95_low": mean - half,
        "absolute_change_ci95_high": mean + half,
        "p_paired_t": _p_of_t(n, mean, sd),
        "p_wilcoxon": _wilcoxon(group, row, change),
    }


def _wilcoxon(group: np.ndarray, row: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Signed-rank test: zeros dropped, normal approximation with tie correction, no continuity correction.

    The same as scipy.stats.wilcoxon(zero_method="wilcox", correction=False, method="asymptotic"), for all groups at
    once: sizes are numbered in their order, so that one sort of whole numbers ranks them in every group. All
    differences zero: NaN.
    """
    groups = int(group[-1]) + 1
    sizes, number = np.unique(np.abs(change), return_inverse=True)
    moved = change[row] != 0
    own, who = group[moved], row[moved]
    # sign in the last bit: equal sizes of a group lie together, and the rising ones are counted by it
    code = np.sort((own * sizes.size + number[who]) * 2 + (change[who] > 0))
    if not code.size:
        return np.full(groups, np.nan)
    begins = np.flatnonzero(np.append(True, code[1:] >> 1 != code[:-1] >> 1))
    tied = np.diff(np.append(begins, code.size)).astype(float)
    positive = np.add.reduceat((code & 1).astype(float), begins)
    at = (code[begins] >> 1) // sizes.size
    n = np.bincount(at, tied, minlength=groups)
    before = np.cumsum(tied) - tied
    first = np.concatenate(([0.0], np.cumsum(n)[:-1]))
    rank = before - first[at] + (tied + 1) / 2
    rank_sum = np.bincount(at, rank * positive, minlength=groups)
    ties = np.bincount(at, tied**3 - tied, minlength=groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24
        z = (rank_sum - n * (n + 1) / 4) / np.sqrt(variance)
    return np.where(n > 0, 2 * stats.norm.sf(np.abs(z)), np.nan)


def _rate_ratios(group: np.ndarray, row: np.ndarray, rows: pl.DataFrame) -> dict[str, object]:
    """Pooled rate after ÷ pooled rate before; null for values that are no rates.

    Poisson GEE with log-exposure offset, one indicator for the epoch, independence working correlation,
    clusters = patients, robust variance: with two epochs the model is saturated, so estimate and sandwich have
    this closed form (tests compare it with statsmodels). With a zero count, or one patient, the exact interval
    conditional on the total (Clopper-Pearson on the share of events after), and `rate_ratio_method` says so.
    """
    if rows["before_events"].null_count() == rows.height:
        return {name: [None] * (int(group[-1]) + 1) for name in COLUMNS if name.startswith("rate_ratio")}
    names = ("before_events", "after_events", "before_exposure", "after_exposure")
    own_b, own_a, own_tb, own_ta = (rows[name].cast(pl.Float64).to_numpy()[row] for name in names)
    n = np.bincount(group)
    b, a, tb, ta = (np.bincount(group, values) for values in (own_b, own_a, own_tb, own_ta))
    with np.errstate(divide="ignore", invalid="ignore"):
        influence = (own_a - own_ta * (a / ta)[group]) / a[group] - (own_b - own_tb * (b / tb)[group]) / b[
            group
        ]
        variance = np.bincount(group, influence**2)
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
    return {
        "rate_ratio": np.where(none, np.nan, ratio),
        "rate_ratio_ci95_low": np.where(none, np.nan, low),
        # no relapse before: the ratio has no upper bound
        "rate_ratio_ci95_high": np.where(none | ~np.isfinite(high), np.nan, high),
        "rate_ratio_method": pl.Series(method.tolist(), dtype=pl.String),
    }
