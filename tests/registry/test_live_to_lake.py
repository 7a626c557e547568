"""From the live API to the lake: what was pulled can be read, what is gone is kept, what changed is told."""

from __future__ import annotations

from pathlib import Path

import httpx
import polars as pl
import pytest

from pipeline.landing import Landing
from pipeline.registry.client import NAME, LiveSource
from pipeline.registry.load import load
from pipeline.settings import RegistrySettings
from tests.support import replay
from tests.support.replay import FakeClock


@pytest.fixture
def lake(tmp_path: Path):
    """Pull and load in turn; gives the tables of the lake."""
    landing, clock = Landing(tmp_path / "landing", "registry"), FakeClock()
    with replay.serve(replay.studies(25)) as registry:

        def night(version: str | None = None) -> dict[str, pl.DataFrame]:
            clock.pass_time(days=1)
            registry.version = version or registry.version
            settings = RegistrySettings(url=registry.url, page_size=10)
            LiveSource(settings, clock=clock, transport=httpx.HTTPTransport()).pull(landing)
            base = tmp_path / "lake"
            load(landing, base, sources=[NAME], snapshot_id=f"at-{clock.time:%Y%m%d}")
            names = ("studies", "field_changes", "outcomes", "outcome_epochs", "documents")
            return {name: pl.read_parquet(base / "current" / name / "*.parquet") for name in names}

        night.registry = registry  # type: ignore[attr-defined]
        yield night


def test_pages_become_tables(lake) -> None:
    tables = lake()
    studies = tables["studies"]
    assert studies.height == 25
    assert studies.get_column("is_current").all()
    assert studies.get_column("source").unique().to_list() == [NAME]
    assert tables["outcomes"].filter(pl.col("outcome_type") == "primary").get_column(
        "outcome_kind"
    ).unique().to_list() == ["arr"]
    assert tables["outcome_epochs"].get_column("parse_status").unique().to_list() == ["parsed"]
    assert tables["field_changes"].get_column("change_kind").unique().to_list() == ["baseline"]
    documents = tables["documents"]
    assert (documents.get_column("accepted").sum(), documents.get_column("rejected").sum()) == (25, 0)


def test_three_nights(lake) -> None:
    registry = lake.registry
    lake()
    registry.documents[3] = replay.study(4, title="New title", updated="2026-11-20")
    gone = registry.documents.pop(9)
    second = lake("2026-11-20T09:00:05")
    studies = second["studies"]
    assert studies.height == 25
    assert studies.filter(~pl.col("is_current")).get_column("nct_id").to_list() == ["NCT90000010"]
    assert studies.filter(pl.col("nct_id") == "NCT90000004").get_column("brief_title").to_list() == [
        "New title"
    ]
    told = second["field_changes"].filter(pl.col("change_kind") != "baseline")
    assert set(told.select("nct_id", "change_kind").rows()) == {
        ("NCT90000004", "changed"),
        ("NCT90000010", "study_removed"),
    }
    registry.documents.append(gone)
    third = lake("2026-11-21T09:00:05")
    assert third["studies"].get_column("is_current").all()
    last = third["field_changes"].filter(pl.col("nct_id") == "NCT90000010").sort("seen_at")
    assert last.get_column("change_kind").to_list() == ["baseline", "study_removed", "reappeared"]


def test_an_old_page_beside_a_new_one(lake) -> None:
    # The removed study's page is named anew and so lands after the page with the newer version of study 4,
    # whose own date did not move: the newer export still stands.
    registry = lake.registry
    lake()
    changed = replay.study(4, title="New title", updated="2026-11-19")
    changed["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"] = "2026-11-19"
    for document in registry.documents:
        document["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"] = "2026-11-19"
    lake("2026-11-20T09:00:05")
    changed["derivedSection"]["miscInfoModule"]["versionHolder"] = "2026-11-21"
    registry.documents[3] = changed
    lake("2026-11-21T09:00:05")
    registry.documents.pop(9)
    studies = lake("2026-11-22T09:00:05")["studies"]
    assert studies.filter(pl.col("nct_id") == "NCT90000004").get_column("brief_title").to_list() == [
        "New title"
    ]
    assert studies.filter(~pl.col("is_current")).get_column("nct_id").to_list() == ["NCT90000010"]
