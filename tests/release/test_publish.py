"""A release equals the build, carries its comments and constraints, and appears by one rename."""

import json
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from pipeline.errors import CheckFailed, ReleaseError
from pipeline.home import Home
from pipeline.quality import checks
from pipeline.release import catalog
from pipeline.release.access import open_marts
from pipeline.release.publish import publish

HASHES = {"inputs_hash": "i", "code_hash": "c", "settings_hash": "s"}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home").create()
    build(home, "insert into registry.studies values ('NCT90000001', 'it''s <b>bold</b>', ['a', 'b'])")
    return home


def build(home, *statements):
    with duckdb.connect(str(home.build_file)) as connection:
        connection.execute(
            """
            create schema if not exists registry; create schema if not exists quality; create schema if not exists staging;
            create table if not exists staging.secret (a int);
            create table if not exists registry.studies (nct_id varchar not null, brief_title varchar, terms varchar[]);
            comment on table registry.studies is 'Studies, the registry''s.';
            comment on column registry.studies.nct_id is 'Id.';
            comment on column registry.studies.brief_title is 'Title.';
            comment on column registry.studies.terms is 'Terms.';
            """
        )
        for statement in statements:
            connection.execute(statement)


def make(home, *, rows=(), minute=0, keep=30):
    frame = pl.DataFrame(list(rows), schema=checks.COLUMNS)
    now = datetime(2026, 1, 2, 3, minute, tzinfo=UTC)
    return publish(
        home, hashes=HASHES, checks=frame, provenance={"dagster_run_id": "r"}, keep=keep, now=lambda: now
    )


def test_release_has_rows_constraints_and_comments_of_the_marts_alone(home):
    release = make(home, rows=[checks.check("unique", kind="dbt", table="registry.studies")])
    assert str(home.marts.readlink()) == f"releases/{release.release_id}/marts.duckdb"
    with open_marts(home.marts) as connection:
        assert connection.sql("select * from registry.studies").fetchall() == [
            ("NCT90000001", "it's <b>bold</b>", ["a", "b"])
        ]
        comments = dict(
            connection.sql(
                "select column_name, comment from duckdb_columns() where table_name = 'studies'"
            ).fetchall()
        )
        assert comments == {"nct_id": "Id.", "brief_title": "Title.", "terms": "Terms."}
        assert connection.sql(
            "select comment from duckdb_tables() where table_name = 'studies'"
        ).fetchone() == ("Studies, the registry's.",)
        assert connection.sql(
            "select is_nullable from duckdb_columns() where column_name = 'nct_id'"
        ).fetchone() == (False,)
        assert connection.sql(
            "select count(*) from duckdb_tables() where schema_name = 'staging'"
        ).fetchone() == (0,)
        assert connection.sql("select check_name, status from quality.checks").fetchall() == [
            ("unique", "pass")
        ]
        assert connection.sql("select release_id, is_this_release from quality.releases").fetchall() == [
            (release.release_id, True)
        ]
        with pytest.raises(duckdb.Error):
            connection.sql("copy registry.studies to '/tmp/never.csv'")
    manifest = json.loads((release.folder / "MANIFEST.json").read_text())
    assert manifest["tables"]["registry.studies"]["rows"] == 1
    assert {
        "marts.duckdb",
        "parquet/registry/studies.parquet",
        "report/index.html",
        "dictionary/index.html",
        "changes.json",
    } <= set(manifest["files"])
    assert "<b>bold" not in (release.folder / "report" / "index.html").read_text()


def test_rights_of_the_home_and_of_release_files(home):
    release = make(home)
    mode = lambda path: path.stat().st_mode & 0o777  # noqa: E731
    assert (mode(home.root), mode(home.releases), mode(home.private), mode(home.lake)) == (
        0o710,
        0o750,
        0o700,
        0o700,
    )
    assert {mode(path) for path in release.folder.rglob("*") if path.is_file()} == {0o440}


def test_equal_content_has_equal_hash_whatever_the_row_order(home):
    rows = [("NCT1", "a"), ("NCT2", "b"), ("NCT3", None)]
    ids = []
    for minute, order in enumerate((rows, rows[::-1])):
        build(home, "delete from registry.studies")
        for nct_id, title in order:
            build(
                home,
                f"insert into registry.studies values ('{nct_id}', {title!r}, null)".replace("None", "null"),
            )
        ids.append(make(home, minute=minute).manifest["content_hash"])
    assert ids[0] == ids[1]


def test_a_failed_blocking_check_publishes_nothing(home):
    first = make(home)
    with pytest.raises(CheckFailed, match="1 blocking checks failed"):
        make(home, rows=[checks.check("unique", kind="dbt", table="t", failures=3)], minute=1)
    make_warned = checks.check("few", kind="dbt", table="t", failures=3, severity="warn", message="Look.")
    assert catalog.current(home).release_id == first.release_id
    assert make(home, rows=[make_warned], minute=2).is_current


def test_a_column_without_description_is_not_published(home):
    build(home, "create table registry.bare (a int)")
    with pytest.raises(ReleaseError, match=r"registry\.bare\.a"):
        make(home)
    assert catalog.releases(home) == []
    assert list(home.releases.iterdir()) == []


