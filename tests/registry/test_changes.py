"""The change feed: what a reader of two versions of a record would say, and nothing else."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from pipeline.landing import Landing
from pipeline.registry import changes, client
from pipeline.registry.snapshot import SnapshotSource
from pipeline.settings import RegistrySettings
from tests.support import replay
from tests.support.replay import FakeClock, study

P = "protocolSection"


def versions(*documents: dict[str, Any] | None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "nct_id": "NCT90000001",
            "source": "clinicaltrials.gov",
            "version": [f"v{number}" for number in range(len(documents))],
            "seen_at": [datetime(2026, 1, 1 + number) for number in range(len(documents))],
            "document": [None if document is None else json.dumps(document) for document in documents],
        },
        schema_overrides={"document": pl.String},
    )


def compare(*documents: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The feed without its baseline row."""
    found = changes.changes(versions(*documents))
    assert dict(found.schema) == changes.COLUMNS
    rows = found.rows(named=True)
    assert rows[0]["change_kind"] == "baseline"
    assert not any(rows[0][name] for name in rows[0] if name.startswith("is_"))
    return rows[1:]


def said(rows: list[dict[str, Any]]) -> list[tuple[str, str, str | None, str | None]]:
    return [
        (r["change_kind"], r["field_path"].removeprefix(f"{P}."), r["old_value"], r["new_value"])
        for r in rows
    ]


def flags(row: dict[str, Any]) -> set[str]:
    return {name for name, value in row.items() if name.startswith("is_") and value}


@pytest.fixture
def before() -> dict[str, Any]:
    document = study(1)
    document[P]["contactsLocationsModule"]["locations"] = [
        {
            "facility": "Universitätsspital Basel",
            "city": "Basel",
            "country": "Switzerland",
            "geoPoint": {"lat": 47.5, "lon": 7.6},
        },
        {"facility": "Research Site", "city": "Basel", "country": "Switzerland"},
        {"facility": "Research Site", "city": "Bern", "country": "Switzerland", "status": "RECRUITING"},
    ]
    return document


@pytest.fixture
def after(before) -> dict[str, Any]:
    return deepcopy(before)


def sites(document: dict[str, Any]) -> list[dict[str, Any]]:
    return document[P]["contactsLocationsModule"]["locations"]


# --- nothing


def test_the_first_observation_is_a_baseline(before) -> None:
    rows = changes.changes(versions(before)).rows(named=True)
    assert [(row["change_kind"], row["field_path"], row["version"]) for row in rows] == [
        ("baseline", "study", "v0")
    ]


def test_what_a_reader_does_not_see_is_no_change(before, after) -> None:
    after["derivedSection"]["miscInfoModule"]["versionHolder"] = "2027-01-01"
    sites(after).reverse()
    after[P]["conditionsModule"]["conditions"] = ["Multiple Sclerosis"]
    before[P]["eligibilityModule"]["eligibilityCriteria"] = (
        "<p>Inclusion Criteria:</p><ul><li>EDSS &lt; 5.5</li></ul>"
    )
    after[P]["eligibilityModule"]["eligibilityCriteria"] = "Inclusion Criteria:\r\n\r\n* EDSS \\< 5.5\n"
    after[P]["oversightModule"] = {}
    assert compare(before, after) == []
    assert compare(before, before, after, before) == []


# --- values


def test_a_value_changes(before, after) -> None:
    after[P]["identificationModule"]["briefTitle"] = "Another title"
    rows = compare(before, after)
    assert said(rows) == [
        (
            "changed",
            "identificationModule.briefTitle",
            before[P]["identificationModule"]["briefTitle"],
            "Another title",
        )
    ]
    assert flags(rows[0]) == set()
    assert (rows[0]["version"], rows[0]["seen_at"], rows[0]["source"]) == (
        "v1",
        datetime(2026, 1, 2),
        "clinicaltrials.gov",
    )


