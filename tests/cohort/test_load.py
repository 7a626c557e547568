"""From an inbox to the lake: accounting, lineage, deliveries, stops, privacy of names."""

from __future__ import annotations

import json
import stat

import polars as pl
import pytest

from pipeline import lake
from pipeline.cohort import load, schemas
from pipeline.errors import BrokenWorkbook, ColumnDrift, MappingError, SourceError, TooManyRejected
from tests.support.cohorts import (
    EDSS,
    PATIENTS,
    Clinic,
    adds_up,
    check_schema,
    pseudonym,
    table_csv,
    workbook,
)


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


def test_a_canonical_workbook_reaches_the_lake_with_lineage(clinic):
    clinic.put("site", "data.xlsx", workbook(patients=PATIENTS, edss=EDSS))
    report = clinic.run()
    assert [result.status for result in report.cohorts] == ["loaded"]
    assert adds_up(report)
    check_schema(clinic)
    edss = clinic.table("edss").sort("source_row")
    assert edss["edss"].to_list() == [2.0, 2.5, 4.0, 1.5]
    assert edss["source_row"].to_list() == [2, 3, 4, 5]
    assert edss["patient_id"].to_list() == [pseudonym(p) for p in ("P1", "P1", "P2", "P3")]
    assert set(edss["source_file"]) == {"site-0001"}
    assert set(edss["source_sheet"]) == {"edss"}
    columns = clinic.table("delivered_columns").filter(pl.col("table_name") == "edss")
    assert dict(columns.select("column_name", "column_letter").iter_rows())["edss"] == "C"
    assert clinic.table("cohorts")["delivered_tables"].to_list() == ["edss,patients"]
    assert not clinic.table("patients")["is_invented"].any()


def test_csv_tables_are_named_after_their_file(clinic):
    clinic.put("site", "patients.csv", table_csv(PATIENTS))
    clinic.put("site", "edss.csv", table_csv(EDSS, ";"))
    report = clinic.run()
    assert report.row_counts["edss"] == 4
    assert sorted(clinic.table("deliveries")["sheet"]) == ["edss", "patients"]


def test_headers_alone_may_decide_the_table(clinic):
    clinic.put("site", "visits_2020_secret.csv", table_csv(EDSS))
    report = clinic.run()
    assert report.row_counts["edss"] == 4
    assert clinic.table("deliveries")["sheet"].to_list() == ["edss"]


