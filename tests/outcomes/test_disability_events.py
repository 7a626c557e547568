"""The rules of confirmed disability events, one short invented course at a time."""

import datetime as dt

import polars as pl
import pytest

from pipeline.errors import BuildError
from pipeline.statistics import disability
from pipeline.statistics.disability_definitions import CONFIRMATION_COLUMNS, DEFINITION_COLUMNS, parse
from tests.support import disability_peers as peers

ORIGIN = dt.date(2015, 1, 1)
DEFINITIONS = peers.definitions()


def day(number):
    return ORIGIN + dt.timedelta(days=number)


def visits_of(*rows, patient="A"):
    return pl.DataFrame(
        [{"cohort": "test", "patient_id": patient, "visit_date": day(d), "edss": float(e)} for d, e in rows]
    )


def onsets_of(*days, patient="A"):
    return pl.DataFrame(
        [{"cohort": "test", "patient_id": patient, "onset_date": day(d)} for d in days],
        schema={"cohort": pl.String, "patient_id": pl.String, "onset_date": pl.Date},
    )


def starts_of(number, patient="A"):
    return pl.DataFrame([{"cohort": "test", "patient_id": patient, "index_baseline_date": day(number)}])


def found(definition, *visits, onsets=(), start=None):
    """Events as short tuples: type, class, day, value, day and value of the reference, confirming days."""
    rule = DEFINITIONS[definition]
    starts = peers.no_starts() if start is None else starts_of(start)
    events = disability.search(visits_of(*visits), onsets_of(*onsets), starts, [rule])
    short = []
    for (_, *_rest), group in events.group_by("event_number", "event_type", maintain_order=True):
        row = group.row(0, named=True)
        short.append(
            (
                row["event_type"],
                row["worsening_type"],
                (row["event_date"] - ORIGIN).days,
                row["event_value"],
                (row["baseline_date"] - ORIGIN).days,
                row["baseline_value"],
                *[d and (d - ORIGIN).days for d in group["confirmation_date"].to_list()],
            )
        )
    return short


@pytest.mark.parametrize(
    ("baseline", "value", "is_event"),
    [
        (0, 1, False),
        (0, 1.5, True),
        (0.5, 1.5, True),
        (5, 5.5, False),
        (5, 6, True),
        (5.5, 6, True),
        (9.5, 10, True),
    ],
)
def test_thresholds_of_the_msprog_family(baseline, value, is_event):
    assert bool(found("msprog_default", (0, baseline), (100, value), (200, value))) == is_event


@pytest.mark.parametrize(("gap", "is_event"), [(76, False), (77, True), (814, True), (815, False)])
def test_confirmation_is_sought_from_7_days_early_to_730_late(gap, is_event):
    assert bool(found("msprog_default", (0, 2), (100, 3), (100 + gap, 3))) == is_event


def test_tolerance_of_30_days_early_without_an_end():
    events = found("msprog_multiple_roving_12_24w", (0, 2), (100, 3), (154, 3), (238, 3), (3000, 3))
    assert events == [("CDW", "PIRA", 100, 3, 0, 2, 154, 238)]
    assert found("msprog_multiple_roving_12_24w", (0, 2), (100, 3), (153, 3), (3000, 3))[0][-2:] == (
        3000,
        3000,
    )


def test_the_change_must_hold_at_relapse_visits_too():
    # day 150 lies in a relapse and so cannot confirm, but it breaks the run; day 200 starts anew
    visits = [(0, 2), (100, 3), (150, 2.5), (200, 3), (300, 3)]
    assert [event[2] for event in found("msprog_default", *visits, onsets=[145])] == [200]


def test_a_visit_in_a_relapse_can_begin_an_event_but_not_confirm_it():
    assert found("msprog_default", (0, 2), (100, 3), (190, 3), (220, 3), onsets=[95, 185]) == [
        ("CDW", "RAW", 100, 3, 0, 2, 220)
    ]


@pytest.mark.parametrize(("onset", "reference"), [(-30, 0), (-29, 50), (0, 50), (1, 0)])
def test_a_visit_less_than_30_days_after_an_onset_is_no_baseline(onset, reference):
    events = found("msprog_default", (0, 2), (50, 2), (300, 3), (400, 3), onsets=[onset])
    assert [event[4] for event in events] == [reference]