def test_open_readers_keep_their_release_and_new_ones_see_the_new(home):
    make(home)
    old = duckdb.connect(str(home.marts.resolve()), read_only=True)
    build(home, "insert into registry.studies values ('NCT90000002', 'second', null)")
    make(home, minute=1)
    assert old.sql("select count(*) from registry.studies").fetchone() == (1,)
    with duckdb.connect(str(home.marts.resolve()), read_only=True) as new:
        assert new.sql("select count(*) from registry.studies").fetchone() == (2,)
        assert new.sql("select count(*) from quality.releases").fetchone() == (2,)
    old.close()


def test_changes_say_what_moved_since_the_release_before(home):
    first = make(home)
    build(home, "insert into registry.studies values ('NCT90000002', 'second', null)")
    second = make(home, minute=1)
    changes = json.loads((second.folder / "changes.json").read_text())
    assert changes["previous_release_id"] == first.release_id
    assert changes["tables"] == {"registry.studies": {"rows_before": 1, "rows_after": 2}}


def test_old_releases_are_pruned_and_a_kept_one_can_be_opened_again(home):
    made = [make(home, minute=minute, keep=2).release_id for minute in range(3)]
    assert [release.release_id for release in catalog.releases(home)] == [made[2], made[1]]
    catalog.point_to(home, made[1])
    assert catalog.current_id(home) == made[1]
    with pytest.raises(ReleaseError, match="none fits"):
        catalog.find(home, made[0])


def test_what_a_killed_run_left_is_swept(home):
    (home.releases / ".partial-x").mkdir()
    (home.root / ".marts.duckdb-1").symlink_to("nowhere")
    make(home)
    assert not list(home.releases.glob(".partial-*"))
    assert not list(home.root.glob(".marts.duckdb-*"))


def test_a_withdrawn_patient_leaves_every_kept_release(home):
    from pipeline.release.withdrawal import erase

    build(
        home,
        "create schema cohort",
        "create table cohort.edss (cohort varchar, patient_id varchar, edss double)",
        "comment on column cohort.edss.cohort is 'c'; comment on column cohort.edss.patient_id is 'p'; comment on column cohort.edss.edss is 'e'",
        "insert into cohort.edss values ('a', 'P1', 2), ('a', 'P2', 3), ('b', 'P1', 4)",
    )
    made = [make(home, minute=minute) for minute in range(2)]
    assert erase(home, "a", "P1") == 2
    assert erase(home, "a", "P1") == 0
    for release in made:
        with duckdb.connect(str(release.folder / "marts.duckdb"), read_only=True) as connection:
            assert connection.sql("select cohort, patient_id from cohort.edss order by all").fetchall() == [
                ("a", "P2"),
                ("b", "P1"),
            ]
            assert connection.sql("select count(*) from quality.releases").fetchone()[0] > 0
        parquet = pl.read_parquet(release.folder / "parquet" / "cohort" / "edss.parquet")
        assert parquet.height == 2
    assert catalog.current(home).manifest["patients_withdrawn_since"] == 1


def test_two_releases_are_compared_up_to_the_last_bits_of_fractions(tmp_path):
    from pipeline.release.publish import differing

    values = {"a": "0.1 + 0.2", "b": "0.3", "c": "0.3001"}
    for name, value in values.items():
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(
                f"create schema s; create table s.t as select 1 as n, cast({value} as double) as x, null::double as y"
            )
            connection.execute(
                "create table s.u as select 1 as n; create table s.v as select 1.5::double as x from range(3)"
            )
            connection.execute("insert into s.u values (2)" if name == "c" else "select 1")
    tables = ["s.t", "s.u", "s.v"]
    assert differing(tmp_path / "a", tmp_path / "b", tables) == []
    assert differing(tmp_path / "a", tmp_path / "c", tables) == ["s.t", "s.u"]


def test_a_broken_rule_of_a_seed_is_told_in_the_words_of_the_seed():
    seed = {"resource_type": "seed", "original_file_path": "seeds/outcomes/epochs.csv", "name": "epochs"}

    def rule(name: str, **arguments) -> dict:
        return {"name": f"{name}_epochs_anchor", "attached_node": "seed.remit.epochs", "column_name": "anchor",
                "test_metadata": {"name": name, "kwargs": arguments}}  # fmt: skip

    manifest = {
        "nodes": {
            "seed.remit.epochs": seed,
            "test.remit.one": rule("accepted_values", values=["index", "onset"]),
            "test.remit.two": rule("unique"),
            "test.remit.three": {"name": "assert_epochs_do_not_contradict_themselves"},
            "test.remit.four": {
                "name": "assert_bands",
                "config": {"meta": {"told": "bands.csv: no overlap"}},
            },
        }
    }
    told = [checks.told(f"test.remit.{name}", manifest) for name in ("one", "two", "three", "four")]
    assert told == [
        "seeds/outcomes/epochs.csv, column anchor: must be one of index, onset",
        "seeds/outcomes/epochs.csv, column anchor: must not repeat",
        "assert_epochs_do_not_contradict_themselves",
        "bands.csv: no overlap",
    ]
    assert checks.told("model.remit.gone", manifest) == "gone"
