"""The main job as its user runs it: samples in, a release out, and what happens next time."""

from __future__ import annotations

import json
import os
import re
import shutil

import duckdb
import polars as pl

from tests.support.installation import Installation

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


def test_one_more_row_in_a_spreadsheet_gives_a_new_release(own_sample, project, tmp_path):
    inbox = tmp_path / "inbox"
    shutil.copytree(project / "examples" / "inbox", inbox)
    (inbox / "sample" / "edss.csv").write_text("patient_id,visit_date,edss\nINV-001,2010-05-04,4.5\n")
    before = own_sample.value("select count(*) from cohort.edss")
    assert "published release" in own_sample.remit("run", "--cohorts", str(inbox))
    assert own_sample.value("select count(*) from cohort.edss") == before + 1
    assert own_sample.value("select count(*) from quality.releases") == 2


def test_no_identifier_leaves_private_and_landing(sample, project):
    ids = set(
        pl.read_excel(
            project / "examples/inbox/sample/sample_cohort.xlsx", sheet_name="patients", infer_schema_length=0
        )["patient_id"]
    )
    pattern = re.compile("|".join(map(re.escape, sorted(ids))).encode())
    leaks = []
    for path in sample.home.rglob("*"):
        inside = path.relative_to(sample.home).parts
        if path.is_symlink() or not path.is_file() or inside[0] in ("private", "landing"):
            continue
        if pattern.search(path.read_bytes()):
            leaks.append(path.relative_to(sample.home))
    assert leaks == []
    assert not pattern.search(sample.first_output.encode())
    with duckdb.connect(str(sample.marts.resolve()), read_only=True) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall():
            text = (
                connection.execute(f"select string_agg(t::varchar) from {schema}.{table} as t").fetchone()[0]
                or ""
            )
            assert not pattern.search(text.encode()), f"{schema}.{table}"


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
