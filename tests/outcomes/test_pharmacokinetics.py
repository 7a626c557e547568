"""Non-compartmental analysis against PKNCA's answers, and its rules one by one."""

import datetime as dt
import math

import polars as pl
import pytest

from pipeline.statistics import pharmacokinetics

FIRST = dt.datetime(2020, 1, 1, 9)
PEER = {
    "cmax": "cmax", "tmax": "tmax_h", "auclast": "auc_last", "aucinf.obs": "auc_infinity",
    "half.life": "half_life_h", "lambda.z": "lambda_z", "lambda.z.n.points": "lambda_z_points",
    "adj.r.squared": "adjusted_r2",
}  # fmt: skip


def samples_of(*rows, patient="A", **common):
    frame = pl.DataFrame(
        [{"patient_id": patient, "time_h": float(t), "concentration": None if c is None else float(c)} | more
         for t, c, *rest in rows for more in [rest[0] if rest else {}]],
        infer_schema_length=None,
    )  # fmt: skip
    defaults = {
        "cohort": pl.lit("test"), "first_dose_at": pl.lit(FIRST), "unit": pl.lit("ng/mL"),
        "is_below_quantification": pl.lit(None, dtype=pl.Boolean), "lower_limit": pl.lit(None, dtype=pl.Float64),
    }  # fmt: skip
    missing = [value.alias(name) for name, value in defaults.items() if name not in frame.columns]
    return frame.with_columns(*missing).with_columns(pl.col("concentration").cast(pl.Float64))


def profile(*rows, **common):
    return pharmacokinetics.profiles(samples_of(*rows, **common)).row(0, named=True)


@pytest.mark.parametrize("name", ["alem_like", "indometh", "theoph"])
def test_answers_of_pknca(shared, name):
    folder = shared / "cohorts/oracles/nca"
    given = pl.read_csv(
        folder / f"{name}_input.csv", schema_overrides={"Subject": pl.String}, null_values="NA"
    )
    answers = pl.read_csv(
        folder / f"{name}_pknca.csv", null_values="NA", schema_overrides={"Subject": pl.String}
    )
    samples = given.select(
        cohort=pl.lit("test"),
        patient_id="Subject",
        first_dose_at=pl.lit(FIRST),
        time_h=pl.col("Time").cast(pl.Float64),
        concentration=pl.col("conc").cast(pl.Float64),
        unit=pl.lit("ng/mL"),
        is_below_quantification=pl.lit(None, dtype=pl.Boolean),
        lower_limit=pl.lit(None, dtype=pl.Float64),
    )
    found = {row["patient_id"]: row for row in pharmacokinetics.profiles(samples).to_dicts()}
    compared = 0
    for subject, parameter, value in answers.select("Subject", "PPTESTCD", "PPORRES").iter_rows():
        if parameter in PEER:
            own = found[subject][PEER[parameter]]
            assert own == (None if value is None else pytest.approx(value, rel=1e-6)), (subject, parameter)
            compared += 1
    assert compared == 8 * given["Subject"].n_unique()


def test_linear_up_and_logarithmic_down():
    row = profile((0, 0), (1, 8), (2, 4), (3, 2), (4, 1))
    assert row["auc_last"] == pytest.approx(4 + (4 + 2 + 1) / math.log(2))
    assert (row["cmax"], row["tmax_h"]) == (8, 1)
    assert row["half_life_h"] == pytest.approx(1)
    assert row["auc_infinity"] == pytest.approx(row["auc_last"] + 1 / math.log(2))
    assert (row["lambda_z_points"], row["null_reason"]) == (3, None)


def test_the_first_of_two_equal_peaks():
    assert profile((0, 0), (1, 8), (2, 8), (3, 4), (4, 2), (5, 1))["tmax_h"] == 1


def test_below_quantification_first_and_last_are_zero_and_middle_is_dropped():
    low = {"is_below_quantification": True}
    row = profile((0, None, low), (1, 8), (2, None, low), (3, 2), (4, 1), (5, 0.5), (6, None, low))
    assert row["auc_last"] == pytest.approx(4 + 2 * 6 / math.log(4) + 1.5 / math.log(2))
    assert row["lambda_z_points"] == 3
    under_limit = {"lower_limit": 3.0}
    assert profile((0, 0), (1, 8), (2, 2, under_limit), (3, 4))["auc_last"] == pytest.approx(
        4 + 2 * 4 / math.log(2)
    )


def test_a_missing_value_is_dropped():
    assert profile((0, 0), (1, 8), (2, None), (3, 2))["auc_last"] == pytest.approx(4 + 2 * 6 / math.log(4))


def test_without_a_sample_at_time_0_there_is_no_area():
    row = profile((-1, 0), (1, 8), (2, 4), (3, 2), (4, 1))
    assert (row["auc_last"], row["auc_infinity"], row["null_reason"]) == (None, None, "no_sample_at_time_0")
    assert row["half_life_h"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (((0, 0), (1, 0), (2, 0)), "all_below_quantification"),
        (((0, 0), (1, 8), (2, 4), (3, 2)), "fewer_than_3_samples_after_tmax"),
        (((0, 0), (1, 8), (2, 1), (3, 2), (4, 4)), "terminal_phase_not_falling"),
        (((0, 0), (1, 8), (2, 4), (3, 4), (4, 4)), "terminal_phase_not_falling"),
    ],
)
def test_why_there_is_no_half_life(rows, reason):
    row = profile(*rows)
    assert (row["half_life_h"], row["auc_infinity"], row["null_reason"]) == (None, None, reason)


def test_units_that_differ_give_no_numbers():
    row = profile((0, 0), (1, 8, {"unit": "ng/mL"}), (2, 4, {"unit": "ug/mL"}), (3, 2))
    assert (row["cmax"], row["unit"], row["null_reason"]) == (None, None, "mixed_units")


def test_profiles_do_not_touch_each_other_and_their_order_does_not_matter():
    long = [(hour, 100 * 0.9**hour) for hour in range(20)]
    both = pl.concat([samples_of(*long), samples_of((0, 0), (1, 8), (2, 4), (3, 2), (4, 1), patient="B")])
    found = pharmacokinetics.profiles(both.sample(fraction=1, shuffle=True, seed=1))
    alone = pharmacokinetics.profiles(samples_of((0, 0), (1, 8), (2, 4), (3, 2), (4, 1), patient="B"))
    assert found.filter(pl.col("patient_id") == "B").equals(alone)
    assert found.filter(pl.col("patient_id") == "A")["lambda_z"].item() == pytest.approx(-math.log(0.9))


def test_no_samples():
    empty = pharmacokinetics.profiles(samples_of((0, 1)).head(0))
    assert dict(empty.schema) == {name: kind for name, (kind, _) in pharmacokinetics.COLUMNS.items()}
