"""Landed documents to the lake: every study of the real records, ten facts read by hand, and ugly input."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest
import zstandard

from pipeline.errors import RegistryError
from pipeline.landing import Landing
from pipeline.registry import mirror, schemas
from pipeline.registry.load import LoadReport, load
from pipeline.registry.mirror import MirrorSource
from pipeline.registry.snapshot import SnapshotSource


class Home:
    """A landing area and a lake below a folder, and what a test asks of them."""

    def __init__(self, root: Path):
        self.landing = Landing(root / "landing", "registry")
        self.lake = root / "lake" / "registry"
        self.runs = 0

    def load(self, *paths: Path, mirror: Path | None = None) -> LoadReport:
        for path in paths:
            SnapshotSource(path).pull(self.landing)
        if mirror:
            MirrorSource(mirror).pull(self.landing)
        self.runs += 1
        return load(self.landing, self.lake, sources=["snapshot", "mirror"], snapshot_id=f"run-{self.runs}")

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.lake / "current" / name / "*.parquet")

    def one(self, name: str, nct_id: str, **where: object) -> pl.DataFrame:
        return self.table(name).filter(pl.col("nct_id") == nct_id, **where)


def study(nct_id: str | None = "NCT91000001", updated: str = "2026-01-02", **protocol: object) -> dict:
    """An invented record with the modules that a test names."""
    return {
        "protocolSection": {
            "identificationModule": {"nctId": nct_id, "briefTitle": f"Invented {nct_id}"} if nct_id else {},
            "statusModule": {"lastUpdatePostDateStruct": {"date": updated}},
            **protocol,
        }
    }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("real"))
    home.report = home.load(shared / "registry" / "studies")
    return home


def recorded(folder: Path) -> dict[str, dict]:
    """The studies of a folder as Python's json reads them, by id."""
    found = {}
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            parsed = json.loads(text)
            records = parsed if isinstance(parsed, list) else parsed.get("studies", [parsed])
        found |= {r["protocolSection"]["identificationModule"]["nctId"]: r for r in records}
    return found


def items(record: dict, path: str) -> list:
    """The items of a list of lists, `outcomesModule.primaryOutcomes` with every level flattened."""
    level = [record]
    for name in path.split("."):
        level = [
            child
            for node in level
            if name in node
            for child in (node[name] if isinstance(node[name], list) else [node[name]])
        ]
    return level


COUNTED = {
    "conditions": ["protocolSection.conditionsModule.conditions"],
    "keywords": ["protocolSection.conditionsModule.keywords"],
    "arms": ["protocolSection.armsInterventionsModule.armGroups"],
    "interventions": ["protocolSection.armsInterventionsModule.interventions"],
    "locations": ["protocolSection.contactsLocationsModule.locations"],
    "study_references": ["protocolSection.referencesModule.references"],
    "sponsors": [
        "protocolSection.sponsorCollaboratorsModule.leadSponsor",
        "protocolSection.sponsorCollaboratorsModule.collaborators",
    ],
    "study_documents": ["documentSection.largeDocumentModule.largeDocs"],
    "outcome_measures": ["resultsSection.outcomeMeasuresModule.outcomeMeasures"],
    "outcome_results": [
        "resultsSection.outcomeMeasuresModule.outcomeMeasures.classes.categories.measurements"
    ],
    "result_analyses": ["resultsSection.outcomeMeasuresModule.outcomeMeasures.analyses"],
    "baseline_measures": [
        "resultsSection.baselineCharacteristicsModule.measures.classes.categories.measurements"
    ],
    "participant_flow": [
        "resultsSection.participantFlowModule.periods.milestones.achievements",
        "resultsSection.participantFlowModule.periods.dropWithdraws.reasons",
    ],
    "adverse_events": [
        "resultsSection.adverseEventsModule.seriousEvents.stats",
        "resultsSection.adverseEventsModule.otherEvents.stats",
    ],
    "mesh_terms": [
        f"derivedSection.{topic}BrowseModule.{kind}"
        for topic in ("condition", "intervention")
        for kind in ("meshes", "ancestors", "browseLeaves", "browseBranches")
    ],
}


