"""Rows of unchanged documents stand from the load before, and the result is that of reading everything again."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import polars as pl
import pytest

from pipeline.landing import Landing
from pipeline.registry import changes, parts, schemas, tables
from pipeline.registry import load as loading
from pipeline.registry.client import NAME, LiveSource
from pipeline.registry.load import LoadReport, load
from pipeline.registry.mirror import MirrorSource
from pipeline.registry.snapshot import SnapshotSource
from pipeline.settings import RegistrySettings
from tests.support import replay
from tests.support.replay import FakeClock

SOURCES = ["snapshot", "mirror"]


def rows_of(base: Path) -> dict[str, pl.DataFrame]:
    """Every table of the current snapshot, rows in an order of their own."""
    found = {}
    for name in schemas.LAKE_TABLES:
        frame = pl.read_parquet(base / "current" / name / "*.parquet")
        found[name] = frame.sort(pl.all().exclude(pl.List(pl.String)), nulls_last=True)
    return found


def assert_as_read_anew(landing: Landing, base: Path, sources: list[str], anew: Path) -> None:
    load(landing, anew, sources=sources, snapshot_id="anew")
    mine, whole = rows_of(base), rows_of(anew)
    for name in schemas.LAKE_TABLES:
        assert mine[name].equals(whole[name]), name


def record(nct_id: str, title: str = "Invented", updated: str = "2026-01-02", **protocol: object) -> dict:
    found = replay.study(int(nct_id[-2:]), title=title, updated=updated)
    found["protocolSection"]["identificationModule"]["nctId"] = nct_id
    found["protocolSection"] |= protocol
    return found


class Folder:
    """A recorded folder, and loads of it one after another."""

    def __init__(self, root: Path):
        self.root = root
        self.records = root / "records"
        self.records.mkdir()
        self.landing = Landing(root / "landing", "registry")
        self.base = root / "lake"
        self.runs = 0

    def put(self, name: str, *records: dict) -> None:
        (self.records / name).write_text(json.dumps({"studies": list(records)}))

    def load(self) -> LoadReport:
        SnapshotSource(self.records).pull(self.landing)
        if (self.root / "mirror").is_dir():
            MirrorSource(self.root / "mirror").pull(self.landing)
        self.runs += 1
        return load(self.landing, self.base, sources=SOURCES, snapshot_id=f"run-{self.runs}")

    def assert_as_read_anew(self) -> None:
        assert_as_read_anew(self.landing, self.base, SOURCES, self.root / f"anew-{self.runs}")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_only_what_is_new_is_read(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("a.json", record("NCT94000001"), record("NCT94000002"))
    folder.load()
    folder.put("b.json", record("NCT94000002", "Newer", "2026-02-02"), record("NCT94000003"))
    read: list[list[int]] = []
    whole = tables.Reader.read

    def watched(self: tables.Reader, documents: list, **options: object) -> pl.DataFrame:
        read.append([document.index for document in documents])
        return whole(self, documents, **options)

    monkeypatch.setattr(tables.Reader, "read", watched)
    report = folder.load()
    assert read == [[1]]
    assert (report.documents, report.documents_reused) == (2, 1)
    assert (report.records, report.superseded) == (4, 1)
    titles = dict(rows_of(folder.base)["studies"].select("nct_id", "brief_title").iter_rows())
    assert titles == {"NCT94000001": "Invented", "NCT94000002": "Newer", "NCT94000003": "Invented"}
    folder.assert_as_read_anew()
    # What is not the newest any more comes back when the newer document leaves.
    (folder.records / "b.json").unlink()
    report = folder.load()
    assert report.documents_reused == 1
    assert rows_of(folder.base)["studies"]["brief_title"].to_list() == ["Invented", "Invented"]
    folder.assert_as_read_anew()


def test_nights_of_the_live_registry(tmp_path: Path) -> None:
    landing, clock = Landing(tmp_path / "landing", "registry"), FakeClock()
    with replay.serve(replay.studies(25)) as registry:
        for night, version in enumerate((None, "2026-11-20T09:00:05", "2026-11-21T09:00:05")):
            clock.pass_time(days=1)
            registry.version = version or registry.version
            if night == 1:
                registry.documents[3] = replay.study(4, title="New title", updated="2026-11-20")
            if night == 2:
                registry.documents.pop(9)
            settings = RegistrySettings(url=registry.url, page_size=10)
            LiveSource(settings, clock=clock, transport=httpx.HTTPTransport()).pull(landing)
            report = load(landing, tmp_path / "lake", sources=[NAME], snapshot_id=f"night-{night}")
            if night:
                assert report.documents_reused > 0
            assert_as_read_anew(landing, tmp_path / "lake", [NAME], tmp_path / f"anew-{night}")
    studies = rows_of(tmp_path / "lake")["studies"]
    assert studies.filter(~pl.col("is_current"))["nct_id"].to_list() == ["NCT90000010"]


def test_ugly_documents_and_mirror_pages(folder: Folder, shared: Path) -> None:
    wrong = {"moreInfoModule": "text"}
    (folder.root / "mirror").mkdir()
    page = (shared / "seeds" / "mirror_NCT03368664.md").read_text(encoding="utf-8")
    (folder.root / "mirror" / "NCT03368664.md").write_text(page, encoding="utf-8")
    folder.put(
        "a.json",
        record("NCT94000001") | {"resultsSection": wrong},
        record("NCT94000002", statusModule={"startDateStruct": {"date": "soon"}}),
        record("NCT94000004", contactsLocationsModule={"locations": [{"geoPoint": {"lat": 1000, "lon": 0}}]}),
    )
    first = folder.load()
    assert first.rejected == {"locations": 1}
    folder.put("b.json", record("NCT94000004", updated="2026-03-03"), record("NCT03368664"))
    report = folder.load()
    assert (report.documents, report.documents_reused) == (3, 2)
    assert report.rejected == {}  # the version with the impossible place is superseded
    assert "NCT03368664" in rows_of(folder.base)["source_conflicts"]["nct_id"].to_list()
    assert "unread_value" in rows_of(folder.base)["schema_drift"]["drift_kind"].to_list()
    folder.assert_as_read_anew()


def test_a_version_outside_of_its_schema_gives_way_to_an_older_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An age below zero: no rule lets it pass.
    bad = record("NCT94000001", updated="2026-05-05", designModule={"enrollmentInfo": {"count": -5}})
    for together in (True, False):
        if together:
            folder.put("a.json", record("NCT94000001"), bad)
        else:
            folder.put("a.json", record("NCT94000001"))
            folder.load()
            folder.put("b.json", bad)
        report = folder.load()
        assert (report.records, report.records_rejected, report.superseded) == (2, 1, 0)
        studies = rows_of(folder.base)["studies"]
        assert studies["last_update_posted_date"].cast(pl.String).to_list() == ["2026-01-02"]
        assert report.rejected == {"studies": 1}
        folder.assert_as_read_anew()
    # A good version newer than the bad one: the bad one is no loss.
    folder.put("c.json", record("NCT94000001", updated="2026-06-06"))
    report = folder.load()
    assert (report.records_rejected, report.superseded, report.rejected) == (0, 2, {})
    folder.assert_as_read_anew()


def test_other_code_reads_everything_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("a.json", record("NCT94000001"))
    folder.load()
    monkeypatch.setattr(loading, "reading_code", lambda: "other")
    assert folder.load().documents_reused == 0
    assert folder.load().documents_reused == 1
    # What the other code left is gone.
    assert len(list((folder.base / parts.FOLDER).glob("*.group.json"))) == 1


def test_damaged_part_is_read_again(folder: Folder) -> None:
    folder.put("a.json", record("NCT94000001"))
    folder.load()
    part = next((folder.base / parts.FOLDER).glob("*/studies.parquet"))
    content = part.read_bytes()
    part.unlink()
    part.write_bytes(content[:100])
    assert folder.load().documents_reused == 0
    folder.assert_as_read_anew()


def test_a_load_that_was_killed_goes_on_where_it_stopped(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH_BYTES", 1)
    for n in range(1, 5):
        folder.put(f"{n}.json", record(f"NCT9400000{n}"))
    settle = loading._Loader._settle

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loading._Loader, "_settle", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.load()
    assert not (folder.base / "current").exists()
    monkeypatch.setattr(loading._Loader, "_settle", settle)
    assert folder.load().documents_reused == 4
    folder.assert_as_read_anew()


def test_many_small_parts_are_read_together(folder: Folder) -> None:
    for n in range(1, loading.SMALL_PARTS + 2):
        folder.put(f"{n:02}.json", record(f"NCT940000{n:02}"))
        report = folder.load()
        assert report.documents_reused == n - 1
    folder.put("99.json", record("NCT94000099"))
    assert folder.load().documents_reused == 0
    assert len(list((folder.base / parts.FOLDER).glob("*.group.json"))) == 1
    folder.assert_as_read_anew()


def test_streamed_document(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "STREAMED_BYTES", 100)
    monkeypatch.setattr(loading, "STREAMED_RECORDS", 2)
    lines = [json.dumps(record(f"NCT9400000{n}")) for n in range(1, 6)]
    (folder.records / "all.jsonl").write_text("\n".join(lines))
    folder.load()
    report = folder.load()
    assert report.documents_reused == 1
    assert report.rows["studies"] == 5
    folder.assert_as_read_anew()


def test_versions_of_unchanged_documents_are_not_looked_into_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    whole = changes._records
    monkeypatch.setattr(
        changes, "_records", lambda *given, **how: looked.append(len(given[2])) or whole(*given, **how)
    )
    for night, title in enumerate(("One", "Two", "Three", "Four")):
        folder.put(f"{night}.json", record("NCT94000001", title, f"2026-0{night + 1}-01"))
        folder.load()
        folder.assert_as_read_anew()
        looked_anew = night + 1 if night else 0  # the load of everything that the result is compared with
        assert sum(looked) == (0, 2, 1, 1)[night] + looked_anew
        looked.clear()
    told = rows_of(folder.base)["field_changes"].filter(pl.col("field_path").str.ends_with("briefTitle"))
    assert told.sort("seen_at")["new_value"].to_list() == ["Two", "Three", "Four"]
