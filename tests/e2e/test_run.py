"""The main job as its user runs it: samples in, a release out, and what happens next time."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import sqlite3
import zipfile
import zlib

import duckdb
import polars as pl
import xlsxwriter

from pipeline.cohort import schemas
from tests.support.cohorts import SOUND
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


def test_an_amendment_of_the_registry_changes_verdicts(sample):
    found = sample.sql("select nct_id, patients_changed, criteria_added from trials.amendment_summary")
    assert found.height == 1
    assert 0 < found["patients_changed"][0] < sample.value("select count(*) from cohort.patients")
    # The same amendment in the registry's words.
    assert (
        sample.value(
            "select count(distinct a.nct_id) from trials.amendment_summary as a join registry.field_changes as f "
            "using (nct_id, version, seen_at) where f.is_eligibility_change"
        )
        == 1
    )


def test_the_report_has_a_page_of_patients_and_trials(sample):
    folder = sample.marts.resolve().parent / "report"
    assert "patients_and_trials.html" in (folder / "index.html").read_text("utf-8")
    patient = sample.value("select patient_id from trials.patient_eligibility order by 1 limit 1")
    assert patient in (folder / "patients_and_trials.html").read_text("utf-8")


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


def poisoned_workbook(path):
    """A known string in every kind of cell: each field of each sheet, headers, names, formulas, comments, properties."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        book.set_properties({"title": POISON, "author": POISON, "comments": POISON})
        book.define_name(f"{POISON}_name", "=patients!$A$1")
        red = book.add_format({"bold": True})
        for table, fields in schemas.TABLES.items():
            sheet = book.add_worksheet(table)
            names = [field.name for field in fields]
            sheet.write_row(0, 0, [*names, f"{POISON} free text"])
            sound = SOUND[table]
            rows = [{"patient_id": f"{POISON}{n}"} | sound for n in range(20 if table == "patients" else 1)]
            for n, field in enumerate(fields):
                patient = f"{POISON}{n}" if table != "patients" else f"{POISON}{n + 20}"
                rows.append({"patient_id": patient} | sound | {field.name: f"{POISON} {field.name}"})
            for number, row in enumerate(rows, start=1):
                sheet.write_row(number, 0, [row.get(name, "") for name in names])
                sheet.write_string(number, len(names), f"{POISON} says")
            sheet.write_comment(1, 0, POISON)
            sheet.write_rich_string(len(rows) + 1, 0, "to", red, POISON, "day")
            sheet.write_formula(len(rows) + 2, 0, f'="{POISON}"&1', value=f"{POISON} formula")
            sheet.write_url(len(rows) + 3, 0, f"https://example.org/{POISON}", string=f"{POISON} link")
            sheet.merge_range(len(rows) + 4, 0, len(rows) + 4, 1, f"{POISON} merged")
            sheet.set_header(f"&C{POISON}")
        hidden = book.add_worksheet(f"{POISON} hidden")
        hidden.hide()
        hidden.write_row(0, 0, [POISON, f"{POISON} 2"])
        hidden.write_row(1, 0, [f"=1+{POISON}", f"<b>{POISON}</b>"])