def test_every_study_and_every_item_of_the_real_records_arrives(real: Home, shared: Path) -> None:
    records = recorded(shared / "registry" / "studies")
    assert len(records) == 257
    assert set(real.table("studies")["nct_id"]) == set(records)
    for table, paths in COUNTED.items():
        expected = sum(len(items(record, path)) for record in records.values() for path in paths)
        assert real.table(table).height == expected, table
    registered = sum(
        len(items(record, f"protocolSection.outcomesModule.{kind}Outcomes"))
        for record in records.values()
        for kind in ("primary", "secondary", "other")
    )
    assert real.table("outcomes").filter(pl.col("outcome_type") != "posted").height == registered
    assert real.report.records == 257
    assert not real.report.rejected
    assert not real.report.problems


def test_every_text_of_the_real_records_is_the_posted_one(real: Home, shared: Path) -> None:
    records = recorded(shared / "registry" / "studies")
    studies = real.table("studies")
    for column, path in {
        "brief_title": "protocolSection.identificationModule.briefTitle",
        "overall_status": "protocolSection.statusModule.overallStatus",
        "eligibility_text_raw": "protocolSection.eligibilityModule.eligibilityCriteria",
        "completion_date_text": "protocolSection.statusModule.completionDateStruct.date",
        "minimum_age": "protocolSection.eligibilityModule.minimumAge",
    }.items():
        expected = {nct_id: (items(record, path) or [None])[0] for nct_id, record in records.items()}
        assert dict(studies.select("nct_id", column).iter_rows()) == expected, column


def test_ten_facts_read_by_hand(real: Home) -> None:
    """Read in the JSON files by eye, not by this code."""
    pallas = real.one("studies", "NCT02513394").row(0, named=True)
    assert pallas["acronym"] == "PALLAS"
    assert (pallas["start_date_text"], pallas["start_date_precision"]) == ("2015-08", "month")
    assert (pallas["enrollment_count"], pallas["enrollment_type"]) == (5796, "ACTUAL")
    assert real.one("locations", "NCT02513394").height == 437
    survival = real.one("outcome_results", "NCT02513394", outcome_ordinal=1, group_id="OG000").row(
        0, named=True
    )
    assert survival["arm_title"] == "Palbociclib Plus Endocrine Therapy (Arm A)"
    assert (survival["value"], survival["unit"], survival["participants"]) == (
        84.2,
        "percentage of participants",
        2884,
    )
    analysis = real.one("result_analyses", "NCT02513394", outcome_ordinal=1).row(0, named=True)
    assert (analysis["p_value"], analysis["param_value"]) == (0.65, 0.96)
    assert (analysis["ci_lower_limit"], analysis["ci_upper_limit"], analysis["ci_percent"]) == (
        0.81,
        1.14,
        95,
    )
    assert analysis["estimate_comment"].endswith("age (<=50 vs >50).")  # posted as \\<=50 vs \\>50
    assert real.one("studies", "NCT00841061")["minimum_age_years"][0] == pytest.approx(28 / 365.25)  # 28 Days
    assert real.one("studies", "NCT05942599")["minimum_age_years"][0] == 0.5  # 6 Months
    small = real.one("result_analyses", "NCT00089661", p_value_raw="<0.0001").row(0, named=True)
    assert (small["p_value"], small["p_value_comparator"]) == (0.0001, "<")
    limits = real.one("outcome_results", "NCT00089661", lower_limit_raw="-.8")
    assert limits["lower_limit"].to_list() == [-0.8] * limits.height
    assert limits.height
    unknown = real.one("outcome_results", "NCT00149890", upper_limit_raw="NA")
    assert unknown.height
    assert unknown["upper_limit"].null_count() == unknown.height
    sdmt = real.one("outcome_results", "NCT03569618", outcome_ordinal=6, class_title="SDMT", group_id="OG001")
    assert sdmt.select("value", "dispersion_value", "participants").row(0) == (3.55, 7.51, 20)


