"""Mirror pages: what a page says, folders and sites of them, and pages that are broken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import BrokenDocument, RegistryError
from pipeline.landing import Landing
from pipeline.registry.mirror import MirrorSource, parse
from pipeline.settings import RegistrySettings
from tests.support.replay import FakeClock

PAGE = """---
title: "Invented: a trial"
nct_id: {nct_id}
primary_condition: Multiple Sclerosis, Relapsing-Remitting
countries: Germany, Korea, Republic of
ct_last_update_post_date: 2026-09-30
---
# Invented: a trial

**Official Title:** An invented trial
of two lines

## Key Facts

- **Status:** RECRUITING
- **Phase:** PHASE2, PHASE3
- **Conditions:** Multiple Sclerosis, Relapsing-Remitting, Fatigue
- **Start Date:** 2025-02

## Brief Summary

First.

## A heading of the sponsor's own

Second (\\<5).

## Eligibility

- **Minimum age:** 6 Months
- **Healthy Volunteers:** Yes

```
* Age \\>= 6 months
## not a heading
```

## Arms

- **Arm (A)** (EXPERIMENTAL) — two
  lines
- **Arm B**
- no name at all

## Interventions

- **Drug** (DRUG)

## Primary Outcomes

- **Relapses (ARR)** _(time frame: Up to 5 years (60 months))_ — Counted.
- **EDSS**

## Locations (4)

- Department of Neurology, Clinic, Berlin, Berlin, Germany
- Site 2, Seoul, Korea, Republic of
- Vienna, Austria
- Ward 3, Hospital, London, City of London, United Kingdom

## Recent Field Changes (last 30 days)

- `status.overallStatus` — changed _(2026-09-30)_
- `locations.ward 3, hospital|london|city of london|united kingdom` — added _(2026-09-30)_

---

*This page is invented.*
"""


def page(nct_id: str = "NCT91000001") -> str:
    return PAGE.format(nct_id=nct_id)


def test_texts_lists_and_sites_of_a_page() -> None:
    read = parse(page())
    protocol = read.study["protocolSection"]
    assert protocol["identificationModule"]["officialTitle"] == "An invented trial of two lines"
    assert protocol["designModule"]["phases"] == ["PHASE2", "PHASE3"]
    assert protocol["conditionsModule"]["conditions"] == [
        "Multiple Sclerosis, Relapsing-Remitting",
        "Fatigue",
    ]
    assert protocol["descriptionModule"]["briefSummary"].endswith(
        "## A heading of the sponsor's own\n\nSecond (\\<5)."
    )
    assert protocol["eligibilityModule"]["eligibilityCriteria"] == "* Age \\>= 6 months\n## not a heading"
    assert protocol["eligibilityModule"]["healthyVolunteers"] == "true"
    assert [arm["label"] for arm in protocol["armsInterventionsModule"]["armGroups"]] == ["Arm (A)", "Arm B"]
    assert protocol["armsInterventionsModule"]["armGroups"][0]["description"] == "two\nlines"
    assert protocol["outcomesModule"]["primaryOutcomes"] == [
        {"measure": "Relapses (ARR)", "timeFrame": "Up to 5 years (60 months)", "description": "Counted."},
        {"measure": "EDSS"},
    ]
    sites = [tuple(site.values()) for site in protocol["contactsLocationsModule"]["locations"]]
    assert sites == [
        ("Department of Neurology, Clinic", "Berlin", "Berlin", "Germany"),
        ("Site 2", "Seoul", "Korea, Republic of"),
        ("Vienna", "Austria"),
        ("Ward 3, Hospital", "London", "City of London", "United Kingdom"),
    ]
    assert [change["change_kind"] for change in read.changes] == ["changed", "added"]
    assert read.not_understood == ("Arms",)


def test_first_day_of_a_study_is_its_baseline() -> None:
    text = page().replace("— changed _(", "— added _(")
    assert [change["change_kind"] for change in parse(text).changes] == ["baseline", "baseline"]
    later = text.replace("united kingdom` — added _(2026-09-30)_", "united kingdom` — added _(2026-10-02)_")
    assert [change["change_kind"] for change in parse(later).changes] == ["baseline", "added"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# a page",
        "---\nnct_id: [\n---\n",
        "---\nnct_id: none\n---\n",
        page()[:300],
        "---\n- a\n---\n",
        page("NCT1"),
    ],
)
def test_what_is_no_whole_page_says_so(text: str) -> None:
    with pytest.raises(BrokenDocument, match="is no"):
        parse(text)


class Site:
    """A mirror on a socket: paths to bodies, or to a status."""

    def __init__(self) -> None:
        self.answers: dict[str, str | int] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                answer = site.answers.get(self.path, 404)
                self.send_response(answer if isinstance(answer, int) else 200)
                self.end_headers()
                if isinstance(answer, str):
                    self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", "registry")


def source(site: Site, path: str) -> MirrorSource:
    return MirrorSource(site.url + path, RegistrySettings(max_attempts=2), clock=FakeClock())


def test_site_with_a_list_of_pages(site: Site, landing: Landing) -> None:
    site.answers = {
        "/trials": 'see <a href="/t/NCT91000001.md">one</a>, [two](t/NCT91000002.md), https://elsewhere.example/NCT91000009.md',
        "/t/NCT91000001.md": page("NCT91000001"),
        "/t/NCT91000002.md": page("NCT91000002"),
    }
    pull = source(site, "/trials").pull(landing)
    assert (pull.documents, pull.is_unchanged, pull.set_aside) == (2, False, ())
    assert site.asked == ["/trials", "/t/NCT91000001.md", "/t/NCT91000002.md"]
    assert source(site, "/trials").pull(landing).is_unchanged

    site.answers["/t/NCT91000001.md"] = 500
    site.answers["/t/NCT91000002.md"] = "<html>an error page</html>"
    with pytest.raises(RegistryError, match="no usable page"):
        source(site, "/trials").pull(landing)
    assert len(landing.current("mirror")) == 2

    site.answers["/t/NCT91000002.md"] = page("NCT91000002").replace("RECRUITING", "COMPLETED")
    pull = source(site, "/trials").pull(landing)
    assert pull.documents == 2  # the page that fails keeps its last good version
    assert [line.split(":")[0] for line in pull.set_aside] == ["NCT91000001.md"]

    site.answers["/trials"] = "t/NCT91000002.md"
    source(site, "/trials").pull(landing)
    assert [entry.name for entry in landing.current("mirror")] == ["NCT91000002.md"]


def test_single_page_address(site: Site, landing: Landing) -> None:
    site.answers = {"/t/NCT91000001.md": page()}
    assert source(site, "/t/NCT91000001.md").pull(landing).documents == 1


def test_site_that_does_not_answer_replaces_nothing(site: Site, landing: Landing) -> None:
    site.answers = {"/t/NCT91000001.md": page()}
    source(site, "/t/NCT91000001.md").pull(landing)
    site.answers = {"/t/NCT91000001.md": 503}
    with pytest.raises(RegistryError) as caught:
        source(site, "/t/NCT91000001.md").pull(landing)
    assert "\n" not in str(caught.value)
    assert len(landing.current("mirror")) == 1


def test_folder_that_is_not_there(landing: Landing, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="does not exist: set mirror_url"):
        MirrorSource(tmp_path / "none").pull(landing)