def test_a_whole_section_is_one_row(before, after) -> None:
    after["resultsSection"] = {
        "outcomeMeasuresModule": {"outcomeMeasures": [{"title": "ARR"}, {"title": "EDSS"}]}
    }
    after["hasResults"] = True
    rows = compare(before, after)
    assert [(row["change_kind"], row["field_path"]) for row in rows] == [
        ("changed", "hasResults"),
        ("added", "resultsSection"),
    ]
    assert json.loads(rows[1]["new_value"]) == after["resultsSection"]
    assert (rows[0]["old_value"], rows[0]["new_value"]) == ("false", "true")


def test_added_removed_and_reappeared(before, after) -> None:
    del after[P]["eligibilityModule"]["minimumAge"]
    assert said(compare(before, after)) == [("removed", "eligibilityModule.minimumAge", "18 Years", None)]
    assert said(compare(after, before)) == [("added", "eligibilityModule.minimumAge", None, "18 Years")]
    assert [row[0] for row in said(compare(before, after, before))] == ["removed", "reappeared"]


def test_a_study_goes_and_comes_back(before, after) -> None:
    after[P]["statusModule"]["overallStatus"] = "COMPLETED"
    rows = compare(before, None, None, after)
    assert said(rows) == [
        ("study_removed", "study", None, None),
        ("reappeared", "study", None, None),
        ("changed", "statusModule.overallStatus", "RECRUITING", "COMPLETED"),
    ]
    assert [row["version"] for row in rows] == ["v1", "v3", "v3"]


# --- lists


def test_a_site_is_known_by_facility_city_and_country(before, after) -> None:
    sites(after)[2]["status"] = "COMPLETED"
    del sites(after)[1]
    sites(after).insert(0, {"facility": "Clinic", "city": "Lyon", "country": "France"})
    assert said(compare(before, after)) == [
        (
            "changed",
            "contactsLocationsModule.locations[Research Site | Bern | Switzerland].status",
            "RECRUITING",
            "COMPLETED",
        ),
        (
            "removed",
            "contactsLocationsModule.locations[Research Site | Basel | Switzerland]",
            '{"facility":"Research Site","city":"Basel","country":"Switzerland"}',
            None,
        ),
        (
            "added",
            "contactsLocationsModule.locations[Clinic | Lyon | France]",
            None,
            '{"facility":"Clinic","city":"Lyon","country":"France"}',
        ),
    ]


def test_a_respelled_site_is_one_change(before, after) -> None:
    sites(after)[0] |= {
        "facility": "Universitaetsspital Basel",
        "geoPoint": {"lat": 47.56, "lon": 7.58},
        "zip": "4031",
    }
    assert said(compare(before, after)) == [
        (
            "changed",
            "contactsLocationsModule.locations[Universitätsspital Basel | Basel | Switzerland]",
            "Universitätsspital Basel | Basel | Switzerland",
            "Universitaetsspital Basel | Basel | Switzerland",
        )
    ]


@pytest.mark.parametrize(
    ("facility", "city"), [("Research Site", "Zug"), ("Research Site 2", "Basel"), ("Kantonsspital", "Basel")]
)
def test_another_site_is_no_respelling(before, after, facility, city) -> None:
    sites(after)[1] |= {"facility": facility, "city": city}
    assert [kind for kind, *_ in said(compare(before, after))] == ["removed", "added"]


def test_two_items_of_one_name_are_two(before, after) -> None:
    sites(after).append(dict(sites(after)[1]))
    assert said(compare(before, after))[0][:2] == (
        "added",
        "contactsLocationsModule.locations[Research Site | Basel | Switzerland #2]",
    )