def test_partial_and_malformed_records_load(home: Home, shared: Path) -> None:
    report = home.load(shared / "registry")
    assert report.rows["studies"] == 303  # distinct ids in studies/, pages/, fragments/ and history/
    assert report.records == report.rows["studies"] + report.superseded
    documents = home.table("documents")
    assert documents["accepted"].sum() == report.rows["studies"]
    assert (
        documents["records"] == documents["accepted"] + documents["superseded"] + documents["rejected"]
    ).all()
    withdrawn = home.one("annotations", "NCT03453554")
    assert set(withdrawn["annotation_kind"]) == {"unposted_results"}
    assert withdrawn["event_date"].null_count() == 0


def test_page_whose_scalars_became_lists_is_set_aside(home: Home, shared: Path) -> None:
    pages = shared / "registry" / "pages"
    pull = SnapshotSource(pages).pull(home.landing)
    assert [line.split(":")[0] for line in pull.set_aside] == ["unl_json_response.json"]


def test_real_mirror_page(home: Home, shared: Path) -> None:
    report = home.load(shared / "seeds" / "mirror_NCT03368664.md")
    rows = {name: report.rows[name] for name in ("studies", "locations", "interventions", "field_changes")}
    assert rows == {"studies": 1, "locations": 16, "interventions": 13, "field_changes": 33}
    assert dict(home.table("outcomes")["outcome_type"].value_counts().iter_rows()) == {
        "primary": 1,
        "secondary": 16,
    }
    assert set(home.table("field_changes")["change_kind"]) == {"baseline"}
    study = home.table("studies").row(0, named=True)
    assert (study["source"], study["overall_status"], study["minimum_age_years"]) == (
        "mirror",
        "TERMINATED",
        10,
    )
    assert study["has_results"] is None  # the page does not say
    assert "\\<18" in study["eligibility_text_raw"]
    assert "to <18 years" in study["eligibility_text"]
    london = home.table("locations").filter(pl.col("city") == "London").row(0, named=True)
    assert (london["state"], london["country"]) == ("London, City of", "United Kingdom")
    assert (
        home.table("outcomes").filter(pl.col("measure") == "Annualized Relapse Rate (ARR)")["outcome_kind"][0]
        == "arr"
    )


def test_registry_wins_over_the_mirror_and_the_difference_is_listed(
    home: Home, shared: Path, tmp_path: Path
) -> None:
    page = (shared / "seeds" / "mirror_NCT03368664.md").read_text(encoding="utf-8")
    mirror, folder = tmp_path / "mirror", tmp_path / "recorded"
    mirror.mkdir()
    folder.mkdir()
    (mirror / "page.md").write_text(page, encoding="utf-8")
    record = study(
        "NCT03368664",
        contactsLocationsModule={
            "locations": [
                {"facility": "Investigational Site Number : 0400001", "city": "Vienna", "country": "Austria"}
            ]
        },
    )
    (folder / "a.json").write_text(json.dumps(record), encoding="utf-8")
    report = home.load(folder, mirror=mirror)
    assert report.rows["studies"] == 1
    assert home.table("studies")["source"][0] == "snapshot"
    assert report.rows["locations"] == 1
    assert home.table("field_changes").select("source", "change_kind").rows() == [("snapshot", "baseline")]
    conflicts = home.table("source_conflicts")
    assert conflicts.filter(pl.col("field") == "locations").height == 15
    title = conflicts.filter(pl.col("field") == "brief_title").row(0, named=True)
    assert title["left_source"] == "snapshot"
    assert title["right_source"] == "mirror"
    assert title["right_value"].startswith("A Study to Evaluate Efficacy")


