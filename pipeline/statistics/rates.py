"""Group relapse rates: exact Poisson intervals and negative binomial rates. Counts in, estimates out.

Input rows stand for the patients of a group who share a number of relapses and of exposed days (`patients` of
them), so that 100,000 patients are a few thousand rows and all groups are fitted at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import special, stats

NAMES = ("cohort", "grouping", "group_name", "epoch", "end_rule", "relapse_definition")
# dbt's numbers for the same: grouping a million rows by six strings takes several times as long
KEYS = ("group_key", "epoch_key", "relapse_definition")

INPUT = "int_outcomes__rate_counts"
COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "cohort": (pl.String(), "The cohort: its folder's name in the inbox."),
    "grouping": (pl.String(), "How patients are grouped."),
    "group_name": (pl.String(), "The group."),
    "epoch": (pl.String(), "The epoch."),
    "end_rule": (pl.String(), "What ends the follow-up."),
    "relapse_definition": (pl.String(), "What counts as one relapse."),
    "ci95_low": (pl.Float64(), "Lower bound of the pooled rate's exact Poisson interval, per year."),
    "ci95_high": (pl.Float64(), "Upper bound of the pooled rate's exact Poisson interval, per year."),
    "negative_binomial_rate": (pl.Float64(), "Rate per year by the negative binomial model."),
    "nb_ci95_low": (pl.Float64(), "Lower bound of its Wald interval on the log scale, per year."),
    "nb_ci95_high": (pl.Float64(), "Upper bound of its Wald interval on the log scale, per year."),
    "dispersion": (pl.Float64(), "Estimated alpha: the variance of a count with mean m is m + alpha m²."),
    "is_converged": (pl.Boolean(), "Whether the maximum of the likelihood was found."),
    "nb_null_reason": (pl.String(), "Why there is no negative binomial rate."),
}
SCHEMA: dict[str, pl.DataType] = {name: kind for name, (kind, _) in COLUMNS.items()}

YEAR_DAYS = 365.25
Z95 = stats.norm.ppf(0.975)
# Newton is done when no parameter moves by more than this (log rate, dispersion).
TOLERANCE = 1e-10
ITERATIONS = 200


def poisson_interval(events: np.ndarray, person_years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact 95 % interval of a Poisson rate (Garwood 1936, by chi-square quantiles); NaN without exposure."""
    events = np.asarray(events, dtype=float)
    exposure = np.where(np.asarray(person_years) > 0, person_years, np.nan)
    low = np.where(events > 0, stats.chi2.ppf(0.025, 2 * np.maximum(events, 0.5)) / 2, 0.0)
    high = stats.chi2.ppf(0.975, 2 * (events + 1)) / 2
    return low / exposure, high / exposure


