"""Group relapse rates: exact Poisson intervals and negative binomial rates. Counts in, estimates out.

Input rows stand for the patients of a group who share a number of relapses and of exposed days (`patients` of
them), so that 100,000 patients are a few thousand rows and all groups are fitted at once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import special, stats

KEYS = ("cohort", "grouping", "group_name", "epoch", "end_rule", "relapse_definition")

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
    counts = counts.with_columns(pl.col("exposure_days", "relapses", "patients").cast(pl.Float64)).sort(
        *KEYS, "exposure_days", "relapses"
    )
    groups = counts.group_by(*KEYS, maintain_order=True).agg(
        events=(pl.col("relapses") * pl.col("patients")).filter(pl.col("exposure_days") > 0).sum(),
        person_years=(pl.col("exposure_days") * pl.col("patients")).sum() / YEAR_DAYS,
    )
    low, high = poisson_interval(groups["events"].to_numpy(), groups["person_years"].to_numpy())
    exposed = counts.filter(pl.col("exposure_days") > 0)
    fitted = fit_negative_binomial(exposed)
    return groups.with_columns(ci95_low=low, ci95_high=high).join(
        fitted, on=KEYS, how="left", nulls_equal=True
    ).with_columns(
        is_converged=pl.col("is_converged").fill_null(False),
        nb_null_reason=pl.when(pl.col("is_converged").is_null())
        .then(pl.lit("no_exposure"))
        .otherwise("nb_null_reason"),
    )  # fmt: skip


def fit_negative_binomial(counts: pl.DataFrame) -> pl.DataFrame:
    """NB2 by maximum likelihood for every group at once: log rate with the log of exposure as offset, dispersion α.

    The variance of a count with mean m is m + α m². The interval is Wald's on the log scale from the observed
    information. Where counts vary no more than Poisson's, the likelihood has its maximum at α = 0: the rate is
    then the pooled one and its interval Poisson's Wald interval. Null, with the reason, for fewer than two
    patients (α cannot be estimated), for no events (the log rate has no maximum) and without convergence.

    Args:
        counts: sorted by KEYS, `relapses`, `exposure_days` > 0 and `patients` as floats.
    """
    if counts.is_empty():
        return pl.DataFrame(
            schema={name: kind for name, kind in SCHEMA.items() if name not in ("ci95_low", "ci95_high")}
        )
    sizes = counts.group_by(*KEYS, maintain_order=True).len()
    starts = np.concatenate(([0], np.cumsum(sizes["len"].to_numpy())[:-1])).astype(np.int64)
    model = _NegativeBinomial(
        counts["relapses"].to_numpy(),
        counts["exposure_days"].to_numpy() / YEAR_DAYS,
        counts["patients"].to_numpy(),
        starts,
    )
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
    """The likelihood of all groups side by side; `starts` are the first rows of the groups."""

    def __init__(self, y: np.ndarray, exposure: np.ndarray, weight: np.ndarray, starts: np.ndarray):
        self.y, self.exposure, self.weight, self.starts = y, exposure, weight, starts
        self.sizes = np.diff(np.append(starts, len(y)))

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(self.weight * values, self.starts)

    def _spread(self, per_group: np.ndarray) -> np.ndarray:
        return np.repeat(per_group, self.sizes)

    def loglikelihood(self, b: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """Up to a constant, per group."""
        a, m = self._spread(alpha), self.exposure * np.exp(self._spread(b))
        r = 1 / a
        rows = (
            special.gammaln(self.y + r) - special.gammaln(r) + self.y * np.log(a * m)
            - (self.y + r) * np.log1p(a * m)
        )  # fmt: skip
        return self._sum(rows)

    def derivatives(self, b: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, ...]:
        """Gradient and Hessian in (log rate, α), per group; α > 0."""
        y, a = self.y, self._spread(alpha)
        m = self.exposure * np.exp(self._spread(b))
        r, am = 1 / a, 1 + a * m
        digamma = special.digamma(y + r) - special.digamma(r)
        trigamma = special.polygamma(1, y + r) - special.polygamma(1, r)
        log = np.log(am)
        gb = self._sum((y - m) / am)
        ga = self._sum(-(r**2) * digamma + y / a + r**2 * log - (y + r) * m / am)
        hbb = self._sum(-m * (1 + a * y) / am**2)
        hba = self._sum(-m * (y - m) / am**2)
        haa = self._sum(
            2 * r**3 * digamma + r**4 * trigamma - y / a**2
            - 2 * r**3 * log + 2 * r**2 * m / am + (y + r) * (m / am) ** 2
        )  # fmt: skip
        return gb, ga, hbb, hba, haa

    def fit(self) -> dict[str, np.ndarray]:
        events, years = self._sum(self.y), self._sum(self.exposure)
        patients = np.add.reduceat(self.weight, self.starts)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rate = events / years
            b = np.log(np.where(events > 0, rate, 1.0))
            mean = self.exposure * np.exp(self._spread(b))
            # the slope of the likelihood in α at α = 0 is half of this: not positive, no overdispersion
            excess = self._sum((self.y - mean) ** 2 - self.y)
            has_fit = (events > 0) & (patients >= 2)
            interior = has_fit & (excess > 1e-9 * events)
            alpha = np.clip(np.where(interior, excess / self._sum(mean**2), 1.0), 1e-3, 50.0)
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