def test_what_registry_and_mirror_both_say_is_no_conflict(home: Home, shared: Path, tmp_path: Path) -> None:
    folder, pages = tmp_path / "recorded", tmp_path / "mirror"
    folder.mkdir()
    pages.mkdir()
    page = (shared / "seeds" / "mirror_NCT03368664.md").read_text(encoding="utf-8")
    (pages / "page.md").write_text(page, encoding="utf-8")
    same = mirror.parse(page).study
    (folder / "a.json").write_text(json.dumps(same), encoding="utf-8")
    report = home.load(folder, mirror=pages)
    assert (report.rows["studies"], report.superseded) == (1, 1)
    between = home.table("source_conflicts").filter(pl.col("right_source") == "mirror")
    assert between.rows() == []

    protocol = same["protocolSection"]
    protocol["designModule"]["enrollmentInfo"]["count"] = 77
    protocol["statusModule"]["overallStatus"] = "WITHDRAWN"
    protocol["contactsLocationsModule"]["locations"].pop(0)
    protocol["outcomesModule"]["primaryOutcomes"][0]["measure"] = "Another outcome"
    (folder / "a.json").write_text(json.dumps(same), encoding="utf-8")
    home.load(folder, mirror=pages)
    between = home.table("source_conflicts").filter(pl.col("right_source") == "mirror")
    assert set(between["nct_id"]) == {"NCT03368664"}
    assert between["field"].to_list() == [
        "enrollment_count",
        "locations",
        "outcomes",
        "outcomes",
        "overall_status",
    ]
    values = dict(between.select("field", "left_value").iter_rows())
    assert (values["enrollment_count"], values["overall_status"]) == ("77", "WITHDRAWN")
    assert between.filter(pl.col("field") == "locations")["left_value"].to_list() == [None]


FORMS = {
    "single.json": json.dumps(study("NCT91000001"), indent=1),
    "array.json": json.dumps([study("NCT91000002"), study("NCT91000003")]),
    "lines.jsonl": "\n".join(json.dumps(study(f"NCT9100001{n}")) for n in range(3)),
    "page.json": json.dumps({"totalCount": 1, "nextPageToken": "a_b-c", "studies": [study("NCT91000004")]}),
    "history.json": json.dumps({"study": study("NCT91000005"), "history": {"changes": []}}),
    "in_a_row.json": json.dumps(study("NCT91000006"), indent=2)
    + "\n"
    + json.dumps(study("NCT91000007"), indent=2),
    "with_mark.json": "\ufeff" + json.dumps(study("NCT91000008")),
}


