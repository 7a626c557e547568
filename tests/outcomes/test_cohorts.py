"""The marts of the outcomes over invented cohorts: golden numbers, sums, what must not change, impossible input.

One file on purpose: the warehouse of all scenarios is built once for each file that asks for it.
"""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.outcomes import slides
from tests.outcomes.slides import HUNTER_2011_CHANGES

GROUP = ["grouping", "group_name"]
TABLES = {
    "annualized_relapse_rates": [*GROUP, "epoch", "end_rule"],
    "before_after": [*GROUP, "metric", "before_epoch", "after_epoch"],
    "summary": [*GROUP, "metric", "time_point"],
    "group_comparisons": ["grouping", "metric", "test"],
    "edss_shift": [*GROUP, "baseline_edss", "follow_up_edss"],
    "rate_sensitivity": ["epoch", "end_rule", "relapse_definition", "minimum_exposure_days"],
}


def table(outcomes, name: str, cohort: str) -> pl.DataFrame:
    frame = outcomes.sql(f"select * from outcomes.{name} where cohort = '{cohort}'").drop("cohort")
    return frame.sort(TABLES[name]) if name in TABLES else frame


def one(outcomes, query: str) -> dict:
    rows = outcomes.sql(query).to_dicts()
    assert len(rows) == 1, rows
    return rows[0]


def test_no_relapse_in_ten_person_years(outcomes):
    row = one(
        outcomes,
        "select * from outcomes.annualized_relapse_rates where cohort = 'no_relapse' and grouping = 'all' "
        "and epoch = 'post_index' and end_rule = 'last_contact'",
    )
    assert row["person_years"] == pytest.approx(3650 / 365.25)
    assert (row["arr_pooled_per_year"], row["ci95_low"]) == (0, 0)
    assert row["ci95_high"] == pytest.approx(0.369, abs=5e-4)
    assert row["nb_null_reason"] == "no_events"
    assert row["negative_binomial_rate"] is None


def test_hunter_2011_from_its_parts(outcomes):
    row = one(
        outcomes,
        "select * from outcomes.summary where cohort = 'hunter_2011' and grouping = 'all' "
        "and metric = 'edss_change' and time_point = 'last'",
    )
    assert (row["n"], row["improved"], row["stable"], row["worsened"]) == (55, 30, 18, 7)
    assert row["mean"] == pytest.approx(sum(HUNTER_2011_CHANGES) / 55)
    assert round(row["mean"], 2) == -0.75
    assert pytest.approx(-0.74, abs=0.005) == (30 * -1.5 + 7 * 0.6) / 55
    assert (row["median"], row["min"], row["max"]) == (-0.5, -4.0, 1.0)
    assert row["p_paired_t"] < 0.0001


@pytest.mark.parametrize(
    ("group", "metric", "statistic"),
    [
        ("improved", "edss_change_class", "count"),
        ("worsened", "edss_change_class", "count"),
        ("stable", "edss_change_class", "count"),
        ("improved", "edss_change_class", "percent"),
        ("improved", "edss_change", "mean"),
        ("worsened", "edss_change", "mean"),
        ("worsened", "edss_change", "median"),
        ("all", "edss_change", "median"),
        ("all", "edss_change", "p_paired_t"),
        ("all", "patients", "count"),
        ("female", "patients", "count"),
        ("courses_3", "courses", "count"),
        ("courses_2", "courses", "count"),
        ("courses_1", "courses", "count"),
    ],
)
def test_the_published_comparison_agrees_where_the_cohort_is_built_so(outcomes, group, metric, statistic):
    row = one(
        outcomes,
        "select * from outcomes.published_comparison where cohort = 'hunter_2011' and analysis = 'hunter_2011' "
        f"and group_name = '{group}' and metric = '{metric}' and statistic = '{statistic}'",
    )
    assert row["status"] == "agrees", row


def test_every_published_figure_has_a_status_for_every_treated_cohort(outcomes):
    found = outcomes.sql(
        "select cohort, count(*) as figures, count(distinct status) as kinds, count(status) as given "
        "from outcomes.published_comparison group by cohort"
    )
    assert set(found["figures"]) == {217}
    assert found["given"].to_list() == found["figures"].to_list()
    assert {"untreated", "unborn"}.isdisjoint(found["cohort"])


