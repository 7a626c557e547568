"""The disability marts from end to end: cohorts as clinics bring them through dbt, the statistics step and dbt again."""

import datetime as dt

import polars as pl
import pytest

from pipeline import statistics
from tests.support import disability_peers as peers
from tests.support.warehouse import Warehouse

MARTS = (
    "disability_events", "time_to_event", "survival", "mri", "safety", "cognition_and_quality_of_life",
    "pharmacokinetics", "lymphocytes", "antidrug_antibodies",
)  # fmt: skip


def patient(name, **more):
    return {"patient_id": name, "sex": "female", "birth_date": "1985-05-05"} | more


def dose(name, day, number=1):
    first = dt.date.fromisoformat(day)
    return [
        {
            "patient_id": name,
            "drug": "Lemtrada",
            "drug_inn": "alemtuzumab",
            "infusion_date": first + dt.timedelta(days=n),
            "dose_mg": 12.0,
        }
        for n in range(number)
    ]


def edss(name, *visits):
    return [{"patient_id": name, "visit_date": day, "edss": float(value)} for day, value in visits]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("disability"))
    awkward, onsets = peers.awkward_cohort(40, 3)
    ids = awkward["id"].unique().sort().to_list()
    warehouse.cohort(
        "awkward",
        patients=[patient(name) for name in ids],
        edss=[{"patient_id": a, "visit_date": b, "edss": c} for a, b, c in awkward.iter_rows()],
        relapses=[{"patient_id": a, "onset_date": b} for a, b in onsets.iter_rows()],
        infusions=[row for name in ids for row in dose(name, "2014-06-01")],
    )
    # a clinic's ugly cases, one patient each
    warehouse.cohort(
        "ugly",
        patients=[
            patient("no_edss"),
            patient("untreated"),
            patient("partial"),
            patient("conflict"),
            patient("dead", death_date="2018-01-01"),
            patient("edss_10", death_date="2018-06-01"),
            patient("one_day", last_contact_date="2016-01-01"),
            patient("late_index"),
            patient("experienced", enrolment_date="2017-01-01"),
            patient("pseudo"),
        ],
        edss=[
            *edss("untreated", ("2015-01-01", 2), ("2015-06-01", 3), ("2015-12-01", 3)),
            *edss("partial", ("2015", 2), ("2016-03", 3), ("2017-03", 3)),
            *edss("conflict", ("2015-12-01", 2), ("2016-06-01", 3), ("2016-06-01", 2), ("2016-12-01", 3)),
            *edss("dead", ("2015-12-01", 2), ("2016-06-01", 2), ("2019-01-01", 9)),
            *edss("edss_10", ("2015-12-01", 6), ("2016-06-01", 6), ("2018-06-01", 10)),
            *edss("one_day", ("2016-01-01", 2)),
            *edss("late_index", ("2010-01-01", 2), ("2010-06-01", 3), ("2010-12-01", 3)),
            *edss("experienced", ("2015-12-01", 2), ("2016-06-01", 2), ("2018-06-01", 3), ("2019-01-01", 3)),
            *edss("pseudo", ("2015-12-01", 2), ("2016-06-01", 3), ("2016-12-01", 3)),
        ],
        relapses=[
            {"patient_id": "pseudo", "onset_date": "2016-05-20", "is_pseudo_relapse": True},
            {"patient_id": "partial", "onset_date": "2016"},
        ],
        infusions=[
            row
            for name in ("no_edss", "partial", "conflict", "dead", "edss_10", "one_day", "late_index", "experienced", "pseudo")
            for row in dose(name, "2016-01-01", 5)
        ],
        adverse_events=[{"patient_id": "dead", "term": "Fever", "onset_date": "2016", "is_serious": True}],
        pk_samples=[
            {"patient_id": "dead", "first_dose_at": dt.datetime(2016, 1, 1, 9), "time_h": 1.0, "concentration": 5.0}
        ],
        assessments=[
            {"patient_id": name, "assessed_on": day, "instrument": instrument, "scale": "seconds", "value": value}
            for name, day, values in (
                ("conflict", "2015-12-01", (4.0, 20.0, 50.0)),
                ("dead", "2015-12-01", (6.0, 25.0, 40.0)),
                ("conflict", "2016-12-01", (6.0, 25.0, 50.0)),
            )
            for instrument, value in zip(("T25FW", "9HPT", "PASAT"), values, strict=True)
        ],
    )  # fmt: skip
    warehouse.cohort("alone", patients=[patient("only")], edss=edss("only", ("2015-01-01", 4)))
    warehouse.cohort("untouched", patients=[patient("a"), patient("b")])
    statistics.write_empty(warehouse.lake)
    warehouse.build("+tag:statistics_input", commands=("seed", "run"))
    statistics.run(warehouse.lake)
    warehouse.build(
        "+path:models/marts/outcomes/disability +int_outcomes__neda3",
        commands=("seed", "run"),
        exclude="+tag:statistics_input",
    )
    return warehouse


def times(warehouse, name, definition="msprog_default", event_type="CDW"):
    return warehouse.sql(
        f"select * from outcomes.time_to_event where patient_id = '{name}' "
        f"and definition = '{definition}' and event_type = '{event_type}'"
    ).row(0, named=True)


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_is_there(warehouse, mart):
    assert warehouse.sql(f"select count(*) as n from outcomes.{mart}")["n"][0] >= (
        0 if mart in ("mri", "lymphocytes", "antidrug_antibodies") else 1
    )