def test_every_form_and_compression(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    (folder / "deep").mkdir(parents=True)
    for number, (name, text) in enumerate(FORMS.items()):
        content = text.encode()
        (folder / name).write_bytes(content)
        other = content.replace(b"NCT91", f"NCT9{number + 2}".encode())
        (folder / "deep" / f"{name}.gz").write_bytes(gzip.compress(other))
        again = content.replace(b"NCT91", b"NCT80").replace(b"NCT8000", f"NCT80{number + 1}0".encode())
        (folder / "deep" / f"{name}.zst").write_bytes(zstandard.compress(again))
    pull = SnapshotSource(folder).pull(home.landing)
    assert pull.set_aside == ()
    assert pull.documents == 3 * len(FORMS)
    report = home.load(folder)
    assert report.problems == ()
    assert report.rows["studies"] == report.records == 3 * 11


def test_newest_version_of_a_study_wins_wherever_it_stands(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    many = [
        study("NCT91000001", "2025-01-01", conditionsModule={"conditions": ["old"]}),
        study("NCT91000002"),
    ]
    newest = study("NCT91000001", "2026-03-01", conditionsModule={"conditions": ["new", "newer"]})
    (folder / "a.json").write_text(json.dumps([newest, many[0]]))
    (folder / "b.json").write_text(json.dumps(many))
    for size in (1, 1 << 20):  # each document a batch of its own, and all in one
        monkeypatch.setattr("pipeline.registry.load.BATCH_BYTES", size)
        report = home.load(folder)
        assert (report.rows["studies"], report.superseded, report.records) == (2, 2, 4)
        assert home.table("conditions")["condition"].to_list() == ["new", "newer"]
        counts = home.table("documents").select("name", "records", "accepted", "superseded").rows()
        assert counts == [("a.json", 2, 1, 1), ("b.json", 2, 1, 1)]


def test_record_without_id_is_rejected_and_counted(home: Home, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        json.dumps([study("NCT91000001"), study(None), study("NCT1"), {"hasResults": True}])
    )
    report = home.load(tmp_path / "a.json")
    assert (report.rows["studies"], report.records_rejected) == (1, 3)
    assert home.table("documents").select("records", "accepted", "rejected").row(0) == (4, 1, 3)


def test_wrong_shape_costs_the_cell_and_not_the_record(home: Home, tmp_path: Path) -> None:
    odd = study(
        "NCT91000001",
        designModule={"phases": "PHASE2", "enrollmentInfo": {"count": "12"}},
        statusModule=["x"],
    )
    (tmp_path / "a.json").write_text(json.dumps([odd, study("NCT91000002")]))
    report = home.load(tmp_path / "a.json")
    assert report.rows["studies"] == 2
    row = home.one("studies", "NCT91000001").row(0, named=True)
    assert row["enrollment_count"] == 12
    assert row["phase"] is None
    assert row["overall_status"] is None


def test_values_of_the_protocol(home: Home, tmp_path: Path) -> None:
    def aged(nct_id: str, age: str, count: int) -> dict:
        return study(nct_id, eligibilityModule={"minimumAge": age, "eligibilityCriteria": "\\* Age \\>= 18 \\[years\\]"},
                     designModule={"phases": ["PHASE2", "PHASE3"], "enrollmentInfo": {"count": count}})  # fmt: skip

    ages = {
        "18 Years": 18,
        "6 Months": 0.5,
        "2 Weeks": 14 / 365.25,
        "36 Hours": 1.5 / 365.25,
        "30 Minutes": 30 / 525960,
        "N/A": None,
    }
    records = [aged(f"NCT9100000{n}", age, 99999999 if n else 7) for n, age in enumerate(ages)]
    (tmp_path / "a.json").write_text(json.dumps(records))
    home.load(tmp_path / "a.json")
    studies = home.table("studies").sort("nct_id")
    assert studies["minimum_age_years"].to_list() == [
        None if a is None else pytest.approx(a) for a in ages.values()
    ]
    assert studies["minimum_age"].to_list() == list(ages)
    assert studies["enrollment_count"].to_list() == [7] + [None] * 5
    assert studies["is_enrollment_placeholder"].to_list() == [False] + [True] * 5
    assert studies["phase"][0] == "PHASE2/PHASE3"
    assert studies["eligibility_text"][0] == "* Age >= 18 [years]"
    assert studies["eligibility_text_raw"][0] == "\\* Age \\>= 18 \\[years\\]"


def test_posted_numbers_stay_as_posted_beside_what_they_say(home: Home, tmp_path: Path) -> None:
    said = {
        "1,234": (1234.0, None), "<0.001": (0.001, "<"), "= 0.03": (0.03, "="), "NA": (None, None), "NE": (None, None),
        "-.5": (-0.5, None), "≥ 3": (3.0, ">="), "12%": (12.0, None), "1,5": (None, None), "1e-3": (0.001, None),
        "nan": (None, None), "3 to 5": (None, None), "": (None, None), "1,234,567.8": (1234567.8, None),
    }  # fmt: skip
    record = study("NCT91000001")
    record["resultsSection"] = {
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "title": "Annualized relapse rate", "timeFrame": "Year 2", "denomUnitsSelected": "Eyes",
                    "groups": [{"id": "OG000", "title": "Arm A"}],
                    "denoms": [
                        {"units": "Eyes", "counts": [{"groupId": "OG000", "value": "40"}]},
                        {"units": "Participants", "counts": [{"groupId": "OG000", "value": "1,020"}]},
                    ],
                    "classes": [
                        {"title": "Month 12", "categories": [{"title": text, "measurements": [{"groupId": "OG000", "value": text}]} for text in said]},
                        {"title": "Women", "denoms": [{"units": "Participants", "counts": [{"groupId": "OG000", "value": "7"}]}],
                         "categories": [{"measurements": [{"groupId": "OG000", "value": "1"}]}]},
                    ],
                }
            ]
        }
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(record))
    home.load(tmp_path / "a.json")
    rows = home.table("outcome_results")
    first = rows.filter(pl.col("class_ordinal") == 1)
    assert dict(zip(first["raw_value"], first.select("value", "value_comparator").rows(), strict=True)) == {
        text or None: expected for text, expected in said.items()
    }
    assert set(first["time_point"]) == {"Month 12"}
    assert set(first["participants"]) == {1020}
    assert set(first.select("units_analyzed", "units_analyzed_count").rows()) == {("Eyes", 40)}
    women = rows.filter(pl.col("class_ordinal") == 2).row(0, named=True)
    assert (women["participants"], women["time_point"], women["outcome_kind"]) == (7, "Year 2", "arr")
    assert home.table("outcomes").select("outcome_type", "measure").rows() == [
        ("posted", "Annualized relapse rate")
    ]


