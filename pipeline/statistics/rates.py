"""Group relapse rates: exact Poisson intervals and negative binomial rates. Counts in, estimates out.

Patients of a group who share a number of exposed days, or of relapses, count together: whatever the number of
patients, a group is a few thousand rows, and all groups are fitted at once: some 3,000 fits of statsmodels, which has
one model a group, would take minutes. The tests hold both to the same numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from scipy import special, stats

KEYS = ("group_key", "epoch_key", "relapse_definition")

WINDOWS = "int_outcomes__rate_windows"
MEMBERS = "int_outcomes__memberships"
COUNTS = "int_outcomes__rate_counts"
COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "group_key": (pl.Int64(), "Number of the group (int_outcomes__group_names)."),
    "epoch_key": (pl.Int64(), "Number of epoch and end rule (int_outcomes__epoch_names)."),
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
# Newton is done when no parameter moves by more than this (log rate, log dispersion).
TOLERANCE = 1e-7
ITERATIONS = 200
START_DAYS = 32  # exposures this close together are one for the first approach to the maximum
COARSE_ROWS, COARSE_EVENTS = 300, 100  # groups that are approached so
CELLS = 2**22  # cells of one table groups × days


def poisson_interval(events: np.ndarray, person_years: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact 95 % interval of a Poisson rate (Garwood 1936, by chi-square quantiles); NaN without exposure."""
    events = np.asarray(events, dtype=float)
    exposure = np.where(np.asarray(person_years) > 0, person_years, np.nan)
    low = np.where(events > 0, stats.chi2.ppf(0.025, 2 * np.maximum(events, 0.5)) / 2, 0.0)
    high = stats.chi2.ppf(0.975, 2 * (events + 1)) / 2
    return low / exposure, high / exposure


