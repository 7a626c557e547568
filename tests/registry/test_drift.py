"""Differences between records and model, and documents too large for memory."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.registry import drift, load, tables
from tests.registry.test_load import Home, study


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_unknown_paths_are_listed_with_count_and_example(home: Home, tmp_path: Path) -> None:
    first, second = study("NCT91000001"), study("NCT91000002")
    first["protocolSection"]["newModule"] = {"a": 1, "b": [1, 2]}
    second["protocolSection"]["contactsLocationsModule"] = {
        "locations": [
            {"city": "A", "wheelchair's": True},
            {"city": "B", "wheelchair's": False},
            {"city": "C"},
        ]
    }
    second["derivedSection"] = {"miscInfoModule": {"modelPredictions": {"bmiLimits": {"minBmi": 18}}}}
    second["protocolSection"]["designModule"] = {"enrollmentInfo": [1]}
    (tmp_path / "a.json").write_text(json.dumps({"studies": [first, second]}))
    report = home.load(tmp_path / "a.json")
    found = home.table("schema_drift").select(
        "path", "drift_kind", "occurrences", "studies_sampled", "example_nct_id"
    )
    assert found.rows() == [
        ("derivedSection.miscInfoModule.modelPredictions", "unknown_path", 1, 2, "NCT91000002"),
        (
            "protocolSection.contactsLocationsModule.locations.wheelchair's",
            "unknown_path",
            2,
            2,
            "NCT91000002",
        ),
        ("protocolSection.designModule.enrollmentInfo", "unknown_path", 1, 2, "NCT91000002"),
        ("protocolSection.newModule", "unknown_path", 1, 2, "NCT91000001"),
    ]
    # The first is known, with its reason; the others nobody has decided about.
    assert report.drift == tuple(found["path"][1:])
    assert "body mass" in home.table("schema_drift")["known_reason"][0]


def test_real_records_have_no_path_that_nobody_decided_about(home: Home, shared: Path) -> None:
    report = home.load(shared / "registry" / "studies")
    assert report.drift == ()
    known = home.table("schema_drift").filter(pl.col("drift_kind") == "unknown_path")
    assert set(known["path"]) <= set(drift.KNOWN)
    assert known.height


def test_values_that_cannot_be_read_are_counted(home: Home, tmp_path: Path) -> None:
    records = [
        study(
            f"NCT9100000{n}",
            eligibilityModule={"minimumAge": age},
            statusModule={"startDateStruct": {"date": day}},
        )
        for n, (age, day) in enumerate(
            [("18 Years", "2020-01"), ("old", "2020-13"), ("N/A", "soon"), ("2 Decades", "2020")]
        )
    ]
    (tmp_path / "a.json").write_text(json.dumps(records))
    home.load(tmp_path / "a.json")
    found = home.table("schema_drift").select("path", "drift_kind", "occurrences", "example_nct_id")
    assert found.rows() == [
        ("protocolSection.eligibilityModule.minimumAge", "unread_value", 2, "NCT91000001"),
        ("protocolSection.statusModule.startDateStruct.date", "unread_value", 2, "NCT91000001"),
    ]
    dates = (
        home.table("studies")
        .sort("nct_id")
        .select("start_date_earliest", "start_date_latest", "start_date_precision")
    )
    assert [tuple(str(value) for value in row) for row in dates.rows()] == [
        ("2020-01-01", "2020-01-31", "month"),
        ("None", "None", "None"),
        ("None", "None", "None"),
        ("2020-01-01", "2020-12-31", "year"),
    ]


def test_field_that_became_empty_everywhere_is_reported(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "ENOUGH_VALUES", 3)

    def folder(updated: str, **protocol: object) -> Path:
        records = [study(f"NCT9100000{n}", updated, **protocol) for n in range(4)]
        (tmp_path / "a.json").write_text(json.dumps(records))
        return tmp_path / "a.json"

    full = {
        "eligibilityModule": {"sex": "ALL", "stdAges": ["ADULT"]},
        "conditionsModule": {"conditions": ["MS"]},
    }
    assert home.load(folder("2026-01-01", **full)).empty_fields == ()
    assert home.load(folder("2026-01-02", **full)).empty_fields == ()
    gone = home.load(
        folder(
            "2026-01-03", conditionsModule={"conditions": ["MS"]}, eligibilityModule={"stdAges": ["ADULT"]}
        )
    )
    assert gone.empty_fields == ("studies.sex",)
    row = home.table("schema_drift").filter(pl.col("drift_kind") == "empty_everywhere").row(0, named=True)
    assert (row["path"], row["occurrences"]) == ("studies.sex", 4)
    # Other studies are another question.
    (tmp_path / "a.json").write_text(json.dumps([study(f"NCT9200000{n}") for n in range(4)]))
    assert home.load(tmp_path / "a.json").empty_fields == ()


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "STREAMED_BYTES", 1)
    monkeypatch.setattr(load, "STREAMED_RECORDS", 2048)


@pytest.mark.usefixtures("streamed")
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_large_document_is_streamed_in_parts(home: Home, tmp_path: Path, name: str) -> None:
    """5,000 records in parts of about 2,048: the same rows as at once, and the newest version across parts."""
    records = [study(f"NCT9{n:07d}", conditionsModule={"conditions": [f"c{n}"]}) for n in range(4999)]
    records.append(study("NCT90000000", "2026-06-01", conditionsModule={"conditions": ["newest"]}))
    text = json.dumps(records) if name == "a.json" else "\n".join(map(json.dumps, records))
    (tmp_path / name).write_text(text)
    report = home.load(tmp_path / name)
    assert (report.rows["studies"], report.superseded, report.problems) == (4999, 1, ())
    assert len(list((home.lake / "current" / "studies").glob("*.parquet"))) == 3
    conditions = dict(home.table("conditions").select("nct_id", "condition").iter_rows())
    assert conditions["NCT90000000"] == "newest"
    assert conditions["NCT90004998"] == "c4998"


@pytest.mark.usefixtures("streamed")
def test_large_document_of_odd_shape_is_streamed_leniently(home: Home, tmp_path: Path) -> None:
    records = [study(f"NCT9{n:07d}") for n in range(4999)]
    records.append(study("NCT99999999", designModule={"phases": "PHASE2"}))
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    report = home.load(tmp_path / "a.jsonl")
    assert (report.rows["studies"], report.superseded, report.records) == (5000, 0, 5000)


def test_study_that_the_registry_removed_is_kept_and_marked(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = json.dumps({"studies": [study("NCT91000001"), study("NCT91000002")]}).encode()
    sha256, size = home.landing.put(page)
    home.landing.record(
        source="clinicaltrials.gov", name="p/1.json", sha256=sha256, size=size, form="unstructured/page",
        removed={"NCT91000002": {"at": "2026-11-20T02:00:00+00:00", "reason": "gone"}},
    )  # fmt: skip
    load.load(home.landing, home.lake, sources=["clinicaltrials.gov"], snapshot_id="x")
    studies = home.table("studies").sort("nct_id").select("nct_id", "is_current", "source")
    assert studies.rows() == [
        ("NCT91000001", True, "clinicaltrials.gov"),
        ("NCT91000002", False, "clinicaltrials.gov"),
    ]


def test_unreadable_landed_document_is_told_and_the_rest_loads(home: Home) -> None:
    for name, content in {
        "good": json.dumps(study()).encode(),
        "bad": b'{"protocolSection": {',
        "odd": b"hello",
    }.items():
        sha256, size = home.landing.put(content)
        home.landing.record(source="snapshot", name=name, sha256=sha256, size=size)
    report = load.load(home.landing, home.lake, sources=["snapshot"], snapshot_id="x")
    assert report.rows["studies"] == 1
    assert [problem.split(":")[0] for problem in report.problems] == ["bad", "odd"]
    assert home.table("documents").filter(pl.col("problem").is_not_null())["name"].to_list() == ["bad", "odd"]


def test_sample_of_many_documents_is_bounded() -> None:
    many = [tables.Document(n, Path("x"), "array/study", 1 << 20) for n in range(1000)]
    chosen, share = drift._sample(many)
    assert sum(document.size for document in chosen) <= drift.READ_BYTES
    assert share == 2