def test_sums_reconcile(outcomes):
    changes = outcomes.sql(
        "select * from outcomes.summary where metric like '%_change' and n <> improved + stable + worsened"
    )
    assert changes.is_empty()
    sizes = outcomes.sql(
        "select g.cohort, g.grouping, count(*) as members, count(distinct g.patient_key) as patients, "
        "(select count(*) from outcomes.patients p where p.cohort = g.cohort and p.index_date is not null) as n "
        "from intermediate.int_outcomes__groups g where g.is_exclusive group by g.cohort, g.grouping"
    )
    assert not sizes.is_empty()
    assert sizes.filter((pl.col("members") != pl.col("n")) | (pl.col("patients") != pl.col("n"))).is_empty()
    shift = outcomes.sql(
        "select s.cohort, sum(s.patients) as patients, max(m.n) as n from outcomes.edss_shift s "
        "join outcomes.summary m using (cohort, grouping, group_name) "
        "where m.metric = 'edss_change' and m.time_point = 'last' and s.grouping = 'all' group by s.cohort"
    )
    assert (shift["patients"].cast(pl.Int64) == shift["n"]).all()


def test_rates_reconcile_with_the_patients_epochs(outcomes):
    rows = outcomes.sql(
        "select r.cohort, r.epoch, r.end_rule, r.relapses, r.person_years, r.n_patient_mean, r.median, "
        "sum(p.relapses) as own_relapses, sum(p.exposure_days) / 365.25 as own_years, "
        "count(p.arr_per_year) as own_n, quantile_cont(p.arr_per_year, 0.5) as own_median, "
        "r.sd, stddev_samp(p.arr_per_year) as own_sd "
        "from outcomes.annualized_relapse_rates r join outcomes.patient_epochs p using (cohort, epoch, end_rule) "
        "where r.grouping = 'all' and r.cohort <> 'untold' group by all"
    )
    assert rows.height > 100
    for left, right in (
        ("relapses", "own_relapses"), ("person_years", "own_years"), ("n_patient_mean", "own_n"),
        ("median", "own_median"), ("sd", "own_sd"),
    ):  # fmt: skip
        assert rows[left].cast(pl.Float64).to_list() == pytest.approx(
            rows[right].cast(pl.Float64).to_list(), nan_ok=True
        ), left


@pytest.mark.parametrize("cohort", ["shuffled", "renamed", "shifted"])
@pytest.mark.parametrize("name", TABLES)
def test_row_order_names_and_a_shift_of_four_years_change_nothing(outcomes, cohort, name):
    assert_frame_equal(table(outcomes, name, "base"), table(outcomes, name, cohort), rel_tol=1e-8)


@pytest.mark.parametrize("cohort", ["shuffled", "shifted"])
def test_patients_stay_what_they_are(outcomes, cohort):
    def patients(which: str) -> pl.DataFrame:
        frame = table(outcomes, "patients", which)
        return frame.drop(n for n in frame.columns if n.endswith("_date") or n.startswith("observed")).sort(
            "patient_id"
        )

    assert_frame_equal(patients("base"), patients(cohort))


def test_a_cohort_split_in_two_adds_up(outcomes):
    whole = table(outcomes, "annualized_relapse_rates", "base")
    halves = pl.concat([table(outcomes, "annualized_relapse_rates", half) for half in ("half_a", "half_b")])
    added = halves.group_by(TABLES["annualized_relapse_rates"]).agg(
        pl.col("patients", "relapses", "person_years").sum()
    )
    both = whole.join(added, on=TABLES["annualized_relapse_rates"], suffix="_added")
    assert both.height > 500
    for name in ("patients", "relapses", "person_years"):
        assert both[name].to_list() == pytest.approx(both[f"{name}_added"].to_list())


def test_every_patient_twice_leaves_rates_and_narrows_intervals(outcomes):
    keys = TABLES["annualized_relapse_rates"]
    both = table(outcomes, "annualized_relapse_rates", "base").join(
        table(outcomes, "annualized_relapse_rates", "doubled"), on=keys, suffix="_twice"
    )
    assert both.height == table(outcomes, "annualized_relapse_rates", "base").height
    rated = both.filter(pl.col("arr_pooled_per_year").is_not_null())
    assert rated["arr_pooled_per_year"].to_list() == pytest.approx(
        rated["arr_pooled_per_year_twice"].to_list()
    )
    assert rated["median"].drop_nulls().to_list() == pytest.approx(
        rated["median_twice"].drop_nulls().to_list()
    )
    width = rated["ci95_high"] - rated["ci95_low"]
    assert (rated["ci95_high_twice"] - rated["ci95_low_twice"] < width).all()
    assert (rated["patients_twice"] == 2 * rated["patients"]).all()


