"""The live registry over a real socket: complete data, or an error that names the remedy and leaves landing alone."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from pipeline.errors import (
    BrokenDocument,
    IncompletePull,
    RegistryError,
    RegistryRefused,
    RegistryUnreachable,
    SettingsError,
)
from pipeline.landing import Landing
from pipeline.registry import client, contract
from pipeline.registry.client import LiveSource
from pipeline.settings import RegistrySettings
from tests.support import replay
from tests.support.replay import FakeClock, Replay


@pytest.fixture
def registry():
    with replay.serve(replay.studies(25)) as served:
        yield served


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", "registry")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def pull(registry: Replay, landing: Landing, clock: FakeClock):
    """Pull once; keyword arguments are registry settings."""

    def once(**settings):
        given = {"url": registry.url, "page_size": 10, "timeout_seconds": 2} | settings
        source = LiveSource(RegistrySettings(**given), clock=clock, transport=httpx.HTTPTransport(retries=0))
        return source.pull(landing)

    return once


def held(landing: Landing) -> dict[str, dict]:
    """The studies in force, as a reader of landing finds them; removed ones have `removed`."""
    found: dict[str, dict] = {}
    gone = set(client.removed(landing).get_column("nct_id"))
    for entry in landing.current(client.NAME):
        assert entry.details["form"] == client.FORM
        for study in json.loads(landing.read(entry.sha256))["studies"]:
            if nct_id := study["protocolSection"]["identificationModule"].get("nctId"):
                found[nct_id] = study | {"removed": nct_id in gone}
    return found


def state(landing: Landing) -> list[tuple[str, str]]:
    return sorted((entry.name, entry.sha256) for entry in landing.current(client.NAME))


def move(registry: Replay, version: str = "2026-11-20T09:00:05") -> None:
    registry.version = version


# --- a good night


def test_all_pages_arrive(registry, landing, pull) -> None:
    done = pull()
    assert (done.source, done.version, done.reported_total) == ("clinicaltrials.gov", registry.version, 25)
    assert done.said() == f"25 studies of 25 that the registry reports in force, data of {registry.version}"
    assert not done.is_unchanged
    assert len(held(landing)) == 25
    asked = [request.params for request in registry.pages_asked]
    assert len(asked) == 3
    assert [params.get("countTotal") for params in asked] == ["true", None, None]
    # Every page repeats the search, and the token goes back as it came, underscores and all.
    assert {params["query.cond"] for params in asked} == {"multiple sclerosis"}
    assert "pageToken" not in asked[0]
    assert all(params["pageToken"].startswith("ZVt0_-") for params in asked[1:])
    assert [request.path for request in registry.requests][:: len(registry.requests) - 1] == [
        "/version",
        "/version",
    ]


def test_what_landed_is_what_came(registry, landing, pull) -> None:
    pull()
    bodies = [landing.read(entry.sha256) for entry in landing.current(client.NAME)]
    assert sum(len(json.loads(body)["studies"]) for body in bodies) == 25
    assert all(landing.blob(entry.sha256).suffix == ".zst" for entry in landing.current(client.NAME))


def test_one_request_a_second(registry, landing, pull, clock) -> None:
    pull()
    # Version, three pages, the list of fields, version.
    assert len(registry.requests) == 6
    assert clock.slept == [1.0] * 5
    clock.slept.clear()
    move(registry)
    pull(requests_per_second=4)
    assert set(clock.slept) == {0.25}


def test_every_request_and_answer_keeps_the_contract(shared, registry, landing, pull, clock) -> None:
    registry.validate = replay.contract(shared / "registry" / "openapi" / "ctg-oas-v2.0.3.yaml")
    registry.aliases["NCT90000030"] = "NCT90000001"
    pull(ids=("NCT90000030", "NCT90000002"), page_size=1)
    pull(intervention="alemtuzumab", term="AREA[Phase]PHASE3", advanced="AREA[StartDate]2022")
    registry.documents = registry.documents[1:]
    clock.pass_time(days=8)
    move(registry)
    pull(intervention="alemtuzumab", term="AREA[Phase]PHASE3", advanced="AREA[StartDate]2022")
    assert {request.path for request in registry.requests} >= {"/studies", "/version", "/studies/NCT90000001"}
    assert registry.problems == []


def test_the_contract_check_can_fail(shared) -> None:
    check = replay.contract(shared / "registry" / "openapi" / "ctg-oas-v2.0.3.yaml")
    good = json.dumps({"studies": replay.studies(1)}).encode()
    check("", "/studies", {"pageSize": "5"}, 200, "application/json", good)
    bad = deepcopy(replay.study(1))
    bad["protocolSection"]["statusModule"]["overallStatus"] = "ASLEEP"
    for params, body in (
        ({"format": "xml"}, good),
        ({"filter.ids": "NCT1|nonsense"}, good),
        ({}, b'{"studies": [], "next": 1}'),
        ({}, json.dumps({"studies": [bad]}).encode()),
    ):
        with pytest.raises(Exception, match=r"."):
            check("", "/studies", params, 200, "application/json", body)


def test_the_recorded_studies_can_be_replayed(shared, landing, clock) -> None:
    recorded = json.loads(
        (shared / "registry" / "studies" / "ncbijs_clinical-trials-sample.json").read_text("utf-8")
    )
    documents = recorded if isinstance(recorded, list) else recorded["studies"]
    with replay.serve(documents) as served:
        served.validate = replay.contract(shared / "registry" / "openapi" / "ctg-oas-v2.0.3.yaml")
        settings = RegistrySettings(url=served.url, condition="", page_size=2)
        LiveSource(settings, clock=clock, transport=httpx.HTTPTransport()).pull(landing)
        assert set(held(landing)) == {replay.nct_id(document) for document in documents}


# --- the next nights


def test_the_same_data_timestamp_is_no_pull(registry, landing, pull) -> None:
    pull()
    before, journal = state(landing), landing.journal.read_bytes()
    registry.requests.clear()
    done = pull()
    assert done.is_unchanged
    assert [request.path for request in registry.requests] == ["/version"]
    assert state(landing) == before
    assert landing.journal.read_bytes() == journal


def test_only_what_was_updated_is_asked_for(registry, landing, pull) -> None:
    pull()
    registry.documents[3] = replay.study(4, title="New title", updated="2026-11-20")
    registry.documents.append(replay.study(99, updated="2026-11-20"))
    registry.requests.clear()
    move(registry)
    done = pull()
    asked = registry.pages_asked
    assert len(asked) == 1
    # Data timestamp of the last pull, less two days of overlap.
    assert asked[0].params["filter.advanced"] == "AREA[LastUpdatePostDate]RANGE[2026-11-17,MAX]"
    assert done.reported_total == 26
    assert not done.is_unchanged
    studies = held(landing)
    assert len(studies) == 26
    assert studies["NCT90000004"]["protocolSection"]["identificationModule"]["briefTitle"] == "New title"


def test_a_new_timestamp_without_a_change_changes_nothing(registry, landing, pull) -> None:
    pull()
    before = state(landing)
    # The overlap brings studies again, and every night's export carries its own date.
    for document in registry.documents[:5]:
        document["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"] = "2026-11-19"
    pull_again = pull
    move(registry)
    assert not pull_again().is_unchanged
    for document in registry.documents:
        document["derivedSection"]["miscInfoModule"]["versionHolder"] = "2026-11-21"
    move(registry, "2026-11-21T09:00:05")
    before = state(landing)
    done = pull_again()
    assert done.is_unchanged
    assert done.version == "2026-11-21T09:00:05"
    assert state(landing) == before


def test_an_own_advanced_filter_is_kept(registry, landing, pull) -> None:
    pull(advanced="AREA[StartDate]2024 OR AREA[StartDate]2025")
    move(registry)
    registry.requests.clear()
    pull(advanced="AREA[StartDate]2024 OR AREA[StartDate]2025")
    assert registry.pages_asked[0].params["filter.advanced"] == (
        "(AREA[StartDate]2024 OR AREA[StartDate]2025) AND AREA[LastUpdatePostDate]RANGE[2026-11-17,MAX]"
    )


def test_a_search_for_ids_alone_is_never_an_update(registry, landing, pull) -> None:
    # The API ignores filters then: the answer would be everything, taken for the update.
    pull(term="NCT90000001, NCT90000002")
    move(registry)
    registry.requests.clear()
    pull(term="NCT90000001, NCT90000002")
    assert all("filter.advanced" not in request.params for request in registry.requests)


def test_a_removed_study_is_kept_and_marked(registry, landing, pull) -> None:
    pull()
    names = state(landing)
    del registry.documents[7]
    move(registry)
    done = pull()
    assert not done.is_unchanged
    gone = client.removed(landing)
    assert gone.get_column("nct_id").to_list() == ["NCT90000008"]
    assert gone.get_column("reason").to_list() == ["not in the registry any more"]
    studies = held(landing)
    assert len(studies) == 25
    assert studies["NCT90000008"]["removed"]
    # Names and hashes of what is in force differ, so whoever compares them sees that something happened.
    assert state(landing) != names
    move(registry, "2026-11-21T09:00:05")
    assert pull().is_unchanged
    assert client.removed(landing).height == 1


def test_a_removed_study_may_come_back(registry, landing, pull) -> None:
    pull()
    back = registry.documents.pop(7)
    move(registry)
    pull()
    registry.documents.append(back)
    move(registry, "2026-11-21T09:00:05")
    assert not pull().is_unchanged
    assert client.removed(landing).is_empty()
    assert len(held(landing)) == 25


def test_a_merged_study_says_into_which(registry, landing, pull) -> None:
    pull()
    del registry.documents[7]
    registry.aliases["NCT90000008"] = "NCT90000001"
    move(registry)
    pull()
    assert client.removed(landing).get_column("reason").to_list() == ["merged into NCT90000001"]


def test_ids_are_compared_every_few_days(registry, landing, pull, clock) -> None:
    pull()
    # One study went and another came without a new date: the total alone does not show it.
    registry.documents[7] = replay.study(77)
    clock.pass_time(days=1)
    move(registry)
    assert pull().is_unchanged
    clock.pass_time(days=7)
    move(registry, "2026-11-27T09:00:05")
    pull()
    assert client.removed(landing).get_column("nct_id").to_list() == ["NCT90000008"]
    assert "NCT90000077" in held(landing)


def test_another_search_replaces_everything(registry, landing, pull) -> None:
    pull()
    registry.documents += [
        replay.study(number, conditionsModule={"conditions": ["Migraine"]}) for number in range(50, 53)
    ]
    pull(condition="migraine")
    assert set(held(landing)) == {"NCT90000050", "NCT90000051", "NCT90000052"}
    assert client.removed(landing).is_empty()


# --- bad nights that end well


@pytest.mark.parametrize("name", ["429", "500", "502", "503", "408", "cut", "reset", "wrong_json", "html"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_fault_is_tried_again(registry, landing, pull, clock, name, page) -> None:
    registry.misbehave(name, on_page=page, times=3)
    assert pull().reported_total == 25
    assert len(held(landing)) == 25
    # Waits grow, with jitter on top of 1, 2, 4 seconds.
    waits = [wait for wait in clock.slept if wait != 1.0]
    assert len(waits) >= 3
    assert 1 <= waits[0] <= 2
    assert 2 <= waits[1] <= 3
    assert 4 <= waits[2] <= 5


@pytest.mark.parametrize("status", ["429", "503"])
def test_retry_after_is_obeyed(registry, landing, pull, clock, status) -> None:
    registry.misbehave(status, on_page=2, value=77)
    pull()
    assert 77.0 in clock.slept
    clock.slept.clear()
    registry.misbehave(
        status, path="/version", value=format_datetime(clock.time + timedelta(seconds=300), usegmt=True)
    )
    move(registry)
    pull()
    # A date counts to the second; the request itself takes no time on this clock.
    assert 298 <= max(clock.slept) <= 300


def test_slow_bytes_arrive(registry, landing, pull) -> None:
    registry.misbehave("slow", on_page=1)
    pull()
    assert len(held(landing)) == 25


def test_an_answer_that_never_ends_is_cut(landing) -> None:
    class Trickle(httpx.SyncByteStream):
        def __iter__(self):
            return iter([b" "] * 1000)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/version"):
            return httpx.Response(200, json={"apiVersion": "2", "dataTimestamp": "2026-11-19T09:00:05"})
        return httpx.Response(200, stream=Trickle())

    # Every look at the clock takes 3 s: twenty read timeouts of 2 s are over before the body is.
    clock = FakeClock(step=3)
    settings = RegistrySettings(timeout_seconds=2, max_attempts=2)
    with pytest.raises(RegistryUnreachable, match="was not complete after 40 s"):
        LiveSource(settings, clock=clock, transport=httpx.MockTransport(answer)).pull(landing)


def test_an_empty_page_has_a_successor(registry, landing, pull) -> None:
    registry.misbehave("empty_page", on_page=2)
    pull()
    assert len(held(landing)) == 25
    assert len(registry.pages_asked) == 4


def test_duplicates_count_once(registry, landing, pull) -> None:
    registry.misbehave("duplicate", on_page=2)
    assert pull().reported_total == 25
    assert len(held(landing)) == 25


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "loop", "on_page": 2},
        {"name": "wrong_total", "value": 26},
        {"name": "wrong_total", "value": 24},
        {"name": "no_total"},
        {"name": "drop", "on_page": 2},
        {"name": "bad_token", "on_page": 2},
    ],
)
def test_a_pull_that_cannot_be_complete_starts_over(registry, landing, pull, fault) -> None:
    registry.misbehave(**fault)
    assert pull().reported_total == 25
    assert len(held(landing)) == 25
    failed = [entry for entry in landing.entries() if entry.event == "pull_failed"]
    assert len(failed) == 1


def test_a_timestamp_that_moves_starts_over(registry, landing, pull) -> None:
    calls = iter(["2026-11-19T09:00:05", "2026-11-20T09:00:05"])
    answer = registry.version_answer

    def moving() -> bytes:
        registry.version = next(calls, registry.version)
        return answer()

    registry.version_answer = moving  # type: ignore[method-assign]
    done = pull()
    assert done.version == "2026-11-20T09:00:05"
    assert len(registry.pages_asked) == 6
    assert len(held(landing)) == 25


def test_data_that_never_rest_replace_nothing(registry, landing, pull) -> None:
    pull()
    good = state(landing)
    answer, calls = registry.version_answer, iter(range(10, 60))

    def moving() -> bytes:
        registry.version = f"2026-11-20T09:{next(calls)}:00"
        return answer()

    registry.version_answer = moving  # type: ignore[method-assign]
    with pytest.raises(
        IncompletePull, match=r"data moved from .* to .*; 4 attempts ended so.*Run again later\.$"
    ):
        pull()
    assert state(landing) == good


@pytest.mark.parametrize(
    ("location", "is_followed"),
    [
        ("https://clinicaltrials.gov/api/v2/version", True),
        ("http://clinicaltrials.gov/api/v2/version", False),
        ("https://elsewhere.org/api/v2/version", False),
        ("https://clinicaltrials.gov:8443/version", False),
    ],
)
def test_redirects_stay_with_the_host(landing, clock, location, is_followed) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if len(asked) == 1:
            return httpx.Response(301, headers={"Location": location})
        return httpx.Response(404, text="enough", headers={"Content-Type": "text/plain"})

    scheme = "http" if is_followed else "https"
    settings = RegistrySettings(url=f"{scheme}://clinicaltrials.gov/api/v2")
    with pytest.raises(RegistryRefused, match="enough" if is_followed else "a login page or proxy"):
        LiveSource(settings, clock=clock, transport=httpx.MockTransport(answer)).pull(landing)
    assert (len(asked) == 2) == is_followed


def test_an_interrupted_pull_goes_on_where_it_stopped(registry, landing, pull) -> None:
    registry.misbehave("500", on_page=3, times=99)
    with pytest.raises(RegistryUnreachable):
        pull()
    assert held(landing) == {}
    registry.faults.clear()
    registry.requests.clear()
    assert pull().reported_total == 25
    assert [request.page for request in registry.pages_asked] == [3]
    assert len(held(landing)) == 25


def test_a_killed_pull_goes_on_too(registry, landing, pull) -> None:
    class Killed(BaseException):
        pass

    original = landing.record

    def dies_at_page_two(**event):
        original(**event)
        if event.get("event") == "page" and event["number"] == 2:
            raise Killed

    landing.record = dies_at_page_two  # type: ignore[method-assign]
    with pytest.raises(Killed):
        pull()
    landing.record = original  # type: ignore[method-assign]
    registry.requests.clear()
    pull()
    assert [request.page for request in registry.pages_asked] == [3]
    assert len(held(landing)) == 25


@pytest.mark.parametrize("why", ["moved", "old", "blob lost"])
def test_what_cannot_be_resumed_starts_anew(registry, landing, pull, clock, why) -> None:
    registry.misbehave("500", on_page=3, times=99)
    with pytest.raises(RegistryUnreachable):
        pull()
    registry.faults.clear()
    registry.requests.clear()
    if why == "moved":
        move(registry)
    elif why == "old":
        clock.pass_time(hours=13)
    else:
        page = next(entry for entry in landing.entries() if entry.event == "page")
        landing.blob(page.sha256).write_bytes(b"torn")
        landing.blob(page.sha256).unlink()
    pull()
    assert [request.page for request in registry.pages_asked] == [1, 2, 3]
    assert len(held(landing)) == 25


@pytest.mark.parametrize("dies_after", range(8))
def test_killed_while_it_commits(registry, landing, pull, dies_after) -> None:
    pull()
    registry.documents[3] = replay.study(4, title="New title", updated="2026-11-20")
    del registry.documents[10]
    move(registry)

    class Killed(BaseException):
        pass

    original, events = landing.record, iter(range(99))

    def dies(**event):
        if next(events) == dies_after:
            raise Killed
        original(**event)

    landing.record = dies  # type: ignore[method-assign]
    with suppress(Killed):
        pull()
    landing.record = original  # type: ignore[method-assign]
    assert len(held(landing)) == 25
    pull()
    studies = held(landing)
    assert len(studies) == 25
    assert studies["NCT90000004"]["protocolSection"]["identificationModule"]["briefTitle"] == "New title"
    assert [name for name, study in studies.items() if study["removed"]] == ["NCT90000011"]


# --- bad nights that end with an error

ENDLESS = 99


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ({"name": "429"}, RegistryUnreachable, "status 429"),
        ({"name": "429", "value": 7200}, RegistryUnreachable, "longer than max_wait_seconds"),
        ({"name": "500"}, RegistryUnreachable, "status 500"),
        ({"name": "503", "path": "/version"}, RegistryUnreachable, "/version"),
        ({"name": "cut"}, RegistryUnreachable, "connection broke off"),
        ({"name": "reset"}, RegistryUnreachable, "broke off|no connection"),
        ({"name": "wrong_json"}, BrokenDocument, "no page of studies"),
        ({"name": "html"}, BrokenDocument, "any proxy in between"),
        ({"name": "html", "path": "/version"}, BrokenDocument, "not JSON"),
        ({"name": "loop", "on_page": 2}, IncompletePull, "in a circle"),
        ({"name": "wrong_total", "value": 26}, IncompletePull, "reports 26 studies for the search, 25 arrived"),
        ({"name": "no_total"}, IncompletePull, "no total"),
        ({"name": "drop", "on_page": 1}, IncompletePull, "reports 25 studies for the search, 24 arrived"),
        ({"name": "bad_token", "on_page": 2}, IncompletePull, "no longer accepts the token"),
        ({"name": "400", "value": "Can not parse expression"}, RegistryRefused, "Can not parse expression"),
        ({"name": "404", "value": "No such path"}, RegistryRefused, "No such path"),
        ({"name": "403"}, RegistryRefused, 'httpx-curl-cffi.*transport = "curl"'),
        ({"name": "redirect_away"}, RegistryRefused, "login.invalid"),
    ],
)  # fmt: skip
def test_a_bad_night_leaves_the_last_good_state(registry, landing, pull, fault, error, says) -> None:
    pull()
    good, studies = state(landing), held(landing)
    # Another search makes it a full pull; the last good pages must survive it.
    registry.misbehave(**fault, times=ENDLESS)
    move(registry)
    with pytest.raises(error, match=says) as raised:
        pull(term="something else")
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith(".")
    assert state(landing) == good
    assert held(landing) == studies
    registry.faults.clear()
    assert len(held(landing)) == 25
    pull()
    assert len(held(landing)) == 25


def test_nobody_listens(landing, clock) -> None:
    settings = RegistrySettings(url=f"http://127.0.0.1:{replay.free_port()}/api/v2", max_attempts=3)
    with pytest.raises(RegistryUnreachable, match=r"in 3 attempts \(no connection\).*run again"):
        LiveSource(settings, clock=clock, transport=httpx.HTTPTransport()).pull(landing)
    assert landing.current() == []
    assert len(clock.slept) == 2  # longer than the pace, so that asks for no more


def test_a_registry_that_hangs_is_given_up(landing, clock) -> None:
    def hangs(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(RegistryUnreachable, match="no answer within 60 s"):
        LiveSource(RegistrySettings(), clock=clock, transport=httpx.MockTransport(hangs)).pull(landing)


def test_a_zero_answer_replaces_nothing(registry, landing, pull) -> None:
    pull()
    good = state(landing)
    registry.documents.clear()
    move(registry)
    with pytest.raises(IncompletePull, match="no study for this search"):
        pull()
    assert state(landing) == good


def test_a_zero_answer_to_the_first_pull(registry, landing, pull) -> None:
    with pytest.raises(IncompletePull, match="Correct condition"):
        pull(condition="no such disease")
    assert landing.current() == []


def test_a_shrink_replaces_nothing(registry, landing, pull) -> None:
    pull()
    good = state(landing)
    del registry.documents[:2]
    move(registry)
    with pytest.raises(IncompletePull, match=r"2 of 25 studies are gone.*raise shrink_threshold"):
        pull()
    assert state(landing) == good
    pull(shrink_threshold=0.1)
    assert client.removed(landing).height == 2


def test_records_without_an_id_are_told(registry, landing, pull) -> None:
    registry.misbehave("without_id", on_page=1)
    done = pull()
    assert len(done.set_aside) == 1
    assert "no NCT id" in done.set_aside[0]
    assert len(held(landing)) == 24


def test_changed_fields_of_the_records_are_told(registry, landing, pull) -> None:
    field = replay.metadata_field
    registry.metadata = [
        field("protocolSection", "ProtocolSection", field("briefTitle", "text"), field("count", "integer")),
        field("hasResults", "boolean"),
    ]
    assert pull().set_aside == ()
    move(registry)
    assert pull().set_aside == ()
    registry.metadata = [
        field("protocolSection", "ProtocolSection", field("title", "text"), field("count", "text")),
        field("hasResults", "boolean"),
        field("newSection", "NewSection", field("a", "text"), field("b", "text")),
    ]
    move(registry, "2026-11-21T09:00:05")
    (told,) = pull().set_aside
    assert "2 new (newSection, protocolSection.title)" in told
    assert "1 gone (protocolSection.briefTitle)" in told
    assert "1 of another type (protocolSection.count)" in told
    move(registry, "2026-11-22T09:00:05")
    assert pull().set_aside == ()
    # The registry's own fields are not documents.
    assert len(held(landing)) == 25


def test_a_list_of_fields_that_does_not_come_stops_nothing(registry, landing, pull) -> None:
    registry.misbehave("html", path="/studies/metadata", times=99)
    assert pull().reported_total == 25


def test_the_registrys_real_fields(shared) -> None:
    metadata = json.loads((shared / "registry" / "openapi" / "studies_metadata.json").read_text("utf-8"))
    found = contract.fields(metadata)
    assert found["protocolSection.identificationModule.nctId"] == "text"
    assert len(found) > 400
    assert not contract.compare(found, found)


def test_the_transport_can_be_exchanged(landing) -> None:
    with pytest.raises(SettingsError, match='write "httpx" or "curl"'):
        LiveSource(RegistrySettings(transport="wget")).pull(landing)
    try:
        import httpx_curl_cffi  # noqa: F401
    except ImportError:
        with pytest.raises(SettingsError, match="httpx-curl-cffi is not installed"):
            LiveSource(RegistrySettings(transport="curl")).pull(landing)


def test_an_address_that_is_none(landing, clock) -> None:
    with pytest.raises((SettingsError, RegistryError)):
        LiveSource(RegistrySettings(url="clinicaltrials"), clock=clock, transport=httpx.HTTPTransport()).pull(
            landing
        )