def test_truncated_file_keeps_its_last_good_version(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps([study("NCT91000001")]))
    (folder / "b.json").write_text(json.dumps([study("NCT91000002")]))
    home.load(folder)
    (folder / "a.json").write_text(json.dumps([study("NCT91000001")])[:-20])
    (folder / "notes.json").write_text('{"hello": 1}')
    pull = SnapshotSource(folder).pull(home.landing)
    assert pull.is_unchanged
    assert [line.split(":")[0] for line in sorted(pull.set_aside)] == ["a.json", "notes.json"]
    assert "last good version stays" in sorted(pull.set_aside)[0]
    assert home.load(folder).rows["studies"] == 2


def test_what_is_gone_is_withdrawn_and_nothing_new_is_unchanged(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(study("NCT91000001")))
    (folder / "b.json").write_text(json.dumps(study("NCT91000002")))
    assert not SnapshotSource(folder).pull(home.landing).is_unchanged
    journal = home.landing.journal.read_bytes()
    assert SnapshotSource(folder).pull(home.landing).is_unchanged
    assert home.landing.journal.read_bytes() == journal
    (folder / "b.json").unlink()
    assert not SnapshotSource(folder).pull(home.landing).is_unchanged
    assert [entry.name for entry in home.landing.current("snapshot")] == ["a.json"]


@pytest.mark.parametrize(
    "content", [None, {}, {"a.json": "{"}, {"a.json": "[]"}, {"table.csv": "x"}, {"a.jsonl.gz": "no gzip"}]
)
def test_nothing_usable_is_an_error_with_the_remedy_and_replaces_nothing(
    home: Home, tmp_path: Path, content: dict | None
) -> None:
    good = tmp_path / "good"
    good.mkdir()
    (good / "good.json").write_text(json.dumps(study()))
    home.load(good)
    journal = home.landing.journal.read_bytes()
    folder = tmp_path / "bad"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises(RegistryError) as caught:
        SnapshotSource(folder).pull(home.landing)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert message
    assert home.landing.journal.read_bytes() == journal


def test_load_without_documents_says_what_to_do(home: Home) -> None:
    with pytest.raises(RegistryError, match="pull the registry first"):
        load(home.landing, home.lake, sources=["snapshot"], snapshot_id="x")


def test_rebuild_gives_equal_bytes(real: Home, tmp_path: Path) -> None:
    again = tmp_path / "again"
    load(real.landing, again, sources=["snapshot"], snapshot_id="again")
    for table in schemas.LAKE_TABLES:
        parts = sorted((again / "current" / table).glob("*.parquet"))
        for part in parts:
            assert part.read_bytes() == (real.lake / "current" / table / part.name).read_bytes(), table


def test_rows_outside_their_schema_are_set_aside_and_counted(home: Home, tmp_path: Path) -> None:
    record = study(
        "NCT91000001",
        contactsLocationsModule={
            "locations": [{"city": "Nowhere", "geoPoint": {"lat": 1000, "lon": 0}}, {"city": "Here"}]
        },
    )
    (tmp_path / "a.json").write_text(json.dumps(record))
    report = home.load(tmp_path / "a.json")
    assert report.rows["locations"] == 1
    assert report.rejected == {"locations": 1}
    assert home.table("rejections").row(0) == ("locations", "latitude", "maximum", 1, "NCT91000001")