def test_patients_are_derived_where_the_table_is_missing(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.run()
    patients = clinic.table("patients")
    assert set(patients["patient_id"]) == {pseudonym(p) for p in ("P1", "P2", "P3")}
    assert set(patients["sex"]) == {"unknown"}
    assert set(patients["warnings"]) == {"patient_derived"}
    assert patients["birth_date_earliest"].null_count() == 3


def test_blank_rows_and_the_template_s_example_are_no_data(clinic):
    rows = [
        ["patient_id", "visit_date", "edss"],
        ["EXAMPLE", "2014-01-01", "2"],
        ["P1", "2014-01-01", "2"],
        ["", "", ""],
        ["P1", "2015-01-01", "2"],
    ]
    clinic.put("site", "edss.csv", table_csv(rows))
    report = clinic.run()
    row = clinic.table("deliveries").row(0, named=True)
    assert (row["rows_in"], row["rows_accepted"], row["rows_rejected"], row["rows_not_data"]) == (4, 2, 0, 2)
    assert clinic.table("edss")["source_row"].to_list() == [3, 5]
    assert adds_up(report)


def test_an_unknown_sheet_is_set_aside_whole_and_says_what_to_do(clinic):
    book = workbook(patients=PATIENTS, Notizen=[["wer", "was"], ["a", "b"], ["c", "d"]])
    clinic.put("site", "data.xlsx", book)
    report = clinic.run()
    assert report.cohorts[0].status == "loaded"
    assert clinic.rules()[("sheet 2", 2)] == {"unmapped_sheet"}
    (problem,) = report.all_problems
    assert "remit map" in problem.message
    assert "columns not known: 1, 2" in problem.message
    assert adds_up(report)


def test_drift_stops_the_cohort_and_no_other(clinic):
    rows = [row | {"EDSS (rater 2)": "3"} for row in EDSS]
    clinic.put("bad", "data.xlsx", workbook(patients=PATIENTS, edss=rows))
    clinic.put("site", "edss.csv", table_csv(EDSS))
    report = clinic.run()
    assert {r.cohort: r.status for r in report.cohorts} == {"bad": "stopped", "site": "loaded"}
    assert clinic.table("patients", "bad").is_empty()
    assert clinic.rules("bad")[("edss", 2)] == {"column_drift"}
    assert clinic.rules("bad")[("patients", 2)] == {"cohort_stopped"}
    (problem,) = report.all_problems
    assert problem.stops == "cohort"
    assert "column 4 is not in the map" in problem.message
    assert "rater" not in problem.message
    assert adds_up(report)


def test_a_missing_required_column_is_drift(clinic):
    clinic.put("site", "edss.csv", table_csv([{"patient_id": "P1", "edss": "2"}]))
    report = clinic.run()
    assert report.cohorts[0].status == "stopped"
    assert "`visit_date`" in report.all_problems[0].message


def test_too_many_rejected_rows_stop_the_cohort(clinic):
    good = [{"patient_id": "P1", "visit_date": f"2010-01-{day:02}", "edss": "2"} for day in range(1, 17)]
    bad = [{"patient_id": "P1", "visit_date": f"2011-01-{day:02}", "edss": "99"} for day in range(1, 6)]
    clinic.put("site", "edss.csv", table_csv(good + bad))
    report = clinic.run()
    assert report.cohorts[0].status == "stopped"
    assert "5 of 21 rows" in report.all_problems[0].message
    assert not report.loaded_anything
    assert adds_up(report)
    assert clinic.run(rejected_share_limit=0.3).cohorts[0].status == "loaded"
    assert clinic.run(rejected_share_from_rows=22).cohorts[0].status == "loaded"


def test_what_was_delivered_before_stays_while_a_new_version_is_stopped(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.run()
    clinic.put("site", "edss.csv", table_csv([row | {"rater": "x"} for row in EDSS]))
    report = clinic.run()
    assert report.cohorts[0].status == "stopped"
    assert "site-0001" in report.all_problems[-1].message
    assert clinic.table("edss").height == 4
    assert set(clinic.table("edss")["source_file"]) == {"site-0001"}
    deliveries = clinic.table("deliveries").select("delivery_id", "rows_accepted", "rows_rejected")
    assert sorted(deliveries.iter_rows()) == [("site-0001", 4, 0), ("site-0002", 0, 4)]
    assert clinic.rules() == {("edss", row): {"column_drift"} for row in range(2, 6)}
    assert adds_up(report)
    assert report.loaded_anything
    clinic.put("site", "edss.csv", table_csv(EDSS[:3]))
    report = clinic.run()
    assert report.cohorts[0].status == "loaded"
    assert clinic.table("edss").height == 3


def test_another_inbox_with_the_same_cohort_name_brings_nothing_back(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.run()
    (clinic.inbox / "site" / "edss.csv").unlink()
    clinic.put("site", "visits.csv", table_csv([row | {"edss": "bad"} for row in EDSS * 6]))
    report = clinic.run()
    assert report.cohorts[0].status == "stopped"
    assert clinic.table("edss").is_empty()


def test_a_broken_file_is_one_line_and_the_others_are_loaded(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.put("site", "secret name.xlsx", b"this is no workbook")
    report = clinic.run()
    (problem,) = report.all_problems
    assert problem.stops == "file"
    assert "secret" not in str(problem)
    assert report.row_counts["edss"] == 4
    assert "unreadable file" in clinic.table("deliveries")["sheet"].to_list()


def test_the_same_bytes_are_one_delivery_and_a_new_version_replaces_the_old(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    first = load.collect(clinic.inbox, clinic.landing)
    again = load.collect(clinic.inbox, clinic.landing)
    assert (first.received, again.received, again.unchanged) == (1, 0, 1)
    clinic.put("site", "copy of edss.csv", table_csv(EDSS))
    clinic.run()
    assert clinic.table("deliveries")["delivery_id"].to_list() == ["site-0001"]
    (clinic.inbox / "site" / "copy of edss.csv").unlink()
    changed = [*EDSS[:3], {"patient_id": "P3", "visit_date": "2014-09-09", "edss": "3"}]
    changed.append({"patient_id": "P3", "visit_date": "2015-09-09", "edss": "3"})
    clinic.put("site", "edss.csv", table_csv(changed))
    report = clinic.run()
    assert clinic.table("deliveries")["delivery_id"].to_list() == ["site-0002"]
    (change,) = [c for c in report.cohorts[0].changes if c.table == "edss"]
    assert (change.added, change.changed, change.removed, change.unchanged) == (1, 1, 0, 3)
    # Both files are kept.
    assert len({e.sha256 for e in clinic.landing.entries() if e.event == "received"}) == 2


def test_a_cohort_that_left_the_inbox_leaves_the_lake(clinic):
    clinic.put("one", "edss.csv", table_csv(EDSS))
    clinic.put("two", "edss.csv", table_csv(EDSS[:2]))
    clinic.run()
    (clinic.inbox / "one" / "edss.csv").unlink()
    (clinic.inbox / "one").rmdir()
    report = clinic.run()
    assert report.withdrawn == ("one",)
    assert lake.current(clinic.lake / "one") is None
    assert [r.cohort for r in report.cohorts] == ["two"]


def test_the_empty_cohort_is_always_there(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.run()
    check_schema(clinic, "_none")
    assert all(clinic.table(table, "_none").is_empty() for table in schemas.LAKE_TABLES)


def test_everything_follows_from_landing(clinic, tmp_path):
    clinic.put("site", "data.xlsx", workbook(patients=PATIENTS, edss=EDSS))
    first = clinic.run()
    before = {table: clinic.table(table) for table in schemas.LAKE_TABLES}
    again = Clinic(tmp_path / "again")
    again.landing = clinic.landing
    second = again.load()
    assert first.cohorts[0].snapshot == second.cohorts[0].snapshot
    for table, frame in before.items():
        assert again.table(table).equals(frame), table


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("site_1", "site_1"),
        ("Klinik Ost", "Klinik_Ost"),
        ("a'b\"; drop table", "a_b_drop_table"),
        ("..evil", "evil"),
        ("_none", "none"),
        ("Łódź", "odz"),
    ],
)
def test_folder_names_become_safe(folder, name):
    assert load.cohort_name(folder) == name


def test_folders_whose_names_say_nothing_get_a_hash():
    assert load.cohort_name("患者").startswith("cohort_")
    assert load.cohort_name("患者") != load.cohort_name("病院")


def test_two_folders_of_one_name_are_refused(clinic):
    clinic.put("a b", "edss.csv", table_csv(EDSS))
    clinic.put("a_b", "edss.csv", table_csv(EDSS))
    collected = load.collect(clinic.inbox, clinic.landing)
    assert collected.cohorts == ("a_b",)
    assert "rename" in collected.problems[0].message


def test_no_inbox_or_an_empty_one_changes_nothing(clinic, tmp_path):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.run()
    with pytest.raises(SourceError, match="does not exist"):
        load.collect(tmp_path / "nowhere", clinic.landing)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no cohort"):
        load.collect(tmp_path / "empty", clinic.landing)
    assert len(clinic.landing.current()) == 1


def test_private_files_are_for_their_owner_alone(clinic):
    clinic.put("site", "data.xlsx", workbook(patients=PATIENTS, edss=[*EDSS, {"patient_id": "P9"}]))
    clinic.run()
    files = [path for path in clinic.private.rglob("*") if path.is_file()]
    assert {"deliveries.csv", "site-0001.html", "site-0001.xlsx", "site.parquet"} <= {f.name for f in files}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert "data.xlsx" in (clinic.private / "deliveries.csv").read_text()


def test_a_wrong_map_stops_its_cohort_with_the_line(clinic):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.put("site", "cohort.yaml", "preset: canonical\nsheeets: []\n")
    report = clinic.run()
    assert report.cohorts[0].status == "stopped"
    assert "line 2" in report.all_problems[0].message


def test_the_report_is_lines_without_values(clinic):
    clinic.put(
        "site", "data.xlsx", workbook(patients=PATIENTS, edss=[*EDSS, {"patient_id": "P9", "edss": "77"}])
    )
    report = clinic.run()
    text = "\n".join(report.lines()) + json.dumps([str(c) for c in report.cohorts[0].checks])
    assert "site: 7 rows accepted, 1 rejected" in text
    assert "P9" not in text
    assert "77" not in text


def test_a_fault_of_the_program_stops_one_cohort_and_its_text_stays_private(clinic, monkeypatch):
    clinic.put("site", "edss.csv", table_csv(EDSS))
    clinic.put("other", "edss.csv", table_csv(EDSS))
    build = load.records.build

    def fail(**given):
        if given["cohort"] == "other":
            raise ValueError("P1 has secret value 4.0")
        return build(**given)

    monkeypatch.setattr(load.records, "build", fail)
    report = clinic.run()
    assert {r.cohort: r.status for r in report.cohorts} == {"other": "stopped", "site": "loaded"}
    assert "secret" not in "\n".join(report.lines())
    assert "ValueError" in report.all_problems[0].message
    assert "secret value" in (clinic.private / "errors" / "other.txt").read_text()
    check_schema(clinic, "other")


def test_lists_of_a_cohort_that_left_are_removed(clinic):
    clinic.put("one", "edss.csv", table_csv([{"patient_id": "P1", "visit_date": "x", "edss": "y"}]))
    clinic.put("two", "edss.csv", table_csv(EDSS))
    clinic.run()
    (clinic.inbox / "one" / "edss.csv").unlink()
    clinic.run()
    assert [path.name for path in (clinic.private / "queries").iterdir()] == ["two"]
    assert [path.name for path in (clinic.private / "rejected").iterdir()] == ["two.parquet"]


def test_problems_say_which_fault_they_are(clinic):
    clinic.put("drift", "edss.csv", table_csv([row | {"x": "1"} for row in EDSS]))
    clinic.put("broken", "edss.xlsx", b"no")
    clinic.put("map", "edss.csv", table_csv(EDSS))
    clinic.put("map", "cohort.yaml", "x: 1\n")
    clinic.put("many", "edss.csv", table_csv([row | {"edss": "bad"} for row in EDSS * 6]))
    report = clinic.run()
    kinds = {problem.cohort: problem.kind for problem in report.all_problems}
    assert kinds == {
        "drift": ColumnDrift,
        "broken": BrokenWorkbook,
        "map": MappingError,
        "many": TooManyRejected,
    }
    assert set(clinic.table("rejected_rows", "drift")["column_name"]) == {"column 4"}


def test_blank_and_headless_files_say_so(clinic):
    clinic.put("blank", "edss.xlsx", workbook(edss=[], other=[]))
    clinic.put("head", "edss.csv", "patient_id,visit_date,edss\n")
    clinic.put("empty", "edss.csv", "")
    report = clinic.run()
    messages = {problem.cohort: problem.message for problem in report.all_problems}
    assert "the file is blank" in messages["blank"]
    assert "no row of data" in messages["head"]
    assert "empty" in messages["empty"]
    assert not report.loaded_anything
    assert adds_up(report)