def test_the_mart_holds_what_the_search_finds(warehouse):
    visits, onsets = peers.frames(*peers.awkward_cohort(40, 3))
    rule = peers.definitions()["msprog_multiple_roving"]
    from pipeline.statistics import disability

    expected = disability.search(visits, onsets, peers.no_starts(), [rule]).drop("cohort")
    found = warehouse.sql(
        "select * exclude (cohort) from outcomes.disability_events "
        "where cohort = 'awkward' and definition = 'msprog_multiple_roving' order by patient_id, event_number"
    )
    assert expected.height > 5
    assert found.equals(expected)


def test_no_patient_vanishes_from_time_to_event(warehouse):
    missing = warehouse.sql(
        "select count(*) as n from (select distinct definition, event_type from outcomes.time_to_event) as asked "
        "cross join staging.stg_cohort__patients as p left join outcomes.time_to_event as t "
        "using (definition, event_type, cohort, patient_id) where t.is_event is null"
    )
    assert missing["n"][0] == 0
    bare = warehouse.sql(
        "select count(*) as n from outcomes.time_to_event where not is_event and censor_reason is null"
    )
    assert bare["n"][0] == 0


@pytest.mark.parametrize(
    ("name", "definition", "reason"),
    [
        ("no_edss", "msprog_default", "no_edss"),
        ("untreated", "msprog_default_from_index", "no_index"),
        ("late_index", "msprog_default_from_index", "no_baseline_edss"),
        ("only", "msprog_default", "single_edss"),
        ("dead", "msprog_default", "death"),
        ("one_day", "care_ms_6m", "single_edss"),
    ],
)
def test_why_a_patient_has_no_event(warehouse, name, definition, reason):
    assert times(warehouse, name, definition)["censor_reason"] == reason


def test_an_edss_after_death_is_no_event(warehouse):
    assert times(warehouse, "dead")["time_days"] == 183


def test_edss_10_is_an_event_without_confirmation(warehouse):
    row = times(warehouse, "edss_10")
    assert (row["is_event"], row["is_edss_10"]) == (True, True)


def test_the_higher_of_two_edss_on_one_day(warehouse):
    assert times(warehouse, "conflict")["is_event"]


def test_a_pseudo_relapse_makes_no_raw(warehouse):
    found = warehouse.sql(
        "select worsening_type from outcomes.disability_events where patient_id = 'pseudo' and definition = 'msprog_default'"
    )
    assert found["worsening_type"].to_list() == ["PIRA"]


def test_who_was_treated_before_enrolment_enters_late(warehouse):
    assert times(warehouse, "experienced", "msprog_default_from_index")["entry_days"] == 397
    assert times(warehouse, "conflict", "msprog_default_from_index")["entry_days"] == 0


def test_survival_starts_with_everyone_and_falls(warehouse):
    curve = warehouse.sql(
        "select * from outcomes.survival where cohort = 'awkward' and definition = 'msprog_default' and "
        "grouping = 'all' order by time_days"
    )
    assert curve["survival"][0] == 1
    assert curve["survival"].is_sorted(descending=True)
    events = warehouse.sql(
        "select count(*) as n from outcomes.time_to_event where cohort = 'awkward' and definition = 'msprog_default' and is_event"
    )
    assert curve["events"].sum() == events["n"][0] > 0


def test_a_partial_onset_that_could_be_treatment_emergent_counts_and_is_shown(warehouse):
    row = warehouse.sql(
        "select * from outcomes.safety where cohort = 'ugly' and grouping = 'all' and kind = 'TESAE' and course_number = 0"
    ).row(0, named=True)
    assert (row["events"], row["events_of_uncertain_onset"], row["patients_with_event"]) == (1, 0, 1)


def test_a_profile_without_a_sample_at_time_0_says_so(warehouse):
    row = warehouse.sql("select * from outcomes.pharmacokinetics").row(0, named=True)
    assert (row["cmax"], row["auc_last"], row["null_reason"]) == (5.0, None, "no_sample_at_time_0")


def test_msfc_is_the_mean_of_three_z_scores_against_the_cohorts_own_baseline(warehouse):
    found = warehouse.sql(
        "select patient_id, time_point, value, change_from_baseline from outcomes.cognition_and_quality_of_life "
        "where instrument = 'MSFC' and scale = 'z_score_own_cohort' order by patient_id, assessed_on_date"
    )
    half = 0.5**0.5  # z of two values: plus and minus
    assert found["patient_id"].to_list() == ["conflict", "conflict", "dead"]
    assert found["value"].to_list() == pytest.approx([half, -half / 3, -half])
    assert found["change_from_baseline"].to_list() == [None, pytest.approx(-4 * half / 3), None]


def test_every_epoch_is_judged_or_says_why_not(warehouse):
    rows = warehouse.sql("select is_neda3, reason from intermediate.int_outcomes__neda3")
    assert rows.height > 100
    assert rows.filter(
        pl.col("is_neda3").is_not_null() & (pl.col("is_neda3") == pl.col("reason").is_not_null())
    ).is_empty()
    assert rows.filter(pl.col("is_neda3").is_null() & pl.col("reason").is_null()).is_empty()