def estimate(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One row of SCHEMA per group, epoch, end rule and relapse definition.

    WINDOWS and MEMBERS give the definition in use for every group, COUNTS (rows that stand for `patients` patients of
    one group) the others; a group that COUNTS has is read from there alone.
    """
    cells = Cells()
    counts = frames[COUNTS].filter(pl.col("exposure_days") > 0)
    for key, rows in counts.sort(*KEYS, "exposure_days").group_by(KEYS, maintain_order=True):
        cells.add_rows(key, rows)
    members = frames[MEMBERS].filter(~pl.col("group_key").is_in(counts["group_key"].unique().implode()))
    cells.add_windows(frames[WINDOWS], members)
    if not cells.keys:
        return pl.DataFrame(schema=SCHEMA)
    model = _NegativeBinomial(*cells.tables())
    low, high = poisson_interval(model.total(model.events), model.total(model.patients * model.years))
    keys = pl.DataFrame(
        cells.keys,
        schema={"group_key": pl.Int64, "epoch_key": pl.Int64, "relapse_definition": pl.String},
        orient="row",
    )
    return (
        keys.with_columns(ci95_low=pl.Series(low), ci95_high=pl.Series(high))
        .hstack(fit_negative_binomial(model))
        .sort(KEYS)
    )


class Cells:
    """What the likelihood needs of each group: patients, relapses and their squares by days of exposure, and how many
    patients had how many relapses."""

    def __init__(self) -> None:
        self.keys: list[tuple[int, int, str]] = []
        self._sizes: list[np.ndarray] = []
        self._rows: list[tuple[np.ndarray, ...]] = []
        self._histogram: list[tuple[np.ndarray, ...]] = []

    def add_rows(self, key: tuple, rows: pl.DataFrame) -> None:
        """The counts of one group, ordered by exposure."""
        names = ("exposure_days", "relapses", "patients")
        days, relapses, patients = (rows[name].to_numpy().astype(np.int64) for name in names)
        self._add([key], np.zeros(days.size, dtype=np.int64), days, relapses, patients.astype(float))

    def add_windows(self, windows: pl.DataFrame, members: pl.DataFrame) -> None:
        """Patients' windows for every group that a patient is in; a loop over epochs, not over patients."""
        if windows.is_empty() or members.is_empty():
            return
        keys, group = np.unique(members["group_key"].to_numpy(), return_inverse=True)
        order = np.argsort(group, kind="stable")
        group, who = group[order], members["patient_key"].to_numpy()[order]
        patients = max(int(who.max()), windows["patient_key"].max()) + 1
        longest = windows["exposure_days"].max()
        ordered = windows.sort("epoch_key")
        for (definition, epoch), rows in ordered.group_by(
            "relapse_definition", "epoch_key", maintain_order=True
        ):
            days, relapses = np.zeros(patients, dtype=np.int64), np.zeros(patients, dtype=np.int64)
            at = rows["patient_key"].to_numpy()
            days[at], relapses[at] = rows["exposure_days"].to_numpy(), rows["relapses"].to_numpy()
            for part in _chunks(group, max(1, CELLS // (longest + 1))):
                own = who[part]
                exposed = days[own]
                chosen = exposed > 0
                own, exposed = own[chosen], exposed[chosen]
                if own.size:
                    present, number = _numbered(group[part][chosen])
                    named = [(int(keys[at]), epoch, definition) for at in present]
                    self._add(named, number, exposed, relapses[own], None)

    def _add(
        self,
        keys: list[tuple],
        group: np.ndarray,
        days: np.ndarray,
        relapses: np.ndarray,
        weight: np.ndarray | None,
    ) -> None:
        begin = len(self.keys)
        self.keys += keys
        width = int(days.max()) + 1
        cell = group * width + days
        table = [
            np.bincount(cell, values, minlength=len(keys) * width)
            for values in _weighted(weight, None, relapses, relapses * relapses)
        ]
        found = np.flatnonzero(table[0])
        self._sizes.append(np.bincount(found // width, minlength=len(keys)))
        self._rows.append((found % width, *(values[found].astype(float) for values in table)))
        width = int(relapses.max()) + 1
        (patients,) = (
            np.bincount(group * width + relapses, values, minlength=len(keys) * width)
            for values in _weighted(weight, None)
        )
        found = np.flatnonzero(patients)
        self._histogram.append((begin + found // width, found % width, patients[found].astype(float)))

    def tables(self) -> tuple[np.ndarray, tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        """Rows of each group; days, patients, relapses, squares by row; group, relapses, patients of the histogram."""
        return (
            np.concatenate(self._sizes),
            tuple(np.concatenate(part) for part in zip(*self._rows, strict=True)),
            tuple(np.concatenate(part) for part in zip(*self._histogram, strict=True)),
        )


def _numbered(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values of an ascending array, and each element's place among them."""
    is_new = np.append(True, ordered[1:] != ordered[:-1])
    return ordered[is_new], np.cumsum(is_new) - 1


def _weighted(weight: np.ndarray | None, *values: np.ndarray | None) -> Iterator[np.ndarray | None]:
    for value in values:
        yield value if weight is None else weight if value is None else weight * value


def _chunks(group: np.ndarray, groups: int) -> Iterator[slice]:
    """Slices of rows ordered by group, of at most so many groups each."""
    edges = np.searchsorted(group, np.arange(0, int(group[-1]) + groups + 1, groups))
    for begin, end in itertools.pairwise(edges):
        if end > begin:
            yield slice(int(begin), int(end))


def fit_negative_binomial(model: _NegativeBinomial) -> pl.DataFrame:
    """NB2 by maximum likelihood for every group at once: log rate with the log of exposure as offset, dispersion α.

    The variance of a count with mean m is m + α m². The interval is Wald's on the log scale from the observed
    information. Where counts vary no more than Poisson's, the likelihood has its maximum at α = 0: the rate is
    then the pooled one and its interval Poisson's Wald interval. Null, with the reason, for fewer than two
    patients (α cannot be estimated), for no events (the log rate has no maximum) and without convergence.
    """
    fit = model.fit()
    return pl.DataFrame(
        {
            "negative_binomial_rate": fit["rate"],
            "nb_ci95_low": fit["low"],
            "nb_ci95_high": fit["high"],
            "dispersion": fit["dispersion"],
            "is_converged": fit["converged"],
            "nb_null_reason": pl.Series(fit["reason"].tolist(), dtype=pl.String),
        }
    )


class _NegativeBinomial:
    """The likelihood of all groups side by side.

    Everything but the gamma functions is linear in the count, so patients with one exposure are one row (ordered
    by group), and the gamma functions need the histogram of counts alone.
    """

    def __init__(
        self, sizes: np.ndarray, rows: tuple[np.ndarray, ...], histogram: tuple[np.ndarray, ...]
    ) -> None:
        self.days, self.patients, self.events, self.squares = rows
        self.years = self.days / YEAR_DAYS
        self.sizes = sizes
        self.starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
        self.count_group, self.count, self.count_patients = histogram

    def only(self, chosen: np.ndarray) -> _NegativeBinomial:
        """The model of some groups."""
        row = np.repeat(chosen, self.sizes)
        entry = chosen[self.count_group]
        number = np.cumsum(chosen) - 1
        return _NegativeBinomial(
            self.sizes[chosen],
            (self.days[row], self.patients[row], self.events[row], self.squares[row]),
            (number[self.count_group[entry]], self.count[entry], self.count_patients[entry]),
        )

    def coarse(self) -> _NegativeBinomial:
        """The model with like exposures taken together at their mean: close to this one, and much smaller."""
        group = np.repeat(np.arange(self.sizes.size), self.sizes)
        place = (self.days // START_DAYS).astype(np.int64)
        begins = np.flatnonzero(np.append(True, (group[1:] != group[:-1]) | (place[1:] != place[:-1])))
        sums = [
            np.add.reduceat(values, begins)
            for values in (self.days * self.patients, self.patients, self.events, self.squares)
        ]
        rows = (sums[0] / sums[1], *sums[1:])
        sizes = np.bincount(group[begins], minlength=self.sizes.size)
        return _NegativeBinomial(sizes, rows, (self.count_group, self.count, self.count_patients))

    def total(self, rows: np.ndarray) -> np.ndarray:
        """The sum of each group's rows."""
        return np.add.reduceat(rows, self.starts)

    def _sum_of_counts(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.count_group, self.count_patients * values, minlength=len(self.sizes))

    def _spread(self, per_group: np.ndarray) -> np.ndarray:
        return np.repeat(per_group, self.sizes)

    def loglikelihood(self, b: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """Up to a constant, per group."""
        log = np.log1p(self.years * self._spread(alpha * np.exp(b)))
        r = 1 / alpha[self.count_group]
        gammas = self._sum_of_counts(special.gammaln(self.count + r) - special.gammaln(r))
        rows = self.total(self.events * log) + self.total(self.patients * log) / alpha
        return gammas - rows + self.total(self.events) * (np.log(alpha) + b)

    def derivatives(self, b: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, ...]:
        """Gradient and Hessian in (log rate, α), per group; α > 0."""
        n, y = self.patients, self.events
        rate = np.exp(b)
        am = self.years * self._spread(alpha * rate)
        log = np.log1p(am)
        am += 1
        share = self.years * self._spread(rate) / am
        r = 1 / alpha[self.count_group]
        digamma = self._sum_of_counts(special.digamma(self.count + r) - special.digamma(r))
        trigamma = self._sum_of_counts(special.polygamma(1, self.count + r) - special.polygamma(1, r))
        r = 1 / alpha
        # every sum that the derivatives are made of: patients and events by powers of the share and by 1/(1 + αm)
        n_share, y_share = n * share, y * share
        events, logs = self.total(y), self.total(n * log)
        ns, ys = self.total(n_share), self.total(y_share)
        nss, yss = self.total(n_share * share), self.total(y_share * share)
        y_am = y / am
        n_share /= am
        gb = self.total(y_am) - ns
        ga = -(r**2) * digamma + events * r + r**2 * logs - ys - r * ns
        hbb = -self.total(n_share) - alpha * self.total(y_am * share)
        hba = nss - self.total(y_am * share)
        haa = (
            2 * r**3 * digamma + r**4 * trigamma - events * r**2 - 2 * r**3 * logs
            + 2 * r**2 * ns + yss + r * nss
        )  # fmt: skip
        return gb, ga, hbb, hba, haa

    def fit(self) -> dict[str, np.ndarray]:
        events, years = self.total(self.events), self.total(self.patients * self.years)
        patients = self.total(self.patients)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            rate = events / years
            b = np.log(np.where(events > 0, rate, 1.0))
            mean = self.years * self._spread(np.exp(b))
            # the slope of the likelihood in α at α = 0 is half of this: not positive, no overdispersion
            excess = self.total(self.squares - (2 * mean + 1) * self.events + self.patients * mean**2)
            has_fit = (events > 0) & (patients >= 2)
            interior = has_fit & (excess > 1e-9 * events)
            alpha = np.clip(np.where(interior, excess / self.total(self.patients * mean**2), 1.0), 1e-3, 50.0)
            # a first approach where the likelihood has a clear maximum; in small groups it may have several
            large = interior & (self.sizes >= COARSE_ROWS) & (events >= COARSE_EVENTS)
            b, alpha, _ = self.coarse().maximise(b, alpha, large)
            b, alpha, converged = self.maximise(b, alpha, interior)
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

    def maximise(
        self, b: np.ndarray, alpha: np.ndarray, active: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Newton in (log rate, log α) with halved steps where the likelihood would fall; groups leave when done."""
        b, alpha, converged = b.copy(), alpha.copy(), ~active
        left = np.flatnonzero(active)
        if not left.size:
            return b, alpha, converged
        model = self if active.all() else self.only(active)
        own_b, theta = b[left], np.log(alpha[left])
        value = model.loglikelihood(own_b, np.exp(theta))
        for _ in range(ITERATIONS):
            step_b, step_t, concave = model.step(own_b, np.exp(theta))
            for _halving in range(30):
                trial = model.loglikelihood(own_b + step_b, np.exp(theta + step_t))
                worse = ~(trial >= value - 1e-9 * np.abs(value))
                if not worse.any():
                    break
                step_b, step_t = np.where(worse, step_b / 2, step_b), np.where(worse, step_t / 2, step_t)
            own_b, theta, value = own_b + step_b, theta + step_t, trial
            b[left], alpha[left] = own_b, np.exp(theta)
            done = (np.abs(step_b) < TOLERANCE) & (np.abs(step_t) < TOLERANCE) & concave
            converged[left[done]] = True
            if done.all():
                break
            if done.any():
                model = model.only(~done)
                left, own_b, theta, value = left[~done], own_b[~done], theta[~done], value[~done]
        return b, alpha, converged

    def step(self, b: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Newton's step in (log rate, log α), at most 2 each, and whether the surface is concave there."""
        gb, ga, hbb, hba, haa = self.derivatives(b, alpha)
        gt, hbt, htt = ga * alpha, hba * alpha, haa * alpha**2 + ga * alpha
        determinant = hbb * htt - hbt**2
        concave = (determinant > 0) & (hbb < 0)
        step_b = np.where(concave, -(htt * gb - hbt * gt) / determinant, -gb / hbb)
        # uphill along log α where the surface is not concave there
        step_t = np.where(concave, -(hbb * gt - hbt * gb) / determinant, np.sign(gt))
        return np.clip(step_b, -2, 2), np.clip(step_t, -2, 2), concave