def test_an_untreated_patient_is_listed_and_in_no_metric(outcomes):
    patient = one(outcomes, "select * from outcomes.patients where cohort = 'untreated'")
    assert patient["index_date"] is None
    reason = one(outcomes, "select * from outcomes.exclusions where cohort = 'untreated'")
    assert (reason["metric"], reason["reason"]) == ("all", "no_index_therapy")
    assert outcomes.sql("select * from outcomes.summary where cohort = 'untreated'").is_empty()


def test_an_index_before_birth_is_no_index(outcomes):
    reason = one(outcomes, "select * from outcomes.exclusions where cohort = 'unborn'")
    assert reason["reason"] == "index_before_birth"
    assert one(outcomes, "select * from outcomes.patients where cohort = 'unborn'")["index_date"] is None


def test_edss_after_death_is_no_follow_up(outcomes):
    patient = one(outcomes, "select * from outcomes.patients where cohort = 'dead'")
    assert (patient["last_edss"], patient["follow_up_days"]) == (4.5, 300)


def test_follow_up_of_zero_days(outcomes):
    patient = one(outcomes, "select * from outcomes.patients where cohort = 'no_follow_up'")
    assert (patient["follow_up_days"], patient["edss_change"]) == (0, None)
    epoch = one(
        outcomes,
        "select * from outcomes.patient_epochs where cohort = 'no_follow_up' and epoch = 'post_index' "
        "and end_rule = 'last_contact'",
    )
    assert (epoch["exposure_days"], epoch["arr_per_year"], epoch["arr_null_reason"]) == (
        1,
        None,
        "short_exposure",
    )
    empty = one(
        outcomes,
        "select * from outcomes.annualized_relapse_rates where cohort = 'no_follow_up' and grouping = 'all' "
        "and epoch = 'year_2' and end_rule = 'last_contact'",
    )
    assert (empty["arr_pooled_per_year"], empty["arr_null_reason"], empty["ci95_high"]) == (
        None,
        "no_exposure",
        None,
    )
    reasons = outcomes.sql(
        "select metric, reason from outcomes.exclusions where cohort = 'no_follow_up'"
    ).rows()
    assert ("edss_change", "no_follow_up_edss") in reasons


def test_relapses_and_adverse_events_that_were_never_delivered_are_no_zeros(outcomes):
    """A cohort without these tables has no rate of 0, no PIRA (it cannot be told from RAW), and no safety."""
    epochs = outcomes.sql(
        "select * from outcomes.patient_epochs where cohort = 'untold' and exposure_days > 90"
    )
    assert epochs["relapses"].null_count() == epochs["arr_per_year"].null_count() == epochs.height > 0
    assert epochs["arr_null_reason"].unique().to_list() == ["relapses_not_delivered"]
    assert not epochs.filter(pl.col("is_neda3").fill_null(False)).height
    rates = outcomes.sql("select * from outcomes.annualized_relapse_rates where cohort = 'untold'")
    assert rates["patients"].sum() == rates["person_years"].sum() == 0
    assert "relapses_not_delivered" in rates["arr_null_reason"].to_list()
    assert rates["arr_pooled_per_year"].null_count() == rates.height
    assert outcomes.sql(
        "select * from outcomes.rate_sensitivity where cohort = 'untold' and patients > 0"
    ).is_empty()
    assert outcomes.sql("select * from outcomes.safety where cohort = 'untold'").is_empty()
    reasons = outcomes.sql(
        "select distinct reason from outcomes.exclusions where cohort = 'untold' and metric = 'arr_per_year' "
        "and time_point = 'post_index'"
    )
    assert reasons["reason"].to_list() == ["relapses_not_delivered"]
    events = outcomes.sql("select * from outcomes.disability_events where cohort = 'untold'")
    assert events.filter(pl.col("definition") == "msprog_default")["event_date"].len() == 1
    assert events["worsening_type"].null_count() == events.height
    times = outcomes.sql("select * from outcomes.time_to_event where cohort = 'untold'")
    types = times.filter(pl.col("event_type").is_in(["RAW", "PIRA"]))
    assert types["censor_reason"].unique().to_list() == ["relapses_not_delivered"]
    assert types["time_days"].null_count() == types.height > 0
    assert times.filter(pl.col("event_type") == "CDW", pl.col("is_event")).height > 0


def test_two_edss_on_one_day_resolve_to_the_higher(outcomes):
    patient = one(outcomes, "select * from outcomes.patients where cohort = 'conflict'")
    assert (patient["baseline_edss"], patient["last_edss"]) == (5.0, 3.0)


