"""The main job as its user runs it: samples in, a release out, and what happens next time."""

from __future__ import annotations

import json
import os
import shutil

import duckdb
import polars as pl
import xlsxwriter

from tests.support.installation import Installation

POISON = "Zq9Poison"
SCHEMAS = {"registry", "cohort", "outcomes", "trials", "quality"}


def test_a_run_publishes_a_release_and_shows_a_first_table(sample):
    assert "published release" in sample.first_output
    assert "pre_index_24m" in sample.first_output
    assert sample.value("select count(*) from registry.studies") >= 12
    assert sample.value("select count(*) from outcomes.patients where index_date is not null") >= 60
    assert {
        row[0] for row in sample.sql("select distinct schema_name from duckdb_tables()").rows()
    } == SCHEMAS


def test_every_table_and_column_is_described(sample):
    assert sample.value("select count(*) from duckdb_tables() where comment is null and not internal") == 0
    assert sample.value("select count(*) from duckdb_columns() where comment is null and not internal") == 0


def test_deliveries_add_up_for_every_sheet(sample):
    deliveries = sample.sql("select * from quality.deliveries")
    assert deliveries.height > 11
    assert (
        deliveries["rows_in"]
        == deliveries["rows_accepted"] + deliveries["rows_rejected"] + deliveries["rows_not_data"]
    ).all()
    rejected = sample.sql(
        "select delivery_id, sheet, count(distinct row_number) as n from quality.rejected_rows group by all"
    )
    both = deliveries.join(rejected, on=["delivery_id", "sheet"], how="left").with_columns(
        pl.col("n").fill_null(0)
    )
    assert (both["rows_rejected"] == both["n"]).all()
    assert both["n"].sum() > 0


def test_accepted_rows_are_the_rows_of_the_marts(sample):
    tables = ["patients", "edss", "relapses", "treatments", "infusions", "mri_scans", "assessments"]
    accepted = dict(
        sample.sql("select sheet, sum(rows_accepted)::bigint from quality.deliveries group by 1").rows()
    )
    for table in tables:
        assert sample.value(f"select count(*) from cohort.{table}") == accepted[table], table


def test_the_manifest_says_what_was_published(sample):
    manifest = json.loads((sample.marts.resolve().parent / "MANIFEST.json").read_text())
    for name, table in manifest["tables"].items():
        assert sample.value(f"select count(*) from {name}") == table["rows"]
    assert all(manifest[key] for key in ("inputs_hash", "code_hash", "settings_hash"))
    assert manifest["provenance"]["is_sample_cohort"] is True
    assert manifest["provenance"]["pseudonym_key_fingerprint"]


def test_a_second_run_with_nothing_changed_publishes_nothing(own_sample):
    before = own_sample.marts.readlink()
    assert "nothing changed since release" in own_sample.remit("run")
    assert own_sample.marts.readlink() == before


def test_forced_and_rebuilt_releases_hold_the_same_content(own_sample):
    text = own_sample.remit("rebuild")
    assert "equal: every table has the content of the release before" in text