def test_one_more_row_gives_a_new_release_and_a_poisoned_workbook_leaves_no_trace(
    own_sample, project, tmp_path
):
    """Further cohorts have a known string in file names, sheet names, headers, maps and every kind of cell."""
    inbox = tmp_path / "inbox"
    shutil.copytree(project / "examples" / "inbox", inbox)
    (inbox / "sample" / "edss.csv").write_text("patient_id,visit_date,edss\nINV-001,2010-05-04,4.5\n")
    for site in "bcd":
        (inbox / f"site_{site}").mkdir()
    poisoned_workbook(inbox / "site_b" / f"{POISON}.xlsx")
    (inbox / "site_b" / "cohort.yaml").write_text(
        f"ignore: ['{POISON} *']\nthresholds: {{rejected_share_limit: 1}}\nmissing: ['{POISON} nothing']\n"
        f"codes: {{sex: {{'{POISON} code': female}}}}\n"
    )
    (inbox / "site_b" / f"{POISON} broken.xlsx").write_bytes(b"PK\x03\x04" + POISON.encode() * 50)
    ledger = "file,sheet,cell,table,patient_id,date,field,old_value,new_value,who,when,why\n"
    ledger += f"{POISON}.xlsx,patients,B2,,,,sex,female,{POISON},{POISON},2026-01-01,{POISON}\n"
    ledger += f"{POISON}.xlsx,patients,B3,,,,sex,{POISON},male,{POISON},2026-01-01,{POISON}\n"
    (inbox / "site_b" / "corrections.csv").write_text(ledger)
    # Headers that no map knows, and a map that cannot be read.
    (inbox / "site_c" / f"{POISON}.csv").write_text(
        f"patient_id,visit_date,edss,{POISON}\n{POISON},2014-01-02,2,{POISON}\n"
    )
    (inbox / "site_d" / "patients.csv").write_text(f"patient_id,sex,birth_date\n{POISON},male,1980-01-01\n")
    (inbox / "site_d" / "cohort.yaml").write_text(f"sheets:\n  - {{file: '{POISON}', {POISON}: 1}}\n")
    before = own_sample.value("select count(*) from cohort.edss")
    text = own_sample.remit("run", "--cohorts", str(inbox))
    assert "published release" in text
    assert own_sample.value("select count(*) from cohort.edss where cohort = 'sample'") == before + 1
    assert own_sample.value("select count(*) from quality.releases") == 2
    # The rows with an unknown text are there and count; all others with the string are rejected.
    for table, fields in schemas.TABLES.items():
        texts = [field.name for field in fields if field.kind == "text"]
        kept = own_sample.value(f"select count(*) from cohort.{table} where cohort = 'site_b'")
        assert kept == (19 if table == "patients" else 1) + len(texts) + (table == "patients"), table
        for column in (name for name in texts if name != "relapse_id"):
            hidden = own_sample.sql(
                f"select {column} from cohort.{table} where cohort = 'site_b' and {column} similar to '(withheld|unmapped drug) .*'"
            )
            assert hidden.height == 1, (table, column)
    assert own_sample.value("select count(*) from quality.rejected_rows where cohort = 'site_b'") >= 60
    assert POISON.lower() not in text.lower()
    assert traces(own_sample, POISON) == []
    exported = tmp_path / "out"
    for kind in ("csv", "xlsx"):
        own_sample.remit("export", "--format", kind, "--to", str(exported / kind))
    assert [str(path) for path in exported.rglob("*") if path.is_file() and holds(path, POISON)] == []
    queries = list((own_sample.home / "private").rglob("*.html"))
    assert any(POISON in query.read_text("utf-8") for query in queries), (
        "the clinic's own list names the cell"
    )


def traces(installation, text):
    """Where a text stands outside landing and private/, whatever its case, stored forms decoded."""
    found = []
    for path in installation.home.rglob("*"):
        inside = path.relative_to(installation.home)
        if path.is_symlink() or not path.is_file() or inside.parts[0] in ("private", "landing"):
            continue
        if text.lower() in str(inside).lower() or holds(path, text):
            found.append(str(inside))
    return found


def holds(path, text):
    """Whether a file holds a text: as bytes, in Parquet, DuckDB, SQLite (with its compressed values), zip and gzip."""
    wanted = text.lower()
    content = path.read_bytes()
    if wanted.encode() in content.lower() or wanted.encode("utf-16-le") in content.lower():
        return True
    if path.suffix == ".parquet":
        query = "select count(*) from read_parquet(?) as t where contains(lower(t::varchar), ?)"
        return bool(duckdb.execute(query, [str(path), wanted]).fetchone()[0])
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where not internal"
            ).fetchall()
            query = 'select count(*) from "{}"."{}" as t where contains(lower(t::varchar), ?)'
            return any(connection.execute(query.format(*table), [wanted]).fetchone()[0] for table in tables)
    if content.startswith(b"SQLite format 3"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            tables = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
            return any(
                wanted in decoded(value).lower()
                for (table,) in tables
                for row in connection.execute(f'select * from "{table}"')
                for value in row
            )
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as archive:
            return any(wanted.encode() in archive.read(name).lower() for name in archive.namelist())
    return content.startswith(b"\x1f\x8b") and wanted.encode() in gzip.decompress(content).lower()


def decoded(value):
    if isinstance(value, bytes):
        with contextlib.suppress(zlib.error):
            value = zlib.decompress(value)
        return value.decode("utf-8", "replace")
    return str(value)


def test_the_search_for_traces_sees_through_stored_forms(tmp_path):
    frame = pl.DataFrame({"a": [f"x {POISON} y"] * 1000})
    frame.write_parquet(tmp_path / "a.parquet", compression="zstd")
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("create table t as select * from frame")
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("create table t (body blob)")
        connection.execute("insert into t values (?)", [zlib.compress(POISON.encode())])
        connection.commit()
    frame.write_excel(tmp_path / "a.xlsx")
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(POISON.encode()))
    for path in tmp_path.iterdir():
        assert holds(path, POISON), path.name
        assert not holds(path, "Zq8Absent"), path.name


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
