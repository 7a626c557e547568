"""Time to event, and Kaplan–Meier estimates against lifelines."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from lifelines import KaplanMeierFitter

from pipeline.statistics import survival

DAY = dt.date(2015, 1, 1)


def times_of(time, event, entry, definition="d"):
    return pl.DataFrame(
        {
            "definition": definition,
            "event_type": "CDW",
            "patient_key": range(len(time)),
            "time_days": list(time),
            "entry_days": list(entry),
            "is_event": list(event),
        },
        schema_overrides={"time_days": pl.Int64, "entry_days": pl.Int64},
    )


def groups_of(names):
    """Memberships by the letter of each patient's group."""
    return pl.DataFrame(
        {"patient_key": range(len(names)), "group_key": [ord(name) for name in names]},
        schema={"patient_key": pl.Int64, "group_key": pl.Int64},
    )


@pytest.mark.parametrize("is_truncated", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_estimates_are_those_of_lifelines(seed, is_truncated):
    random = np.random.default_rng(seed)
    size = 400
    time = random.integers(1, 120, size)
    entry = (
        np.where(random.random(size) < 0.4, random.integers(0, 60, size), 0)
        if is_truncated
        else np.zeros(size, int)
    )
    entry = np.minimum(entry, time - 1)
    event = random.random(size) < 0.5
    names = random.choice(["a", "b", "c"], size)
    found = survival.kaplan_meier(times_of(time, event, entry), groups_of(names))
    for name in ("a", "b", "c"):
        own = names == name
        fit = KaplanMeierFitter().fit(time[own], event[own], entry=entry[own] if is_truncated else None)
        table = found.filter((pl.col("group_key") == ord(name)) & (pl.col("events") > 0))
        assert table.height > 20
        days = table["time_days"].to_numpy()
        interval = fit.confidence_interval_survival_function_.loc[days].to_numpy()
        assert table["survival"].to_numpy() == pytest.approx(
            fit.survival_function_.loc[days].to_numpy()[:, 0], abs=1e-12
        )
        counts = fit.event_table.loc[days]
        assert table["events"].to_list() == counts["observed"].to_list()
        assert table["at_risk"].to_list() == (counts["at_risk"] - counts["entrance"]).to_list()
        known = table["ci95_low"].is_not_null().to_numpy()
        assert table["ci95_low"].to_numpy()[known] == pytest.approx(interval[known, 0], abs=1e-10)
        assert table["ci95_high"].to_numpy()[known] == pytest.approx(interval[known, 1], abs=1e-10)


def test_events_before_entry_were_never_watched():
    found = survival.kaplan_meier(times_of([10, 50], [True, True], [20, 20]), groups_of(["a", "a"]))
    assert found.select("time_days", "at_risk", "events", "survival").rows() == [
        (0, 0, 0, 1.0),
        (50, 1, 1, 0.0),
    ]


def test_nobody_to_estimate():
    assert survival.kaplan_meier(times_of([], [], []), groups_of([])).is_empty()
    one = survival.kaplan_meier(times_of([0], [False], [0]), groups_of(["a"]))
    assert one.select("time_days", "at_risk", "survival", "ci95_low").rows() == [(0, 1, 1.0, None)]


class TestTimeToEvent:
    DEFINITIONS = pl.DataFrame(
        {
            "definition": ["first", "every", "first_from_index"],
            "series_start": ["first_visit", "first_visit", "index_baseline"],
            "events": ["first_cdw", "multiple", "first_cdw"],
        }
    )

    def patient(self, name="A", **changes):
        return {
            "patient_key": ord(name),
            "first_visit_date": DAY,
            "last_visit_date": DAY + dt.timedelta(days=1000),
            "index_baseline_date": DAY + dt.timedelta(days=300),
            "first_edss_10_date": None,
            "index_date": DAY + dt.timedelta(days=310),
            "enrolment_date": None,
            "prospective_cohort": None,
            "is_dead": False,
        } | changes

    def run(self, *patients, events=()):
        rows = [
            {
                "definition": d,
                "patient_key": ord("A"),
                "event_number": n,
                "event_type": t,
                "worsening_type": w,
                "event_date": DAY + dt.timedelta(days=day),
            }
            for d, n, t, w, day in events
        ]
        schema = {
            "definition": pl.String, "patient_key": pl.Int64, "event_number": pl.Int64,
            "event_type": pl.String, "worsening_type": pl.String, "event_date": pl.Date,
        }  # fmt: skip
        frame = pl.DataFrame(
            [*patients],
            schema_overrides={"first_edss_10_date": pl.Date, "enrolment_date": pl.Date, "prospective_cohort": pl.String,
                              "index_date": pl.Date, "index_baseline_date": pl.Date, "first_visit_date": pl.Date,
                              "last_visit_date": pl.Date},
        )  # fmt: skip
        table = survival.time_to_event(self.DEFINITIONS, pl.DataFrame(rows, schema=schema), frame)
        return {(row["definition"], row["event_type"]): row for row in table.to_dicts()}

    def test_a_lake_without_patients_has_no_row(self):
        days = ("first_visit", "last_visit", "index_baseline", "first_edss_10", "index", "enrolment")
        texts = {"patient_key": pl.Int64, "prospective_cohort": pl.String}
        patients = pl.DataFrame(
            schema=texts | {f"{name}_date": pl.Date for name in days} | {"is_dead": pl.Boolean}
        )
        events = pl.DataFrame(
            schema=dict.fromkeys(("definition", "event_type", "worsening_type"), pl.String)
            | {"patient_key": pl.Int64, "event_number": pl.Int64, "event_date": pl.Date}
        )
        assert survival.time_to_event(self.DEFINITIONS, events, patients).is_empty()

    def test_every_definition_and_event_type_has_a_row(self):
        assert set(self.run(self.patient())) == {
            ("first", "CDW"), ("every", "CDW"), ("every", "CDI"), ("every", "RAW"), ("every", "PIRA"),
            ("first_from_index", "CDW"),
        }  # fmt: skip

    def test_censored_at_the_last_edss_from_the_start_of_the_series(self):
        rows = self.run(self.patient())
        assert (rows["first", "CDW"]["time_days"], rows["first", "CDW"]["censor_reason"]) == (
            1000,
            "last_edss",
        )
        assert rows["first_from_index", "CDW"]["time_days"] == 700

    def test_the_first_event_of_each_type(self):
        events = [
            ("every", 1, "CDW", "undefined", 100),
            ("every", 2, "CDW", "PIRA", 200),
            ("every", 3, "CDI", None, 400),
        ]
        rows = self.run(self.patient(), events=events)
        assert {kind: rows["every", kind]["time_days"] for kind in ("CDW", "CDI", "RAW", "PIRA")} == {
            "CDW": 100, "CDI": 400, "RAW": 1000, "PIRA": 200,
        }  # fmt: skip
        assert [rows["every", kind]["is_event"] for kind in ("CDW", "RAW")] == [True, False]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"is_dead": True}, "death"),
            ({"first_visit_date": None, "last_visit_date": None, "index_baseline_date": None}, "no_edss"),
            ({"index_date": None, "index_baseline_date": None}, "no_index"),
            ({"index_baseline_date": None}, "no_baseline_edss"),
            ({"index_baseline_date": DAY + dt.timedelta(days=1000)}, "single_edss"),
        ],
    )
    def test_why_there_is_no_event(self, changes, reason):
        assert self.run(self.patient(**changes))["first_from_index", "CDW"]["censor_reason"] == reason

    def test_who_was_treated_before_enrolment_enters_late(self):
        enrolled = {"enrolment_date": DAY + dt.timedelta(days=500)}
        late = self.run(self.patient(prospective_cohort="experienced", **enrolled))
        assert (late["first", "CDW"]["entry_days"], late["first_from_index", "CDW"]["entry_days"]) == (
            500,
            200,
        )
        assert (
            self.run(self.patient(prospective_cohort="naive", **enrolled))["first", "CDW"]["entry_days"] == 0
        )

    def test_edss_10_needs_no_confirmation(self):
        row = self.run(self.patient(is_dead=True, first_edss_10_date=DAY + dt.timedelta(days=1000)))[
            "first", "CDW"
        ]
        assert (row["is_event"], row["is_edss_10"], row["time_days"], row["censor_reason"]) == (
            True,
            True,
            1000,
            None,
        )