def test_words_of_a_list(before, after) -> None:
    before[P]["conditionsModule"]["keywords"] = ["relapse", "alemtuzumab", "old"]
    after[P]["conditionsModule"]["keywords"] = ["Alemtuzumab", "relapse", "new one"]
    assert said(compare(before, after)) == [
        ("changed", "conditionsModule.keywords[alemtuzumab]", "alemtuzumab", "Alemtuzumab"),
        ("removed", "conditionsModule.keywords[old]", "old", None),
        ("added", "conditionsModule.keywords[new one]", None, "new one"),
    ]


# --- flags


def test_a_switched_primary_outcome_is_flagged(before, after) -> None:
    outcomes = after[P]["outcomesModule"]
    outcomes["primaryOutcomes"], outcomes["secondaryOutcomes"] = (
        outcomes["secondaryOutcomes"],
        outcomes["primaryOutcomes"],
    )
    rows = compare(before, after)
    assert [(row["change_kind"], row["field_path"].partition("Module.")[2]) for row in rows] == [
        ("removed", "primaryOutcomes[Annualized Relapse Rate]"),
        ("added", "primaryOutcomes[Change in EDSS]"),
        ("removed", "secondaryOutcomes[Change in EDSS]"),
        ("added", "secondaryOutcomes[Annualized Relapse Rate]"),
    ]
    assert [row["is_primary_outcome_change"] for row in rows] == [True, True, False, False]


def test_a_primary_outcomes_time_frame_counts_and_its_description_does_not(before, after) -> None:
    after[P]["outcomesModule"]["primaryOutcomes"][0]["timeFrame"] = "Up to 5 years"
    assert flags(compare(before, after)[0]) == {"is_primary_outcome_change"}
    after = deepcopy(before)
    after[P]["outcomesModule"]["primaryOutcomes"][0]["description"] = "Relapses per year"
    assert flags(compare(before, after)[0]) == set()


def test_a_respelled_primary_outcome_is_one_change(before, after) -> None:
    after[P]["outcomesModule"]["primaryOutcomes"][0]["measure"] = "Annualised Relapse Rate"
    rows = compare(before, after)
    assert len(rows) == 1
    assert rows[0]["change_kind"] == "changed"
    assert flags(rows[0]) == {"is_primary_outcome_change"}


def test_another_number_is_another_outcome(before, after) -> None:
    before[P]["outcomesModule"]["primaryOutcomes"][0]["measure"] = "Change in EDSS at Month 4"
    after[P]["outcomesModule"]["primaryOutcomes"][0]["measure"] = "Change in EDSS at Month 8"
    assert [row["change_kind"] for row in compare(before, after)] == ["removed", "added"]


@pytest.mark.parametrize("name", ["eligibilityCriteria", "minimumAge", "sex"])
def test_amended_eligibility_is_flagged(before, after, name) -> None:
    after[P]["eligibilityModule"][name] = "Something else"
    assert flags(compare(before, after)[0]) == {"is_eligibility_change"}


@pytest.mark.parametrize(
    ("count", "kind", "flagged"),
    [(120, "ESTIMATED", True), (57, "ACTUAL", False), (60, "ACTUAL", False), (99999999, "ESTIMATED", True)],
)
def test_enrolment_target(before, after, count, kind, flagged) -> None:
    after[P]["designModule"]["enrollmentInfo"] = {"count": count, "type": kind}
    rows = compare(before, after)
    assert rows
    assert {"is_enrollment_change" in flags(row) for row in rows} == {flagged}


@pytest.mark.parametrize(
    ("old", "new", "slipped"),
    [
        ("2027-12-31", "2028-01-31", True),
        ("2027-12-31", "2027-06-30", False),
        ("2027-12", "2027-12-31", False),
        ("2027-12-15", "2028-01", True),
        ("2027", "2027-12", False),
    ],
)
@pytest.mark.parametrize("name", ["completionDateStruct", "primaryCompletionDateStruct"])
def test_slipped_completion(before, after, old, new, slipped, name) -> None:
    before[P]["statusModule"][name] = {"date": old}
    after[P]["statusModule"][name] = {"date": new}
    rows = compare(before, after)
    assert len(rows) == 1
    assert flags(rows[0]) == ({"is_completion_slip"} if slipped else set())


