"""The statistics against published numbers and against the libraries that fit one group at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from pipeline import statistics
from pipeline.errors import BuildError
from pipeline.statistics import groups, paired, rates
from pipeline.statistics.run import PARTS, read_input

NO_WINDOWS = {
    "patient_key": pl.Int64,
    "epoch_key": pl.Int64,
    "relapse_definition": pl.String,
    "relapses": pl.Int64,
    "exposure_days": pl.Int64,
}


def counts(relapses, exposure_days, group_key=1) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "group_key": group_key,
            "epoch_key": 1,
            "relapse_definition": "default",
            "relapses": list(map(int, relapses)),
            "exposure_days": list(map(int, exposure_days)),
            "patients": 1,
        }
    )


def members(groups: dict[int, int]) -> pl.DataFrame:
    """So many patients, numbered from 1, in each group."""
    rows = [(patient, group) for group, size in groups.items() for patient in range(1, size + 1)]
    return pl.DataFrame(rows, schema={"patient_key": pl.Int64, "group_key": pl.Int64}, orient="row")


def estimate(counted: pl.DataFrame | None = None, windows: pl.DataFrame | None = None, groups=None):
    none = counts([], [])
    return rates.estimate(
        {
            rates.COUNTS: none if counted is None else counted,
            rates.WINDOWS: pl.DataFrame(schema=NO_WINDOWS) if windows is None else windows,
            rates.MEMBERS: members(groups or {}),
        }
    )


def pairs(before, after, before_days=None, after_days=None) -> dict[str, pl.DataFrame]:
    """Rates of one group before and after; with days of exposure the values are counts."""
    size = len(before)
    if before_days is None:
        values = {
            "before_value": before, "after_value": after, "before_events": [None] * size,
            "before_exposure": [None] * size, "after_events": [None] * size, "after_exposure": [None] * size,
        }  # fmt: skip
    else:
        tb, ta = np.asarray(before_days) / 365.25, np.asarray(after_days) / 365.25
        values = {
            "before_value": np.asarray(before) / tb, "after_value": np.asarray(after) / ta, "before_events": before,
            "before_exposure": tb, "after_events": after, "after_exposure": ta,
        }  # fmt: skip
    types = dict.fromkeys(("before_value", "after_value", "before_exposure", "after_exposure"), pl.Float64)
    frame = pl.DataFrame(
        {"pair_key": [1] * size, "patient_key": list(range(1, size + 1))} | values,
        schema_overrides=types | dict.fromkeys(("before_events", "after_events"), pl.Int64),
    )
    return {paired.PAIRS: frame, paired.MEMBERS: members({1: size})}


@pytest.mark.parametrize(
    ("events", "years", "low", "high"),
    [(224, 320.1, 0.611, 0.798), (157, 652.6, 0.204, 0.281), (0, 10, 0, 0.369)],
)
def test_exact_poisson_intervals_of_affirm_and_of_no_event(events, years, low, high):
    found = rates.poisson_interval(np.array([events]), np.array([years]))
    assert [round(float(bound[0]), 3) for bound in found] == [low, high]


def test_negative_binomial_agrees_with_statsmodels_for_every_group_at_once():
    rng = np.random.default_rng(7)
    frames, expected = [], {}
    for name, alpha in ((1, 1.5), (2, 0.3)):
        days = rng.integers(60, 1500, 120)
        y = rng.poisson(0.7 * days / 365.25 * rng.gamma(1 / alpha, alpha, 120))
        frames.append(counts(y, days, name))
        fit = sm.NegativeBinomial(
            y, np.ones((120, 1)), loglike_method="nb2", exposure=days / 365.25
        ).fit(disp=0, method="newton", maxiter=200)  # fmt: skip
        low, high = fit.conf_int()[0]
        expected[name] = (np.exp(fit.params[0]), np.exp(low), np.exp(high), fit.params[1])
    found = estimate(pl.concat(frames))
    assert found["is_converged"].all()
    for row in found.to_dicts():
        ours = (row["negative_binomial_rate"], row["nb_ci95_low"], row["nb_ci95_high"], row["dispersion"])
        assert ours == pytest.approx(expected[row["group_key"]], rel=1e-5)


@pytest.mark.parametrize(
    ("relapses", "days", "reason"),
    [([0, 0, 0], [365, 400, 500], "no_events"), ([2], [365], "fewer_than_two_patients")],
)
def test_no_negative_binomial_rate_without_its_reason(relapses, days, reason):
    row = estimate(counts(relapses, days)).to_dicts()[0]
    assert row["nb_null_reason"] == reason
    assert not row["is_converged"]
    assert np.isnan(row["negative_binomial_rate"])


def test_without_overdispersion_the_negative_binomial_rate_is_the_pooled_one():
    row = estimate(counts([1] * 20, [365] * 20)).to_dicts()[0]
    assert row["dispersion"] == 0
    assert row["negative_binomial_rate"] == pytest.approx(365.25 / 365)


def test_rows_that_stand_for_several_patients_are_as_good_as_single_ones():
    single = counts([0, 0, 1, 3, 3, 3], [365, 365, 365, 800, 800, 800])
    counted = counts([0, 1, 3], [365, 365, 800]).with_columns(patients=pl.Series([2, 1, 3]))
    one, other = (estimate(frame) for frame in (single, counted))
    numbers = [name for name, kind in rates.SCHEMA.items() if kind == pl.Float64()]
    assert one.select(numbers).row(0) == pytest.approx(other.select(numbers).row(0))


def test_a_large_group_is_fitted_as_exactly_as_a_small_one():
    """Large groups are approached on exposures taken together; the maximum is sought on the exact ones."""
    rng = np.random.default_rng(2)
    size = 4000
    days = rng.integers(60, 2500, size)
    y = rng.poisson(0.4 * days / 365.25 * rng.gamma(1 / 0.8, 0.8, size))
    row = estimate(counts(y, days)).to_dicts()[0]
    fit = sm.NegativeBinomial(
        y, np.ones((size, 1)), loglike_method="nb2", exposure=days / 365.25
    ).fit(disp=0, method="newton", maxiter=200)  # fmt: skip
    low, high = fit.conf_int()[0]
    expected = (np.exp(fit.params[0]), np.exp(low), np.exp(high), fit.params[1])
    found = (row["negative_binomial_rate"], row["nb_ci95_low"], row["nb_ci95_high"], row["dispersion"])
    assert found == pytest.approx(expected, rel=1e-6)


def test_windows_and_memberships_give_what_the_counted_groups_give():
    """Patients without exposure, epochs of their own length, groups that share patients, and tables cut into pieces."""
    rng = np.random.default_rng(4)
    sizes = {10: 90, 11: 40, 12: 7}
    frames, expected = [], []
    for epoch in (101, 102):
        days = rng.integers(0, 900, 90) * (rng.random(90) < 0.9)
        relapses = np.where(days > 0, rng.poisson(days / 400 * rng.gamma(1, 1, 90)), 0)
        window = pl.DataFrame(
            {"patient_key": range(1, 91), "epoch_key": epoch, "relapse_definition": "default",
             "relapses": relapses, "exposure_days": days}
        )  # fmt: skip
        frames.append(window)
        for group, size in sizes.items():
            own = counts(relapses[:size], days[:size], group).with_columns(epoch_key=pl.lit(epoch))
            expected.append(own)
    found = estimate(windows=pl.concat(frames), groups=sizes)
    other = estimate(pl.concat(expected).with_columns(pl.col("epoch_key").cast(pl.Int64)))
    assert found.height == 6
    assert found.select(rates.KEYS).equals(other.select(rates.KEYS))
    numbers = [name for name, kind in rates.SCHEMA.items() if kind == pl.Float64()]
    for one, two in zip(found.select(numbers).rows(), other.select(numbers).rows(), strict=True):
        assert one == pytest.approx(two, rel=1e-9, nan_ok=True)


def test_groups_in_pieces_are_the_same_groups(monkeypatch):
    windows = pl.DataFrame(
        {"patient_key": range(1, 31), "epoch_key": 1, "relapse_definition": "default",
         "relapses": [0, 1, 3] * 10, "exposure_days": [300, 400, 500] * 10}
    )  # fmt: skip
    sizes = {1: 30, 2: 20, 5: 12}
    whole = estimate(windows=windows, groups=sizes)
    monkeypatch.setattr(rates, "CELLS", 1)
    assert estimate(windows=windows, groups=sizes).equals(whole)


def test_paired_tests_agree_with_scipy():
    rng = np.random.default_rng(3)
    before, after = rng.integers(0, 8, 40) / 2.0, rng.integers(0, 6, 40) / 2.0
    row = paired.compare(pairs(before, after)).to_dicts()[0]
    t = stats.ttest_rel(after, before)
    wilcoxon = stats.wilcoxon(after - before, zero_method="wilcox", correction=False, method="asymptotic")
    assert row["p_paired_t"] == pytest.approx(t.pvalue)
    assert row["p_wilcoxon"] == pytest.approx(wilcoxon.pvalue)
    interval = t.confidence_interval()
    assert (row["absolute_change_ci95_low"], row["absolute_change_ci95_high"]) == pytest.approx(
        tuple(interval)
    )


def test_nothing_to_test_is_null():
    row = paired.compare(pairs([1.0, 2.0], [1.0, 2.0])).to_dicts()[0]
    assert np.isnan(row["p_wilcoxon"])
    assert np.isnan(row["p_paired_t"])


def test_rate_ratio_agrees_with_a_gee_clustered_by_patient():
    rng = np.random.default_rng(5)
    size = 60
    before_days, after_days = rng.integers(300, 730, size), rng.integers(200, 1500, size)
    before, after = rng.poisson(1.3 * before_days / 365), rng.poisson(0.6 * after_days / 365)
    row = paired.compare(pairs(before, after, before_days, after_days)).to_dicts()[0]
    y, days = np.concatenate([before, after]), np.concatenate([before_days, after_days])
    design = np.column_stack([np.ones(2 * size), np.repeat([0, 1], size)])
    fit = sm.GEE(
        y, design, groups=np.tile(np.arange(size), 2), family=sm.families.Poisson(),
        offset=np.log(days / 365.25), cov_struct=sm.cov_struct.Independence(),
    ).fit()  # fmt: skip
    low, high = fit.conf_int()[1]
    expected = tuple(np.exp([fit.params[1], low, high]))
    found = (row["rate_ratio"], row["rate_ratio_ci95_low"], row["rate_ratio_ci95_high"])
    assert found == pytest.approx(expected, rel=1e-6)
    assert row["rate_ratio_method"] == "poisson_gee_robust"


def test_a_zero_count_gives_the_conditional_exact_interval_flagged():
    row = paired.compare(pairs([3, 2, 5], [0, 0, 0], [365] * 3, [730] * 3)).to_dicts()[0]
    share = stats.binomtest(0, 10).proportion_ci(method="exact").high
    assert row["rate_ratio"] == 0
    assert row["rate_ratio_ci95_low"] == 0
    assert row["rate_ratio_ci95_high"] == pytest.approx(share / (1 - share) / 2)
    assert row["rate_ratio_method"] == "conditional_exact"
    none = paired.compare(pairs([0, 0], [0, 0], [365] * 2, [365] * 2)).to_dicts()[0]
    assert none["rate_ratio_method"] == "no_events"
    assert np.isnan(none["rate_ratio"])


def compared(samples: dict[str, np.ndarray], groupings: dict[str, str]) -> pl.DataFrame:
    """The tests between the named samples of each grouping."""
    rows, names, belongs, patient = [], [], [], 0
    for grouping, chosen in groupings.items():
        for name in chosen:
            key = len(names) + 1
            names.append((key, "c", grouping, name, True))
            # the same patients in every grouping
            first = sum(len(samples[other]) for other in samples if other < name)
            belongs += [(first + place, key) for place in range(len(samples[name]))]
    for name in sorted(samples):
        for value in samples[name]:
            rows.append((1, patient, 0.0, float(value)))
            patient += 1
    return groups.compare(
        {
            groups.PAIRS: pl.DataFrame(
                rows, schema=["pair_key", "patient_key", "before_value", "after_value"], orient="row"
            ),
            groups.MEMBERS: pl.DataFrame(belongs, schema=["patient_key", "group_key"], orient="row"),
            groups.PAIR_NAMES: pl.DataFrame({"pair_key": [1, 2], "change_metric": ["edss_change", None]}),
            groups.GROUP_NAMES: pl.DataFrame(
                [*names, (99, "c", "all", "all", False)],
                schema=["group_key", "cohort", "grouping", "group_name", "is_compared"],
                orient="row",
            ),
        }
    )


def test_groups_are_compared_as_scipy_and_statsmodels_do():
    rng = np.random.default_rng(11)
    samples = {name: rng.integers(-6, 4, size) / 2 for name, size in (("a", 30), ("b", 22), ("c", 17))}
    rows = compared(samples, {"two": "ab", "three": "abc"}).to_dicts()
    found = {(row["grouping"], row["test"]): row["p_value"] for row in rows}
    assert {row["metric"] for row in rows} == {"edss_change"}
    a, b, c = samples.values()
    assert found["two", "welch_t"] == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert found["two", "mann_whitney"] == pytest.approx(stats.mannwhitneyu(a, b).pvalue)
    assert found["three", "kruskal_wallis"] == pytest.approx(stats.kruskal(a, b, c).pvalue)
    welch = anova_oneway([a, b, c], use_var="unequal", welch_correction=True).pvalue
    assert found["three", "welch_anova"] == pytest.approx(welch)


def test_equal_values_give_no_p_but_a_reason():
    rows = compared({name: np.ones(3) for name in "abd"}, {"g": "abd"}).to_dicts()
    assert len(rows) == 2
    for row in rows:
        assert row["p_value"] is None
        assert row["null_reason"] == "no_variance"


def test_every_derived_table_is_written_empty_and_typed(tmp_path):
    statistics.write_empty(tmp_path)
    for part in PARTS:
        for table in part.tables:
            frame = pl.read_parquet(tmp_path / "derived" / f"{table.name}.parquet")
            assert frame.is_empty()
            assert dict(frame.schema) == table.schema


def test_a_missing_input_says_what_to_build_first(tmp_path):
    with pytest.raises(BuildError, match="build the dbt models tagged statistics_input first"):
        read_input(tmp_path, rates.COUNTS)