@pytest.mark.parametrize(
    ("onset", "kind"),
    [
        (109, "PIRA"),
        (110, "RAW"),
        (200, "RAW"),
        (201, "undefined"),
        (230, "undefined"),
        (231, "undefined"),
        (331, "PIRA"),
    ],
)
def test_relapse_associated_within_90_days_after_an_onset(onset, kind):
    # the event is day 200, its only confirming visit day 300: PIRA is clear of [110, 230] and of [210, 330]
    assert [event[1] for event in found("msprog_default", (0, 2), (200, 3), (300, 3), onsets=[onset])] == [
        kind
    ]


def test_pira_may_rest_on_a_later_confirming_visit():
    visits = [(0, 2), (200, 3), (290, 3), (600, 3)]
    events = disability.search(
        visits_of(*visits), onsets_of(300), peers.no_starts(), [DEFINITIONS["msprog_default"]]
    )
    row = events.row(0, named=True)
    assert (row["worsening_type"], row["confirmation_date"]) == ("PIRA", day(290))
    assert (row["pira_confirmation_date"], row["pira_confirmation_value"]) == (day(600), 3)


def test_a_relapse_long_before_the_first_visit_still_makes_raw():
    assert found("msprog_default", (0, 2), (19, 3), (150, 3), onsets=[-47])[0][1] == "RAW"


def test_roving_reference_is_the_first_confirming_visit():
    visits = [(0, 2), (100, 3.5), (200, 3), (300, 4), (400, 4)]
    assert found("msprog_multiple_roving", *visits) == [
        ("CDW", "PIRA", 100, 3.5, 0, 2, 200),
        ("CDW", "PIRA", 300, 4, 200, 3, 400),
    ]


def test_improvement_moves_the_roving_reference_and_has_no_class():
    visits = [(0, 4), (100, 3), (200, 3), (300, 4), (400, 4)]
    assert found("msprog_multiple_roving", *visits) == [
        ("CDI", None, 100, 3, 0, 4, 200),
        ("CDW", "PIRA", 300, 4, 200, 3, 400),
    ]


def test_a_recount_against_a_fixed_reference_is_marked():
    visits = [(0, 2), (100, 4), (200, 4), (300, 4), (400, 4), (500, 2), (600, 4), (700, 4)]
    events = disability.search(
        visits_of(*visits), onsets_of(), peers.no_starts(), [DEFINITIONS["msprog_multiple_fixed"]]
    )
    assert [(d - ORIGIN).days for d in events["event_date"]] == [100, 300, 600]
    assert events["is_recount"].to_list() == [False, True, False]


def test_last_delta_and_sustained():
    visits = [(0, 2), (60, 3), (80, 2.5), (100, 3.5), (200, 3.5), (300, 3), (400, 2.5)]
    row = disability.search(
        visits_of(*visits), onsets_of(), peers.no_starts(), [DEFINITIONS["msprog_default"]]
    ).row(0, named=True)
    assert (row["event_date"], row["last_delta_date"], row["last_delta_value"]) == (day(100), day(80), 2.5)
    assert (row["is_sustained"], row["sustained_days"]) == (False, 200)


def test_of_two_edss_on_one_day_the_higher_counts_in_any_order():
    rows = [(0, 2), (100, 2), (100, 3), (200, 3)]
    assert found("msprog_default", *rows) == found("msprog_default", *reversed(rows)) != []


def test_a_visit_marked_as_no_confirmation_does_not_confirm():
    visits = visits_of((0, 2), (100, 3), (200, 3), (300, 3)).with_columns(
        may_confirm=pl.Series([True, True, False, None])
    )
    events = disability.search(visits, onsets_of(), peers.no_starts(), [DEFINITIONS["msprog_default"]])
    assert events["confirmation_date"].to_list() == [day(300)]