def estimate(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The counts of INPUT → one row of SCHEMA per group, epoch, end rule and relapse definition."""
    counts = frames[INPUT]
    if counts.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    counts = counts.with_columns(
        pl.col("exposure_days", "relapses", "patients").cast(pl.Float64),
        pl.col("relapse_definition").cast(pl.Categorical),
    ).filter(pl.col("exposure_days") > 0)
    groups = counts.group_by(*KEYS).agg(
        pl.col(*(name for name in NAMES if name not in KEYS)).first(),
        events=(pl.col("relapses") * pl.col("patients")).sum(),
        person_years=(pl.col("exposure_days") * pl.col("patients")).sum() / YEAR_DAYS,
    )
    low, high = poisson_interval(groups["events"].to_numpy(), groups["person_years"].to_numpy())
    return (
        groups.with_columns(ci95_low=pl.Series(low), ci95_high=pl.Series(high))
        .join(fit_negative_binomial(counts), on=KEYS)
        .with_columns(pl.col("relapse_definition").cast(pl.String))
        .sort(*NAMES)
    )


def fit_negative_binomial(counts: pl.DataFrame) -> pl.DataFrame:
    """NB2 by maximum likelihood for every group at once: log rate with the log of exposure as offset, dispersion α.

    The variance of a count with mean m is m + α m². The interval is Wald's on the log scale from the observed
    information. Where counts vary no more than Poisson's, the likelihood has its maximum at α = 0: the rate is
    then the pooled one and its interval Poisson's Wald interval. Null, with the reason, for fewer than two
    patients (α cannot be estimated), for no events (the log rate has no maximum) and without convergence.

    Args:
        counts: KEYS with `relapses`, `exposure_days` > 0 and `patients` as floats.
    """
    exposures = (
        counts.group_by(*KEYS, "exposure_days")
        .agg(
            patients=pl.col("patients").sum(),
            events=(pl.col("patients") * pl.col("relapses")).sum(),
            squares=(pl.col("patients") * pl.col("relapses") ** 2).sum(),
        )
        .sort(*KEYS, "exposure_days")
    )
    sizes = exposures.group_by(*KEYS, maintain_order=True).len().with_row_index("group")
    histogram = (
        counts.group_by(*KEYS, "relapses")
        .agg(patients=pl.col("patients").sum())
        .join(sizes.select("group", *KEYS), on=KEYS)
    )
    model = _NegativeBinomial(exposures, sizes["len"].to_numpy(), histogram)
    fit = model.fit()
    return sizes.select(KEYS).with_columns(
        negative_binomial_rate=pl.Series(fit["rate"]),
        nb_ci95_low=pl.Series(fit["low"]),
        nb_ci95_high=pl.Series(fit["high"]),
        dispersion=pl.Series(fit["dispersion"]),
        is_converged=pl.Series(fit["converged"]),
        nb_null_reason=pl.Series(fit["reason"].tolist(), dtype=pl.String),
    )


class _NegativeBinomial:
    """The likelihood of all groups side by side.

    Everything but the gamma functions is linear in the count, so patients with one exposure are one row
    (`exposures`, sorted by group), and the gamma functions need the `histogram` of counts alone.
    """

    def __init__(self, exposures: pl.DataFrame, sizes: np.ndarray, histogram: pl.DataFrame):
        self.years = exposures["exposure_days"].to_numpy() / YEAR_DAYS
        self.patients = exposures["patients"].to_numpy()
        self.events = exposures["events"].to_numpy()
        self.squares = exposures["squares"].to_numpy()
        self.sizes = sizes
        self.starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
        self.count_group = histogram["group"].to_numpy()
        self.count = histogram["relapses"].to_numpy()
        self.count_patients = histogram["patients"].to_numpy()

    def _sum(self, rows: np.ndarray) -> np.ndarray:
        return np.add.reduceat(rows, self.starts)

    def _sum_of_counts(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.count_group, self.count_patients * values, minlength=len(self.sizes))

    def _spread(self, per_group: np.ndarray) -> np.ndarray:
        return np.repeat(per_group, self.sizes)

    def loglikelihood(self, b: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """Up to a constant, per group."""
        a = self._spread(alpha)
        log = np.log1p(a * self.years * self._spread(np.exp(b)))
        r = 1 / alpha[self.count_group]
        gammas = self._sum_of_counts(special.gammaln(self.count + r) - special.gammaln(r))
        rows = -(self.events + self.patients / a) * log
        return gammas + self._sum(rows) + self._sum(self.events) * (np.log(alpha) + b)

    def derivatives(self, b: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, ...]:
        """Gradient and Hessian in (log rate, α), per group; α > 0."""
        n, y, a = self.patients, self.events, self._spread(alpha)
        m = self.years * self._spread(np.exp(b))
        am = 1 + a * m
        share, log = m / am, np.log(am)
        r = 1 / alpha[self.count_group]
        digamma = self._sum_of_counts(special.digamma(self.count + r) - special.digamma(r))
        trigamma = self._sum_of_counts(special.polygamma(1, self.count + r) - special.polygamma(1, r))
        r = 1 / alpha
        events, logs = self._sum(y), self._sum(n * log)
        total = self._sum((y + n / a) * share)
        gb = self._sum((y - n * m) / am)
        ga = -(r**2) * digamma + events * r + r**2 * logs - total
        hbb = self._sum(-share * (n + a * y) / am)
        hba = self._sum(-share * (y - n * m) / am)
        haa = (
            2 * r**3 * digamma + r**4 * trigamma - events * r**2 - 2 * r**3 * logs
            + 2 * r**2 * self._sum(n * share) + self._sum((y + n / a) * share**2)
        )  # fmt: skip
        return gb, ga, hbb, hba, haa

    def fit(self) -> dict[str, np.ndarray]:
        events, years = self._sum(self.events), self._sum(self.patients * self.years)
        patients = self._sum(self.patients)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rate = events / years
            b = np.log(np.where(events > 0, rate, 1.0))
            mean = self.years * self._spread(np.exp(b))
            # the slope of the likelihood in α at α = 0 is half of this: not positive, no overdispersion
            excess = self._sum(self.squares - (2 * mean + 1) * self.events + self.patients * mean**2)
            has_fit = (events > 0) & (patients >= 2)
            interior = has_fit & (excess > 1e-9 * events)
            alpha = np.clip(np.where(interior, excess / self._sum(self.patients * mean**2), 1.0), 1e-3, 50.0)
            b, alpha, converged = self._maximise(b, alpha, interior)
            _, _, hbb, hba, haa = self.derivatives(b, alpha)
            variance = np.where(interior, -haa / (hbb * haa - hba**2), 1 / events)
        alpha = np.where(interior, alpha, 0.0)
        good = has_fit & (converged | ~interior) & (variance > 0)
        spread = Z95 * np.sqrt(np.where(good, variance, np.nan))
        reason = np.select(
            [patients < 2, events == 0, ~good],
            ["fewer_than_two_patients", "no_events", "not_converged"],
            default="",
        )
        return {
            "rate": np.where(good, np.exp(b), np.nan),
            "low": np.exp(np.where(good, b, np.nan) - spread),
            "high": np.exp(np.where(good, b, np.nan) + spread),
            "dispersion": np.where(good, alpha, np.nan),
            "converged": good,
            "reason": np.array([text or None for text in reason], dtype=object),
        }

    def _maximise(
        self, b: np.ndarray, alpha: np.ndarray, active: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Newton in (log rate, log α) with halved steps where the likelihood would fall."""
        theta = np.log(alpha)
        converged = ~active
        value = self.loglikelihood(b, alpha)
        for _ in range(ITERATIONS):
            if converged.all():
                break
            gb, ga, hbb, hba, haa = self.derivatives(b, alpha)
            gt, hbt, htt = ga * alpha, hba * alpha, haa * alpha**2 + ga * alpha
            determinant = hbb * htt - hbt**2
            concave = (determinant > 0) & (hbb < 0)
            step_b = np.where(concave, -(htt * gb - hbt * gt) / determinant, -gb / hbb)
            # uphill along log α where the surface is not concave there
            step_t = np.where(concave, -(hbb * gt - hbt * gb) / determinant, np.sign(gt))
            step_b, step_t = np.clip(step_b, -2, 2), np.clip(step_t, -2, 2)
            step_b, step_t = np.where(converged, 0, step_b), np.where(converged, 0, step_t)
            for _halving in range(30):
                trial = self.loglikelihood(b + step_b, np.exp(theta + step_t))
                worse = ~(trial >= value - 1e-9 * np.abs(value)) & ~converged
                if not worse.any():
                    break
                step_b, step_t = np.where(worse, step_b / 2, step_b), np.where(worse, step_t / 2, step_t)
            b, theta = b + step_b, theta + step_t
            alpha = np.exp(theta)
            value = self.loglikelihood(b, alpha)
            small = (np.abs(step_b) < TOLERANCE * 1e3) & (np.abs(step_t) < TOLERANCE * 1e3)
            converged |= small & concave
        return b, alpha, converged
