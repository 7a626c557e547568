"""Versions of a study to the criteria that were in force before each amendment."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.landing import Landing
from pipeline.registry import amendments, changes, eligibility
from pipeline.registry.load import load

ID = "NCT90000971"
NO_OVERRIDES = pl.DataFrame(schema={"criterion_id": pl.String})


def record(criteria: str, updated: str, **eligibility_fields: str) -> dict[str, Any]:
    return {
        "protocolSection": {
            "identificationModule": {"nctId": ID, "briefTitle": "Invented trial in multiple sclerosis"},
            "statusModule": {"lastUpdatePostDateStruct": {"date": updated}},
            "conditionsModule": {"conditions": ["Multiple Sclerosis"]},
            "eligibilityModule": {"eligibilityCriteria": criteria, "minimumAge": "18 Years"} | eligibility_fields,
        }
    }  # fmt: skip


def text(edss: str) -> str:
    return f"Inclusion Criteria:\n\n* EDSS score of 0 to {edss}\n* Age \\>= 18 years\n\nExclusion Criteria:\n\n* Pregnancy"


FIRST = record(text("4.0"), "2024-01-01", minimumAge="21 Years")
SECOND = record(text("5.0"), "2024-06-01")
THIRD = record(text("5.5"), "2025-01-01")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", "registry")


def put(landing: Landing, name: str, content: Any, day: int) -> None:
    sha256, size = landing.put(json.dumps(content).encode())
    landing.record(source="snapshot", name=name, sha256=sha256, size=size, form="unstructured/study", root="a",
                   at=datetime(2026, 1, day))  # fmt: skip


def loaded(landing: Landing, base: Path) -> dict[str, pl.DataFrame]:
    load(landing, base, sources=["snapshot"], snapshot_id="test")
    return {
        table: pl.read_parquet(base / "current" / table / "*.parquet")
        for table in (*amendments.TABLES, "field_changes", "criteria", "criterion_constraints", "studies")
    }


def bounds(constraints: pl.DataFrame, *key: str) -> list[tuple]:
    chosen = constraints.filter(pl.col("kind") == "edss_range")
    return chosen.select(*key, "max_value").sort(key or ["max_value"]).rows()


def test_pulls_one_after_another(landing: Landing, tmp_path: Path) -> None:
    for day, version in enumerate((FIRST, SECOND, THIRD), start=1):
        put(landing, "study.json", version, day)
    tables = loaded(landing, tmp_path / "lake")
    assert tables["studies"].height == 1
    assert bounds(tables["criterion_constraints"]) == [(5.5,)]
    assert bounds(tables["earlier_criterion_constraints"], "versions_back") == [(1, 5.0), (2, 4.0)]
    ages = tables["earlier_criterion_constraints"].filter(
        (pl.col("kind") == "age_range") & (pl.col("origin") == "structured")
    )
    assert ages.select("versions_back", "min_value").sort("versions_back").rows() == [(1, 18.0), (2, 21.0)]
    flagged = tables["field_changes"].filter("is_eligibility_change")
    key = ["nct_id", "version", "seen_at"]
    assert flagged.select(key).unique().sort(key).rows() == tables["amendments"].select(key).sort(key).rows()


def test_earlier_criteria_are_what_the_grammar_reads_of_them(landing: Landing, tmp_path: Path) -> None:
    put(landing, "study.json", SECOND, 1)
    put(landing, "study.json", THIRD, 2)
    tables = loaded(landing, tmp_path / "lake")
    fields = SECOND["protocolSection"]["eligibilityModule"]
    plain = fields["eligibilityCriteria"].replace("\\", "")
    read = eligibility.parse(
        pl.DataFrame({"nct_id": [ID], "eligibility_text": [plain], "minimum_age_years": [18.0]})
    )
    for table in ("criteria", "criterion_constraints"):
        found = tables[f"earlier_{table}"].drop("versions_back")
        assert found.select(sorted(found.columns)).equals(read[table].select(sorted(found.columns)))


def test_an_older_record_beside_the_newest_is_its_past(landing: Landing, tmp_path: Path) -> None:
    put(landing, "newest.json", THIRD, 1)
    put(landing, "older.json", FIRST, 1)
    put(landing, "old.json", SECOND, 1)
    fragment = deepcopy(FIRST)
    del fragment["protocolSection"]["eligibilityModule"]
    fragment["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"] = "2023-01-01"
    put(landing, "fragment.json", fragment, 1)
    tables = loaded(landing, tmp_path / "lake")
    assert tables["amendments"].select("versions_back", "version", "seen_at").rows() == [
        (1, "2025-01-01", datetime(2025, 1, 1)),
        (2, "2024-06-01", datetime(2024, 6, 1)),
    ]
    assert bounds(tables["earlier_criterion_constraints"], "versions_back") == [(1, 5.0), (2, 4.0)]
    kinds = tables["field_changes"]["change_kind"]
    # The fragment's gaps are no removals and additions.
    assert set(kinds) == {"baseline", "changed"}
    assert kinds.to_list().count("baseline") == 1


def test_what_is_no_amendment(landing: Landing, tmp_path: Path) -> None:
    again = deepcopy(SECOND)
    again["protocolSection"]["identificationModule"]["briefTitle"] = "Another title in multiple sclerosis"
    spaced = deepcopy(again)
    module = spaced["protocolSection"]["eligibilityModule"]
    module["eligibilityCriteria"] = module["eligibilityCriteria"].replace("\n", "\r\n\r\n")
    for day, version in enumerate((SECOND, again, spaced), start=1):
        put(landing, "study.json", version, day)
    tables = loaded(landing, tmp_path / "lake")
    assert tables["amendments"].is_empty()
    assert tables["earlier_criteria"].is_empty()


def test_a_study_that_was_gone_comes_back_amended(landing: Landing, tmp_path: Path) -> None:
    other = deepcopy(SECOND)
    other["protocolSection"]["identificationModule"]["nctId"] = "NCT90000972"
    put(landing, "other.json", other, 1)
    put(landing, "study.json", FIRST, 1)
    landing.record(source="snapshot", name="study.json", event="withdrawn", at=datetime(2026, 1, 2))
    put(landing, "other.json", other | {"hasResults": False}, 2)
    put(landing, "study.json", THIRD, 3)
    tables = loaded(landing, tmp_path / "lake")
    assert bounds(tables["earlier_criterion_constraints"], "versions_back") == [(1, 4.0)]


def test_only_the_latest_are_kept(landing: Landing, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(amendments, "LIMIT", 1)
    for day, version in enumerate((FIRST, SECOND, THIRD), start=1):
        put(landing, "study.json", version, day)
    history = changes.history(landing, ["snapshot"])
    found = amendments.earlier(history, NO_OVERRIDES, tmp_path)
    assert found["amendments"]["versions_back"].to_list() == [1]
    assert bounds(found["earlier_criterion_constraints"], "versions_back") == [(1, 5.0)]
    assert not list(tmp_path.glob("*.jsonl"))


def test_nothing_amended(tmp_path: Path) -> None:
    nothing = changes.History(
        pl.DataFrame(schema=changes.COLUMNS),
        pl.DataFrame(
            schema={"nct_id": pl.String, "source": pl.String, "version": pl.String, "seen_at": pl.Datetime("us"), "document": pl.String}
        ),
    )  # fmt: skip
    found = amendments.earlier(nothing, NO_OVERRIDES, tmp_path)
    assert [frame.height for frame in found.values()] == [0, 0, 0]