def test_one_more_row_gives_a_new_release_and_a_poisoned_workbook_leaves_no_trace(
    own_sample, project, tmp_path
):
    """A second cohort has a known string in file name, sheet name, headers and every kind of cell that is no mapped text."""
    inbox = tmp_path / "inbox"
    shutil.copytree(project / "examples" / "inbox", inbox)
    (inbox / "sample" / "edss.csv").write_text("patient_id,visit_date,edss\nINV-001,2010-05-04,4.5\n")
    poisoned = {
        "patients": [
            ("patient_id", "sex", "birth_date", "onset_date", "course"),
            *[(f"{POISON}{n}", "female", "1980-01-01", "2005-03", "RR") for n in range(20)],
            (f"{POISON}20", POISON, "1980-01-01", None, None),
            (f"{POISON}21", "male", POISON, None, POISON),
        ],
        "edss": [
            ("patient_id", "visit_date", "edss", "in_relapse"),
            *[(f"{POISON}{n}", "2014-05-06", 3.5, "no") for n in range(20)],
            (f"{POISON}1", POISON, 3.5, "no"),
            (f"{POISON}2", "2015-05-06", POISON, POISON),
            (f"unknown {POISON}", "2015-05-06", 2, "no"),
        ],
        f"Sheet {POISON}": [(POISON, f"{POISON} 2"), ("a", POISON), (f"=1+{POISON}", f"<b>{POISON}</b>")],
    }
    (inbox / "site_b").mkdir()
    with xlsxwriter.Workbook(inbox / "site_b" / f"{POISON}.xlsx", {"strings_to_formulas": False}) as book:
        for name, rows in poisoned.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    before = own_sample.value("select count(*) from cohort.edss")
    text = own_sample.remit("run", "--cohorts", str(inbox))
    assert "published release" in text
    assert own_sample.value("select count(*) from cohort.edss where cohort = 'sample'") == before + 1
    assert own_sample.value("select count(*) from cohort.patients where cohort = 'site_b'") == 20
    assert own_sample.value("select count(*) from quality.rejected_rows where cohort = 'site_b'") >= 7
    assert own_sample.value("select count(*) from quality.releases") == 2
    assert POISON not in text
    assert traces(own_sample, POISON) == []
    queries = list((own_sample.home / "private").rglob("*.html"))
    assert any(POISON in query.read_text("utf-8") for query in queries), (
        "the clinic's own list names the cell"
    )


def traces(installation, text):
    """Where a text stands outside landing and private/, DuckDB and Parquet decoded."""
    found = []
    for path in installation.home.rglob("*"):
        inside = path.relative_to(installation.home)
        if path.is_symlink() or not path.is_file() or inside.parts[0] in ("private", "landing"):
            continue
        if text in str(inside) or text.encode() in path.read_bytes():
            found.append(str(inside))
        elif path.suffix == ".parquet":
            query = "select count(*) from read_parquet(?) as t where contains(t::varchar, ?)"
            if duckdb.execute(query, [str(path), text]).fetchone()[0]:
                found.append(str(inside))
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                tables = "select schema_name, table_name from duckdb_tables() where not internal"
                for schema, table in connection.execute(tables).fetchall():
                    query = f"select count(*) from {schema}.{table} as t where contains(t::varchar, ?)"
                    if connection.execute(query, [text]).fetchone()[0]:
                        found.append(f"{inside}: {schema}.{table}")
    return found


def test_no_identifier_leaves_private_and_landing(sample):
    for identifier in ("INV-030", "INV-042", "INV-060"):  # INV-0012 is an invented drug
        assert traces(sample, identifier) == []
        assert identifier not in sample.first_output


def test_the_run_stands_in_the_history_of_the_nightly_job(sample):
    import dagster as dg

    os.environ.pop("DAGSTER_HOME", None)
    with dg.DagsterInstance.from_config(str(sample.home / "dagster")) as instance:
        runs = instance.get_runs(dg.RunsFilter(job_name="nightly"))
        assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS]
        assert runs[0].tags[".dagster/repository"] == "__repository__@remit"


def test_the_other_commands_answer(own_sample, tmp_path):
    assert "*" in own_sample.remit("releases")
    assert "NCT90000001" in own_sample.remit("sql", "select nct_id from registry.studies order by 1")
    assert "error:" in own_sample.remit("sql", "select * from read_csv('/etc/hostname')", expect=1)
    assert "checks of the release" in own_sample.remit("doctor")
    assert "files in" in own_sample.remit("export", "--format", "xlsx", "--to", str(tmp_path / "out"))
    release = own_sample.marts.readlink().parent.name
    assert release in own_sample.remit("rollback", release[:12])
    assert "no single release" in own_sample.remit("rollback", "nonsense", expect=1)


def test_bad_settings_are_one_clear_line(tmp_path):
    installation = Installation(tmp_path)
    text = installation.remit("run", "--registry", str(tmp_path / "nowhere"), expect=1)
    assert text.count("\n") == 1
    assert "does not exist" in text
    text = installation.remit("run", "--cohorts", str(tmp_path / "nowhere"), expect=1)
    assert "does not exist" in text
    assert "Traceback" not in text