class TestIndexBaseline:
    VISITS = ((0, 1), (100, 3), (200, 3), (400, 3), (500, 4), (700, 4))

    def twin(self, name):
        import dataclasses

        return dataclasses.replace(DEFINITIONS[name], series_start="index_baseline")

    def test_the_twin_starts_at_the_index_baseline(self):
        whole = found("msprog_default", *self.VISITS)
        events = disability.search(
            visits_of(*self.VISITS), onsets_of(), starts_of(400), [self.twin("msprog_default")]
        )
        assert [event[2] for event in whole] == [100]
        assert (events["event_date"][0], events["baseline_date"][0]) == (day(500), day(400))

    def test_without_an_index_baseline_there_is_no_series(self):
        events = disability.search(
            visits_of(*self.VISITS), onsets_of(), peers.no_starts(), [self.twin("msprog_default")]
        )
        assert events.is_empty()

    @pytest.mark.parametrize(
        ("visits", "kinds"),
        [
            (((0, 1.5), (100, 0), (300, 0)), []),  # improvement is judged from a baseline of 2.0 on
            (((0, 2), (100, 1), (300, 1)), ["CDI"]),
            (((0, 0), (100, 1), (300, 1)), []),
            (((0, 0), (100, 1.5), (300, 1.5)), ["CDW"]),
            (((0, 6), (100, 6.5), (300, 6.5)), []),  # a full point at every baseline
            (((0, 4), (100, 3), (300, 3), (400, 5), (600, 5)), ["CDI", "CDW"]),  # each sought for itself
            (((0, 4), (100, 5), (268, 5)), []),
            (((0, 4), (100, 5), (269, 5)), ["CDW"]),  # 183 days, 14 days early
        ],
    )
    def test_care_ms(self, visits, kinds):
        assert [event[0] for event in found("care_ms_6m", *visits, start=0)] == kinds


class TestPira:
    def test_high_specificity_bars_any_onset_from_baseline_to_confirmation(self):
        visits = [(0, 2), (300, 3), (700, 3)]
        assert found("pira_mueller2023", *visits, onsets=[100])
        assert found("pira_mueller2023_highspec", *visits, onsets=[100]) == []

    def test_cagol_bars_onsets_from_90_days_before_the_event_to_confirmation(self):
        visits = [(0, 2), (300, 3), (700, 3)]
        assert found("pira_cagol2022", *visits, onsets=[500]) == []
        assert found("pira_mueller2023", *visits, onsets=[500]) != []

    def test_kappos_takes_a_new_reference_after_a_relapse(self):
        visits = [(0, 2), (100, 3), (200, 3), (400, 3.5), (500, 4), (600, 4)]
        # after the onset on day 90 the reference is day 100, within 30 days of it, so day 200
        assert found("pira_kappos2020", *visits, onsets=[90])[0][2:6] == (500, 4, 200, 3)

    def test_kappos_never_lowers_the_reference_and_msprog_did(self):
        visits = [(0, 4), (100, 3.5), (300, 4.5), (400, 4.5), (500, 4.5)]
        assert (
            found("pira_kappos2020_msprog", *visits, onsets=[50]) == []
        )  # no visit differs from 4 by a step
        visits = [(0, 4), (100, 3), (300, 4), (400, 4), (500, 4)]
        assert found("pira_kappos2020_msprog", *visits, onsets=[50])[0][2:6] == (300, 4, 100, 3)
        assert found("pira_kappos2020", *visits, onsets=[50]) == []


class TestMSBase:
    """As MSoutcomes finds them (Kalincik 2015): functions CDW and CDI, sustained."""

    def test_a_run_must_reach_a_visit_91_days_on(self):
        assert found("msbase", (0, 2), (100, 3), (190, 3)) == []
        assert found("msbase", (0, 2), (100, 3), (191, 3)) == [("CDW", "PIRA", 100, 3, 0, 2, 191, None)]
        assert found("msbase", (0, 2), (100, 3), (282, 3)) == [("CDW", "PIRA", 100, 3, 0, 2, 282, 282)]

    def test_it_must_be_sustained(self):
        assert found("msbase", (0, 2), (100, 3), (300, 3), (400, 2.5)) == []

    def test_thirty_days_are_still_within_a_relapse(self):
        visits = [(0, 2), (100, 3), (200, 3)]
        assert found("msbase", *visits, onsets=[170]) == []
        assert found("msbase", *visits, onsets=[169])[0][2] == 100

    def test_improvement_asks_nothing_of_relapses(self):
        assert found("msbase", (0, 4), (100, 3), (200, 3), onsets=[190]) == [
            ("CDI", None, 100, 3, 0, 4, 200, None)
        ]

    @pytest.mark.parametrize(
        ("baseline", "value", "is_event"),
        [(1.5, 0.5, False), (1.5, 0, True), (6, 5.5, False), (6.5, 6, True)],
    )
    def test_improvement_steps(self, baseline, value, is_event):
        assert bool(found("msbase", (0, baseline), (100, value), (300, value))) == is_event

    @pytest.mark.parametrize(
        ("baseline", "value", "is_event"), [(5.5, 6, False), (5.5, 6.5, True), (6, 6.5, True)]
    )
    def test_worsening_steps(self, baseline, value, is_event):
        assert bool(found("msbase", (0, baseline), (100, value), (300, value))) == is_event

    def test_the_next_reference_is_the_lowest_of_the_confirmation_period(self):
        visits = [(0, 2), (100, 4), (150, 3), (300, 4), (500, 4)]
        events = found("msbase", *visits)
        assert events[0] == ("CDW", "PIRA", 100, 4, 0, 2, 300, 300)
        assert events[1][2:6] == (300, 4, 150, 3)