def test_one_patient_has_no_standard_deviation(outcomes):
    row = one(
        outcomes,
        "select * from outcomes.annualized_relapse_rates where cohort = 'one_patient' and grouping = 'all' "
        "and epoch = 'pre_index_24m' and end_rule = 'last_contact'",
    )
    assert (row["patients"], row["relapses"], row["sd"]) == (1, 2, None)
    assert row["nb_null_reason"] == "fewer_than_two_patients"


def test_partial_dates_alone_still_give_every_answer_or_its_reason(outcomes):
    patient = one(outcomes, "select * from outcomes.patients where cohort = 'partial'")
    assert patient["index_date"] is not None
    assert patient["onset_precision"] == "month"
    assert patient["baseline_edss"] == 4.0


def test_nobody_vanishes(outcomes):
    """A patient with an index stands in a metric or is excluded from it with a reason."""
    lost = outcomes.sql(
        "select p.cohort, p.patient_id, m.metric from outcomes.patients p "
        "cross join (values ('edss_change'), ('msss_change'), ('baseline_edss')) as m(metric) "
        "left join outcomes.exclusions e on e.cohort = p.cohort and e.patient_id = p.patient_id "
        "and (e.metric = 'all' or (e.metric = m.metric and e.time_point in ('last', 'baseline'))) "
        "where e.reason is null and case m.metric when 'edss_change' then p.edss_change "
        "when 'msss_change' then p.msss_change else p.baseline_edss end is null"
    )
    assert lost.is_empty()
    reasons = outcomes.sql("select count(*) as n from outcomes.exclusions where reason is null")
    assert reasons["n"][0] == 0
    epochs = outcomes.sql(
        "select p.cohort, p.patient_id, p.epoch, p.end_rule from outcomes.patient_epochs p "
        "left join outcomes.exclusions e on e.cohort = p.cohort and e.patient_id = p.patient_id "
        "and e.metric in ('arr_per_year', 'all') and coalesce(e.time_point, p.epoch) = p.epoch "
        "where p.arr_per_year is null and e.reason is null"
    )
    assert epochs.is_empty()


def test_who_is_in_a_summary_and_who_is_not_adds_up_to_the_treated(outcomes):
    """Children's severity, an EDSS beside its change, and pairs (their own test above) apart."""
    open_accounts = outcomes.sql(
        "with treated as (select cohort, count(*) as treated from outcomes.patients where index_date is not null group by cohort), "
        "missing as (select cohort, metric, time_point, count(distinct patient_id) as missing from outcomes.exclusions "
        "where end_rule is null or end_rule = 'last_contact' group by all) "
        "select s.cohort, s.metric, s.time_point, s.n, m.missing, t.treated from outcomes.summary s "
        "join treated t using (cohort) left join missing m using (cohort, metric, time_point) "
        "where s.grouping = 'all' and s.metric not in ('ped_msss', 'ped_msss_change', 'edss', 'arr_change', "
        "'follow_up_lunar_months', 'follow_up_months', 'best_edss', 'worst_edss') "
        "and s.n + coalesce(m.missing, 0) <> t.treated"
    )
    assert open_accounts.rows() == []


def test_no_number_is_nan(outcomes):
    for name in TABLES:
        frame = outcomes.sql(f"select * from outcomes.{name}")
        numbers = frame.select(pl.col(pl.Float64))
        assert not any(column.is_nan().any() or column.is_infinite().any() for column in numbers), name


@pytest.mark.parametrize("name", slides.GROUPS)
def test_the_cohort_has_the_printed_table_without_any_help_of_remit(name):
    found = slides.recomputed(slides.group(name))
    for key, (printed, tolerance) in slides.figures(name).items():
        assert found[key] == pytest.approx(printed, abs=tolerance + 1e-9), key


@pytest.mark.parametrize("name", slides.GROUPS)
def test_the_marts_give_the_table_back(outcomes, name):
    rows = outcomes.sql(
        "select metric, statistic, cohort_value, cohort_n, status from outcomes.published_comparison "
        f"where cohort = 'slides_{name}' and analysis = '{slides.ANALYSIS}' and group_name = '{name}'"
    ).to_dicts()
    assert len(rows) == len(slides.figures(name))
    recomputed = slides.recomputed(slides.group(name))
    for row in rows:
        key = row["metric"], row["statistic"]
        assert row["status"] == "agrees", key
        assert row["cohort_value"] == pytest.approx(recomputed[key], abs=1e-9), key
        assert row["cohort_n"] == recomputed["patients", "count"]