def archive_of(path: Path, members: dict[str, str]) -> Path:
    """A `.zip` or a `.tar.*` of texts."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in members.items():
                archive.writestr(name, text)
    else:
        with tarfile.open(path, f"w:{path.suffix[1:]}") as archive:
            for name, text in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.mark.parametrize("suffix", ["zip", "tar.gz", "tar.xz"])
def test_archive_of_single_studies(
    home: Home, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.registry.archives.PART_BYTES", 2000)
    folder = tmp_path / "recorded"
    folder.mkdir()
    members = {
        f"NCT93xx/NCT9300{n:04d}.json": json.dumps(study(f"NCT9300{n:04d}"), indent=1) for n in range(40)
    }
    broken = {"cut.json": json.dumps(study("NCT92000001"))[:-9], "other.json": "{}", "__MACOSX/x.json": "x"}
    archive = archive_of(
        folder / f"all.{suffix}",
        members | broken | {"more.jsonl": FORMS["lines.jsonl"], "page.json": FORMS["page.json"]},
    )
    pull = SnapshotSource(folder).pull(home.landing)
    assert sorted(line.split(":")[0] for line in pull.set_aside) == [
        f"all.{suffix}/cut.json",
        f"all.{suffix}/other.json",
    ]
    assert 5 < pull.documents < 20  # parts, not members
    assert home.load(folder).rows["studies"] == 40 + 3 + 1
    assert SnapshotSource(folder).pull(home.landing).is_unchanged

    archive_of(archive, {"NCT91000001.json": json.dumps(study("NCT91000001"))})
    assert home.load(folder).rows["studies"] == 1
    archive.write_bytes(archive.read_bytes()[:60])
    (folder / "a.json").write_text(json.dumps(study("NCT91000002")))
    pull = SnapshotSource(folder).pull(home.landing)
    assert "last good version stays" in pull.set_aside[0]
    assert home.load(folder).rows["studies"] == 2
    archive.unlink()
    assert home.load(folder).rows["studies"] == 1


def test_items_posted_without_values_keep_a_row(home: Home, tmp_path: Path) -> None:
    measure = {
        "title": "Invented age",
        "populationDescription": "Everyone",
        "classes": [
            {"title": "Not asked"},
            {
                "title": "Asked",
                "categories": [{"title": "Old"}, {"measurements": [{"groupId": "BG000", "value": "1"}]}],
            },
        ],
    }
    results = {
        "baselineCharacteristicsModule": {"measures": [{"title": "Invented weight"}, measure]},
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {"title": "Later"},
                {"title": "Now", "classes": [{"title": "Week 4", "categories": []}]},
            ]
        },
        "participantFlowModule": {
            "periods": [{"title": "All", "milestones": [{"type": "STARTED", "comment": "none"}]}]
        },
        "adverseEventsModule": {
            "otherEvents": [{"term": "Sneeze", "stats": []}, {"term": "Cough", "stats": [{}]}]
        },
    }
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.json").write_text(
        json.dumps({**study(), "resultsSection": results}), encoding="utf-8"
    )
    home.load(tmp_path / "in")
    found = home.table("results_without_values").select(
        "module", "item_kind", "ordinal", "class_ordinal", "category_ordinal", "title", "class_title", "category"
    )  # fmt: skip
    assert sorted(found.rows(), key=str) == [
        ("adverse_event", "other_event", 1, None, None, "Sneeze", None, None),
        ("baseline", "category", 2, 2, 1, "Invented age", "Asked", "Old"),
        ("baseline", "class", 2, 1, None, "Invented age", "Not asked", None),
        ("baseline", "measure", 1, None, None, "Invented weight", None, None),
        ("flow", "milestone", 1, 1, None, "All", "STARTED", None),
        ("outcome", "class", 2, 1, None, "Now", "Week 4", None),
    ]
    assert home.table("baseline_measures").height == 1
    assert home.table("outcome_measures").height == 2