class TestDefinitionsThatContradictThemselves:
    def rows(self, definition="msprog_default", **changes):
        rows = pl.read_csv(peers.SEEDS / "disability_definitions.csv", schema_overrides=DEFINITION_COLUMNS)
        times = pl.read_csv(
            peers.SEEDS / "disability_confirmation_times.csv", schema_overrides=CONFIRMATION_COLUMNS
        )
        rows = rows.filter(pl.col("definition") == definition)
        times = times.filter(pl.col("definition") == definition)
        for name, value in changes.items():
            if name in rows.columns:
                rows = rows.with_columns(pl.lit(value, dtype=DEFINITION_COLUMNS[name]).alias(name))
            else:
                times = times.with_columns(pl.lit(value, dtype=CONFIRMATION_COLUMNS[name]).alias(name))
        return rows, times

    @pytest.mark.parametrize(
        ("changes", "fault"),
        [
            ({"reference": "moving"}, "reference is not one of"),
            ({"events": "first_pira", "pira_1_from": None}, "not whole"),
            ({"is_reference_never_lowered": True}, "cannot be lowered"),
            ({"is_rebaselined_after_relapse": True, "reference": "roving"}, "must be fixed"),
            ({"family": "msbase"}, "msbase family"),
            ({"raw_window_days": -1}, "negative"),
            ({"raw_window_days": None}, "is empty"),
            ({"early_days": 84.0}, "back to the event"),
            ({"late_days": -1.0}, "negative tolerance"),
            ({"worsening_steps": "0=1.5|5=1"}, "does not reach EDSS 10"),
            ({"worsening_steps": "5=1|0=1.5|10=1"}, "rising order"),
            ({"worsening_steps": "0=0|10=1"}, "rising order"),
            ({"worsening_steps": "zero=1"}, "cannot be read"),
            ({"pira_1_from": "confirmation"}, "ends before it starts"),
        ],
    )
    def test_they_stop_with_the_remedy(self, changes, fault):
        with pytest.raises(BuildError, match=fault) as caught:
            parse(*self.rows(**changes))
        assert str(caught.value).endswith("in seeds/outcomes.")
        assert "\n" not in str(caught.value)

    def test_a_definition_without_confirmation_time(self):
        rows, times = self.rows()
        with pytest.raises(BuildError, match="no confirmation time"):
            parse(rows, times.head(0))

    def test_first_pira_without_a_stretch(self):
        changes = {name: None for name in DEFINITION_COLUMNS if name.startswith("pira_")}
        with pytest.raises(BuildError, match="no relapse-free stretch"):
            parse(*self.rows(events="first_pira", **changes))


class TestMetamorphic:
    @pytest.fixture(scope="class")
    def cohort(self):
        return peers.frames(*peers.awkward_cohort(300, 5))

    def search(self, visits, onsets):
        starts = visits.group_by("cohort", "patient_id").agg(
            index_baseline_date=pl.col("visit_date").sort().slice(1, 1).first()
        )
        return disability.search(visits, onsets, starts, list(DEFINITIONS.values()))

    @pytest.fixture(scope="class")
    def events(self, cohort):
        events = self.search(*cohort)
        assert events["definition"].n_unique() == len(DEFINITIONS)
        return events

    def test_row_order(self, cohort, events):
        shuffled = [frame.sample(fraction=1, shuffle=True, seed=3) for frame in cohort]
        assert self.search(*shuffled).equals(events)

    def test_names_of_patients(self, cohort, events):
        renamed = [
            frame.with_columns(patient_id=pl.lit("Z") + pl.col("patient_id").str.reverse())
            for frame in cohort
        ]
        back = self.search(*renamed).with_columns(patient_id=pl.col("patient_id").str.slice(1).str.reverse())
        assert back.sort("definition", "patient_id", "event_number", "confirmation_days").equals(
            events.sort("definition", "patient_id", "event_number", "confirmation_days")
        )

    def test_a_cohort_in_two_parts(self, cohort, events):
        parts = [
            self.search(*[frame.filter((pl.col("patient_id") < "A00150") == side) for frame in cohort])
            for side in (True, False)
        ]
        order = ["definition", "cohort", "patient_id", "event_number", "confirmation_days"]
        assert pl.concat(parts).sort(order).equals(events)

    def test_dates_shifted(self, cohort, events):
        visits, onsets = cohort
        shift = pl.duration(days=1461)
        moved = self.search(
            visits.with_columns(pl.col("visit_date") + shift),
            onsets.with_columns(pl.col("onset_date") + shift),
        )
        dates = [name for name, kind in disability.EVENTS_SCHEMA.items() if kind == pl.Date()]
        assert moved.with_columns(pl.col(dates) - shift).equals(events)

    def test_the_size_of_the_chunks(self, cohort, events, monkeypatch):
        monkeypatch.setattr(disability, "CHUNK", 50)
        assert self.search(*cohort).equals(events)