def test_status(before, after) -> None:
    after[P]["statusModule"]["overallStatus"] = "TERMINATED"
    assert flags(compare(before, after)[0]) == {"is_status_change"}


def test_many_studies_and_any_order(before) -> None:
    frames = []
    for number in range(1, 4):
        one, two = study(number), study(number, title="New")
        frames.append(versions(one, two).with_columns(nct_id=pl.lit(f"NCT9000000{number}")))
    shuffled = pl.concat(frames).sample(fraction=1, shuffle=True, seed=1)
    found = changes.changes(shuffled)
    assert found.height == 6
    assert found.get_column("change_kind").to_list() == ["baseline", "changed"] * 3
    assert changes.changes(shuffled.clear()).is_empty()


# --- real records in their history wrapper


def record(shared: Path, nct_id: str) -> dict[str, Any]:
    return json.loads((shared / "registry" / "history" / f"{nct_id}.history.json").read_text("utf-8"))


def from_history(shared: Path, nct_id: str) -> pl.DataFrame:
    rows = changes.from_history(record(shared, nct_id))
    frame = pl.DataFrame(
        [row | {"document": json.dumps(row["document"]), "source": "snapshot"} for row in rows]
    )
    return changes.changes(frame)


def test_history_of_an_enrolment(shared) -> None:
    # NCT05901831: 220 estimated at registration, 241 actual in version 25; the outcomes never changed.
    found = from_history(shared, "NCT05901831").filter(pl.col("change_kind") != "baseline")
    assert found.select("field_path", "old_value", "new_value", "version").rows() == [
        ("protocolSection.designModule.enrollmentInfo.count", "220", "241", "25"),
        ("protocolSection.designModule.enrollmentInfo.type", "ESTIMATED", "ACTUAL", "25"),
    ]
    assert not found.get_column("is_enrollment_change").any()


def test_history_of_a_primary_outcome(shared) -> None:
    # NCT01874431: renamed in version 17 (2021-05-20) from "Change of urinary …" to "Ratio of UACR …".
    found = from_history(shared, "NCT01874431").filter(pl.col("is_primary_outcome_change"))
    assert found.get_column("change_kind").to_list() == ["removed", "added"]
    assert found.get_column("version").unique().to_list() == ["17"]
    date = record(shared, "NCT01874431")["history"]["changes"][17]["date"]
    assert found.get_column("seen_at").dt.date().cast(pl.String).unique().to_list() == [date]


def test_all_histories(shared) -> None:
    for file in sorted((shared / "registry" / "history").iterdir()):
        found = from_history(shared, file.name.partition(".")[0])
        assert found.get_column("change_kind").to_list().count("baseline") == 1
        assert found.filter(pl.col("field_path").str.contains("enrollmentInfo.count")).height == 1


def test_a_real_record_against_itself_and_one_edit(shared) -> None:
    for nct_id in ("NCT04435626", "NCT02545049"):
        document = record(shared, nct_id)["study"]
        edited = deepcopy(document)
        locations = edited[P]["contactsLocationsModule"]["locations"]
        locations.reverse()
        locations[0]["status"] = "WITHDRAWN"
        edited[P]["outcomesModule"]["secondaryOutcomes"].reverse()
        edited["resultsSection"]["adverseEventsModule"]["otherEvents"].reverse()
        edited["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"].reverse()
        rows = compare(document, edited)
        assert len(rows) == 1
        assert rows[0]["field_path"].endswith("].status")
        assert compare(document, document) == []


# --- from landing


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path, "registry")


