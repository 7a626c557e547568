"""Non-compartmental analysis of serum profiles, all profiles at once. Frames in, frames out.

domain.md gives the rules (linear up / log down; samples below quantification; λz by best adjusted R²). They are
those of PKNCA, whose answers the tests compare within 1e-6; docs/disability.md says where a rule differs.
The only loops run over sample positions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

PROFILE = ("cohort", "patient_id", "first_dose_at")
BEST_R2 = (
    1e-4  # fits whose adjusted R² is this close to the best count as equal: the one with most points wins
)
LEAST_POINTS = 3

COLUMNS: dict[str, tuple[pl.DataType, str]] = {
    "cohort": (pl.String(), "Cohort."),
    "patient_id": (pl.String(), "Pseudonym of the patient."),
    "first_dose_at": (pl.Datetime("us"), "First dose of the profile."),
    "unit": (pl.String(), "Unit of the concentrations, as given."),
    "samples": (pl.Int64(), "Samples of the profile from the first dose on."),
    "cmax": (pl.Float64(), "Highest concentration."),
    "tmax_h": (pl.Float64(), "Hours from the first dose to it."),
    "auc_last": (pl.Float64(), "Area under the curve up to the last quantifiable sample."),
    "auc_infinity": (pl.Float64(), "Area extrapolated to infinity."),
    "half_life_h": (pl.Float64(), "Terminal half-life, hours."),
    "lambda_z": (pl.Float64(), "Terminal rate constant, 1/h."),
    "lambda_z_points": (pl.Int64(), "Samples that it was fitted to."),
    "adjusted_r2": (pl.Float64(), "Adjusted R² of that fit."),
    "null_reason": (pl.String(), "Why an area or the half-life is missing."),
}


def profiles(samples: pl.DataFrame) -> pl.DataFrame:
    """One row for each profile.

    Args:
        samples: `cohort, patient_id, first_dose_at, time_h, concentration, unit, is_below_quantification,
            lower_limit`, any order. A concentration of 0, one flagged as below quantification, and one under its
            lower limit count as 0; those after a quantifiable sample and before another are dropped. Samples before
            the first dose, and rows without time or concentration (unless flagged), are left out. Samples
            of one time are averaged.
    """
    schema = {name: kind for name, (kind, _) in COLUMNS.items()}
    clean = _clean(samples)
    if not clean.height:
        return pl.DataFrame(schema=schema)
    own = clean.select(PROFILE).unique().sort(PROFILE).with_row_index("profile")
    clean = clean.join(own, on=PROFILE, how="left").sort("profile", "time_h")
    time, concentration, width = _matrices(clean, own.height)
    facts = _analyse(*_drop_middle(time, concentration), width)
    described = clean.group_by("profile", maintain_order=True).agg(
        unit=pl.col("unit").drop_nulls().first(),
        units=pl.col("unit").drop_nulls().n_unique(),
        samples=pl.len(),
    )
    names = [
        "cmax",
        "tmax_h",
        "auc_last",
        "auc_infinity",
        "half_life_h",
        "lambda_z",
        "lambda_z_points",
        "adjusted_r2",
    ]
    is_mixed = pl.col("units") > 1
    return (
        own.hstack(pl.DataFrame(facts).with_columns(pl.selectors.float().fill_nan(None)))
        .join(described, on="profile", how="left", maintain_order="left")
        .with_columns(
            *[pl.when(~is_mixed).then(name).alias(name) for name in names],
            unit=pl.when(~is_mixed).then("unit"),
            null_reason=pl.when(is_mixed).then(pl.lit("mixed_units")).otherwise("null_reason"),
        )
        .select(schema.keys())
        .cast(schema)
    )


def _clean(samples: pl.DataFrame) -> pl.DataFrame:
    is_low = pl.col("is_below_quantification").fill_null(False) | (
        pl.col("concentration") < pl.col("lower_limit")
    ).fill_null(False)
    return (
        samples.with_columns(value=pl.when(is_low).then(0.0).otherwise("concentration"))
        .filter(pl.col("time_h") >= 0, pl.col("value").is_not_null(), pl.col("first_dose_at").is_not_null())
        .group_by(*PROFILE, "time_h")
        .agg(value=pl.col("value").mean(), unit=pl.col("unit").drop_nulls().sort().first())
    )


def _matrices(clean: pl.DataFrame, height: int) -> tuple[np.ndarray, np.ndarray, int]:
    profile = clean["profile"].to_numpy().astype(np.int64)
    count = np.bincount(profile, minlength=height)
    column = np.arange(profile.size) - np.repeat(np.cumsum(count) - count, count)
    width = int(count.max())
    time, concentration = np.full((height, width), np.nan), np.full((height, width), np.nan)
    time[profile, column] = clean["time_h"].to_numpy()
    concentration[profile, column] = clean["value"].to_numpy()
    return time, concentration, width


def _drop_middle(time: np.ndarray, concentration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out zeros between quantifiable samples and close the gaps, so that neighbours are neighbours."""
    positive = concentration > 0
    before = np.cumsum(positive, axis=1) > 0
    after = np.cumsum(positive[:, ::-1], axis=1)[:, ::-1] > 0
    is_kept = ~np.isnan(concentration) & ~((concentration == 0) & before & after)
    order = np.argsort(~is_kept, axis=1, kind="stable")
    kept = np.take_along_axis(is_kept, order, axis=1)
    pick = [
        np.where(kept, np.take_along_axis(values, order, axis=1), np.nan) for values in (time, concentration)
    ]
    return pick[0], pick[1]