def test_an_empty_cohort_gives_an_empty_table_with_its_types():
    visits = visits_of((0, 2)).head(0)
    events = disability.search(visits, onsets_of(), peers.no_starts(), list(DEFINITIONS.values()))
    assert events.is_empty()
    assert dict(events.schema) == disability.EVENTS_SCHEMA


def test_one_visit_and_patients_without_visits_have_no_events():
    events = disability.search(
        visits_of((0, 2)), onsets_of(5, patient="B"), peers.no_starts(), list(DEFINITIONS.values())
    )
    assert events.is_empty()


def test_a_twin_is_its_definition_on_the_visits_from_the_index_baseline_on():
    import dataclasses

    visits, onsets = peers.frames(*peers.awkward_cohort(400, 8))
    starts = visits.group_by("cohort", "patient_id").agg(
        index_baseline_date=pl.col("visit_date").sort().slice(2, 1).first()
    )
    cut = visits.join(starts.drop_nulls(), on=["cohort", "patient_id"]).filter(
        pl.col("visit_date") >= pl.col("index_baseline_date")
    )
    for rule in DEFINITIONS.values():
        if rule.series_start != "first_visit":
            continue
        twin = dataclasses.replace(rule, series_start="index_baseline")
        events = disability.search(visits, onsets, starts, [twin])
        assert events.equals(disability.search(cut, onsets, starts, [rule])), rule.name
        assert events.height > 10, rule.name


def runs_of_msbase(course, onsets, days, is_worse):
    """MSBase's rule for one patient in plain loops, from its published description: an independent second telling."""

    def since(date):
        return min((date - onset for onset in onsets if onset <= date), default=10**6)

    def step(reference):
        if is_worse:
            return 1.5 if reference == 0 else 1.0 if reference < 6 else 0.5
        return 1.5 if reference <= 1.5 else 1.0 if reference <= 6 else 0.5

    start = next((place for place, (date, _) in enumerate(course) if since(date) > 30), None)
    if start is None:
        return []
    course = course[start:]
    reference, baseline_date = course[0][1], course[0][0]
    found = []
    while True:
        sign = 1 if is_worse else -1
        holding = len(course)
        while holding > 0 and sign * (course[holding - 1][1] - reference) >= step(reference):
            holding -= 1
        run = course[max(holding, 1) :]
        if not run or run[-1][0] - run[0][0] < days or (is_worse and since(run[-1][0]) <= 30):
            return found
        found.append((run[0][0], run[0][1], baseline_date, reference))
        period = [value for place, (date, value) in enumerate(run) if place <= 1 or date - run[0][0] <= days]
        reference = min(period)
        begin = next(place for place, (_, value) in enumerate(run) if value == reference)
        course = run[begin:]
        baseline_date = course[0][0]