def test_the_feed_of_live_pulls(landing) -> None:
    clock = FakeClock()
    with replay.serve(replay.studies(25)) as registry:

        def pull() -> None:
            settings = RegistrySettings(url=registry.url, page_size=10)
            client.LiveSource(settings, clock=clock, transport=httpx.HTTPTransport()).pull(landing)

        pull()
        first = changes.feed(landing, ["clinicaltrials.gov"])
        assert first.get_column("change_kind").to_list() == ["baseline"] * 25
        assert first.get_column("version").unique().to_list() == ["2026-11-19T09:00:05"]
        registry.documents[3] = study(4, title="New title", updated="2026-11-20")
        gone = registry.documents.pop(9)
        clock.pass_time(days=1)
        registry.version = "2026-11-20T09:00:05"
        pull()
        clock.pass_time(days=1)
        registry.version = "2026-11-21T09:00:05"
        pull()
        clock.pass_time(days=1)
        registry.documents.append(gone)
        registry.version = "2026-11-22T09:00:05"
        pull()
    found = changes.feed(landing, ["clinicaltrials.gov"])
    assert found.filter(pl.col("change_kind") == "baseline").height == 25
    rest = found.filter(pl.col("change_kind") != "baseline")
    assert rest.select("nct_id", "change_kind", "field_path", "version").rows() == [
        ("NCT90000004", "changed", f"{P}.identificationModule.briefTitle", "2026-11-20T09:00:05"),
        ("NCT90000004", "changed", f"{P}.statusModule.statusVerifiedDate", "2026-11-20T09:00:05"),
        ("NCT90000004", "changed", f"{P}.statusModule.lastUpdatePostDateStruct.date", "2026-11-20T09:00:05"),
        ("NCT90000010", "study_removed", "study", "2026-11-20T09:00:05"),
        ("NCT90000010", "reappeared", "study", "2026-11-22T09:00:05"),
    ]
    assert rest.get_column("seen_at").dt.day().to_list() == [21, 21, 21, 21, 23]
    # Everything behind landing can be thrown away: the same feed comes again.
    assert changes.feed(landing, ["clinicaltrials.gov"]).equals(found)


def put(landing: Landing, name: str, content: Any, form: str, root: str = "a", day: int = 1) -> None:
    sha256, size = landing.put(json.dumps(content).encode())
    landing.record(
        source="snapshot",
        name=name,
        sha256=sha256,
        size=size,
        form=form,
        root=root,
        at=datetime(2026, 1, day),
    )


def test_the_feed_of_a_recorded_folder(landing) -> None:
    put(landing, "a.json", [study(1), study(2)], "array/study")
    put(landing, "b.json", {"studies": [study(3)]}, "unstructured/page")
    put(landing, "c.json", study(4), "unstructured/study")
    assert changes.feed(landing, ["snapshot", "mirror"]).height == 4
    # Study 2 moves to another file, study 1 changes, study 4 goes.
    put(landing, "a.json", [study(1, title="New")], "array/study", day=2)
    put(landing, "b.json", {"studies": [study(3), study(2)]}, "unstructured/page", day=2)
    landing.record(source="snapshot", name="c.json", event="withdrawn", at=datetime(2026, 1, 2))
    found = changes.feed(landing, ["snapshot"]).filter(pl.col("change_kind") != "baseline")
    assert found.select("nct_id", "change_kind", "field_path").rows() == [
        ("NCT90000001", "changed", f"{P}.identificationModule.briefTitle"),
        ("NCT90000004", "study_removed", "study"),
    ]