def _analyse(time: np.ndarray, concentration: np.ndarray, width: int) -> Mapping[str, np.ndarray]:
    rows = np.arange(time.shape[0])
    filled = np.where(np.isnan(concentration), -1.0, concentration)
    at_max = filled.argmax(axis=1)  # the first of several
    cmax = filled[rows, at_max]
    is_any = cmax > 0
    tmax = np.where(is_any, time[rows, at_max], np.nan)
    positive = filled > 0
    last = np.where(is_any, width - 1 - positive[:, ::-1].argmax(axis=1), -1)
    has_zero = time[:, 0] == 0

    auc_last = np.where(has_zero, _area(time, filled, last), np.nan)
    fit = _terminal(time, filled, positive, tmax, last)
    clast = np.where(is_any, filled[rows, np.maximum(last, 0)], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        auc_infinity = auc_last + clast / fit["lambda_z"]
        half_life = np.log(2) / fit["lambda_z"]
    reason = np.select(
        [~is_any, ~has_zero, fit["points"] < LEAST_POINTS, np.isnan(fit["lambda_z"])],
        [
            "all_below_quantification",
            "no_sample_at_time_0",
            "fewer_than_3_samples_after_tmax",
            "terminal_phase_not_falling",
        ],
        "",
    )
    return {
        "cmax": cmax,
        "tmax_h": tmax,
        "auc_last": auc_last,
        "auc_infinity": auc_infinity,
        "half_life_h": half_life,
        "lambda_z": fit["lambda_z"],
        "lambda_z_points": fit["lambda_z_points"],
        "adjusted_r2": fit["adjusted_r2"],
        "null_reason": pl.Series(reason).replace("", None),
    }


def _area(time: np.ndarray, value: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Trapezoids up to the last quantifiable sample: linear where the curve rises, logarithmic where it falls."""
    if time.shape[1] < 2:
        return np.zeros(time.shape[0])
    step = np.diff(time, axis=1)
    first, second = value[:, :-1], value[:, 1:]
    falls = (second < first) & (second > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        logarithmic = step * (first - second) / np.log(np.where(falls, first / second, np.e))
    parts = np.where(falls, logarithmic, step * (first + second) / 2)
    inside = np.arange(1, time.shape[1])[None, :] <= last[:, None]
    return np.where(inside, parts, 0.0).sum(axis=1)


def _terminal(
    time: np.ndarray, value: np.ndarray, positive: np.ndarray, tmax: np.ndarray, last: np.ndarray
) -> dict[str, np.ndarray]:
    """λz: log-linear fits to the last 3, 4 … quantifiable samples after Tmax, chosen by adjusted R²."""
    height, width = time.shape
    with np.errstate(invalid="ignore"):
        usable = positive & (time > tmax[:, None])
    points = usable.sum(axis=1)
    slopes = np.full((height, width + 1), np.nan)
    scores = np.full((height, width + 1), np.nan)
    # Times counted from the last sample: sums of squares of large numbers lose digits.
    origin = time[np.arange(height), np.maximum(last, 0)]
    x = np.where(usable, time - origin[:, None], 0.0)
    y = np.where(usable, np.log(np.where(usable, value, 1.0)), 0.0)
    rank = np.cumsum(usable[:, ::-1], axis=1)[:, ::-1]  # 1 for the last usable sample
    for number in range(LEAST_POINTS, int(points.max(initial=0)) + 1):
        some = np.flatnonzero(points >= number)
        chosen = usable[some] & (rank[some] <= number)
        xs, ys = np.where(chosen, x[some], 0.0), np.where(chosen, y[some], 0.0)
        xd = np.where(chosen, xs - (xs.sum(axis=1) / number)[:, None], 0.0)
        yd = np.where(chosen, ys - (ys.sum(axis=1) / number)[:, None], 0.0)
        sxx, sxy, syy = (xd * xd).sum(axis=1), (xd * yd).sum(axis=1), (yd * yd).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes[some, number] = -sxy / sxx
            # Equal concentrations have no R²; a flat end is no terminal phase.
            r2 = np.where(syy > 0, sxy * sxy / (sxx * syy), np.nan)
        scores[some, number] = 1 - (1 - r2) * (number - 1) / (number - 2)
    best = np.where(np.isnan(scores), -np.inf, scores).max(axis=1)
    with np.errstate(invalid="ignore"):
        good = (scores > (best - BEST_R2)[:, None]) & (slopes > 0)
    most = np.where(good, np.arange(width + 1), 0).max(axis=1)
    rows, found = np.arange(height), most > 0
    return {
        "points": points,
        "lambda_z": np.where(found, slopes[rows, most], np.nan),
        "lambda_z_points": pl.Series(np.where(found, most, 0)).replace(0, None).to_numpy(),
        "adjusted_r2": np.where(found, scores[rows, most], np.nan),
    }