@pytest.mark.parametrize(("kind", "place"), [("CDW", 0), ("CDW", 1), ("CDI", 0), ("CDI", 1)])
def test_msbase_against_a_second_telling(kind, place):
    visits, onsets = peers.frames(*peers.awkward_cohort(1500, 21))
    events = disability.search(visits, onsets, peers.no_starts(), [DEFINITIONS["msbase"]])
    nominal, days = [(91, 90.75), (182, 181.5)][place]
    mine = {}
    own = events.filter(
        pl.col("event_type") == kind,
        pl.col("confirmation_days") == nominal,
        pl.col("confirmation_date").is_not_null(),
    )
    for row in own.sort("event_number").to_dicts():
        mine.setdefault(row["patient_id"], []).append(
            (row["event_date"], row["event_value"], row["baseline_date"], row["baseline_value"])
        )
    epoch = dt.date(1970, 1, 1)
    theirs = {}
    relapses = {patient: frame["onset_date"].to_list() for (patient,), frame in onsets.group_by("patient_id")}
    for (patient,), frame in visits.group_by("patient_id"):
        daily = frame.group_by("visit_date").agg(pl.col("edss").max()).sort("visit_date")
        course = [
            ((date - epoch).days, value) for date, value in daily.select("visit_date", "edss").iter_rows()
        ]
        own_onsets = [(date - epoch).days for date in relapses.get(patient, [])]
        found = runs_of_msbase(course, own_onsets, days, kind == "CDW")
        if found:
            theirs[patient] = [
                (epoch + dt.timedelta(days=a), b, epoch + dt.timedelta(days=c), d) for a, b, c, d in found
            ]
    assert len(theirs) > 50
    assert mine == theirs


class TestWorseningInEpochs:
    """For NEDA-3: the reference is the epoch's own, the onset lies in the epoch, confirmation may follow it."""

    def found(self, *visits, onsets=(), start=365, end=730):
        epochs = pl.DataFrame(
            {
                "cohort": ["test"],
                "patient_id": ["A"],
                "epoch": ["year_2"],
                "end_rule": ["last_contact"],
                "start_date": [day(start)],
                "end_date": [day(end)],
            }
        )
        row = disability.worsening_in_epochs(
            visits_of(*visits), onsets_of(*onsets), epochs, DEFINITIONS["msprog_24w"]
        ).row(0, named=True)
        return tuple(
            row[name] and (row[name] - ORIGIN).days for name in ("reference_date", "worsening_date")
        ) + (row["is_able_to_confirm"],)

    def test_worsening_is_measured_from_the_epochs_own_reference(self):
        # 2 → 3 happened before the epoch: within it nothing more
        assert self.found((0, 2), (100, 3), (360, 3), (500, 3), (720, 3), (900, 3)) == (360, None, True)
        assert self.found((0, 2), (100, 3), (360, 3), (500, 4), (720, 4), (900, 4)) == (360, 500, True)

    def test_confirmation_may_follow_the_epochs_end(self):
        assert self.found((360, 2), (700, 3), (900, 3)) == (360, 700, True)
        assert self.found((360, 2), (700, 3), (860, 3)) == (360, None, False)

    def test_an_onset_on_the_last_day_belongs_to_the_epoch_and_one_on_the_first_does_not(self):
        assert self.found((300, 2), (730, 3), (900, 3))[1] == 730
        assert self.found((300, 2), (731, 3), (900, 3))[1] is None
        assert self.found((300, 2), (365, 3), (600, 3), (800, 3))[:2] == (365, None)

    def test_a_relapse_visit_is_no_reference(self):
        # the visit of day 360 lies in a relapse: day 200 is the reference, and the search begins after the start
        assert self.found((200, 2), (360, 4), (500, 3), (800, 3), onsets=[350]) == (200, 500, True)

    def test_no_edss_before_the_start(self):
        assert self.found((400, 2), (700, 3), (900, 3)) == (None, None, False)

    def test_the_epoch_must_hold_a_visit(self):
        assert self.found((300, 2), (900, 2), (1200, 2)) == (300, None, False)

    def test_every_epoch_keeps_its_row(self):
        visits, onsets = peers.frames(*peers.awkward_cohort(100, 4))
        epochs = (
            visits.select("cohort", "patient_id")
            .unique()
            .join(pl.DataFrame({"epoch": ["a", "b"], "number": [1, 2]}), how="cross")
            .with_columns(
                end_rule=pl.lit("x"),
                start_date=pl.lit(day(0)) + pl.duration(days=365 * pl.col("number")),
                end_date=pl.lit(day(0)) + pl.duration(days=365 * (pl.col("number") + 1)),
            )
            .drop("number")
        )
        extra = epochs.head(1).with_columns(patient_id=pl.lit("nobody"))
        table = disability.worsening_in_epochs(
            visits, onsets, pl.concat([epochs, extra]), DEFINITIONS["msprog_24w"]
        )
        assert table.height == epochs.height + 1
        alone = pl.concat(
            [
                disability.worsening_in_epochs(visits, onsets, part, DEFINITIONS["msprog_24w"])
                for part in epochs.iter_slices(7)
            ]
        )
        assert table.head(-1).equals(alone)