def test_every_pull_of_a_folder_is_a_version(landing, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()

    def pull(name: str, *studies: dict) -> list[tuple]:
        (folder / name).write_text(json.dumps({"studies": studies}))
        SnapshotSource(folder).pull(landing)
        found = changes.feed(landing, ["snapshot"]).filter(pl.col("change_kind") != "baseline")
        return found.select("nct_id", "change_kind", "new_value").rows()

    assert pull("night-1.json", study(1), study(2)) == []
    # No name of the first night comes again, and still it is another night.
    newer = study(1, title="New", updated="2026-03-03")
    assert ("NCT90000001", "changed", "New") in pull("night-2.json", newer)
    # Killed after its documents were landed and before its end: the next pull ends it.
    with monkeypatch.context() as killed:
        killed.setattr(landing, "record", _without_ends(landing.record))
        told = pull("night-3.json", study(1, title="Newest", updated="2026-04-04"))
    assert "Newest" not in [value for _, _, value in told]
    ends = len([entry for entry in landing.entries() if entry.event == "pull_completed"])
    assert SnapshotSource(folder).pull(landing).is_unchanged
    assert len([entry for entry in landing.entries() if entry.event == "pull_completed"]) == ends + 1
    assert SnapshotSource(folder).pull(landing).is_unchanged
    assert len([entry for entry in landing.entries() if entry.event == "pull_completed"]) == ends + 1
    found = changes.feed(landing, ["snapshot"])
    assert "Newest" in found["new_value"].to_list()


def _without_ends(record: Any) -> Any:
    return lambda **what: None if what.get("event") == "pull_completed" else record(**what)


def test_what_was_read_already_is_not_read_again(landing, monkeypatch) -> None:
    put(landing, "a.json", [study(1), study(2)], "array/study")
    found = changes.feed(landing, ["snapshot"])
    sha256 = landing.current()[0].sha256
    records = pl.DataFrame({"nct_id": ["NCT90000001", "NCT90000002", None], "sha256": [sha256] * 3})
    monkeypatch.setattr(changes, "_records", None)
    again = changes.feed(landing, ["snapshot"], records)
    # Without the record's own date there is no version to name.
    assert again.drop("version").equals(found.drop("version"))


def test_another_folder_begins_anew(landing) -> None:
    put(landing, "a.json", study(1), "unstructured/study", root="one")
    landing.record(source="snapshot", name="a.json", event="withdrawn", at=datetime(2026, 1, 2))
    put(landing, "x.json", study(1, title="New"), "unstructured/study", root="two", day=2)
    assert changes.feed(landing, ["snapshot"]).get_column("change_kind").to_list() == ["baseline"]


def test_records_in_their_history_wrapper_bring_their_past(landing, shared) -> None:
    file = shared / "registry" / "history" / "NCT05901831.history.json"
    sha256, size = landing.put(file)
    landing.record(
        source="snapshot", name=file.name, sha256=sha256, size=size, form="unstructured/history", root="h"
    )
    found = changes.feed(landing, ["snapshot"])
    assert sorted(found.get_column("change_kind").to_list()) == ["baseline", "changed", "changed"]
    assert found.filter(pl.col("change_kind") == "changed").get_column("version").unique().to_list() == ["25"]


def test_what_changed_last(before, after) -> None:
    after[P]["statusModule"]["overallStatus"] = "TERMINATED"
    after[P]["identificationModule"]["briefTitle"] = "x" * 500
    third = deepcopy(after)
    third[P]["identificationModule"]["acronym"] = "LAST"
    found = changes.latest(changes.changes(versions(before, after)))
    assert found.get_column("flag").to_list() == ["status changed", ""]
    assert found.get_column("field").to_list() == [
        "statusModule.overallStatus",
        "identificationModule.briefTitle",
    ]
    assert found.row(1, named=True)["new_value"] == "x" * 119 + "…"
    assert set(found.schema.values()) == {pl.String}
    assert changes.latest(changes.changes(versions(before, after, third))).get_column(
        "new_value"
    ).to_list() == ["LAST"]
    assert changes.latest(changes.changes(versions(before))).is_empty()
    assert changes.latest(changes.changes(versions(before, None))).get_column("flag").to_list() == [
        "study removed"
    ]


def test_nothing_landed(landing) -> None:
    assert changes.feed(landing, ["snapshot", "clinicaltrials.gov"]).is_empty()
    assert dict(changes.feed(landing, []).schema) == changes.COLUMNS
