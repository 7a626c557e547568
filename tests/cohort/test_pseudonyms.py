"""Pseudonyms: their exact form, the key that must not change, the way back that is logged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cohort import pseudonyms, schemas
from pipeline.errors import CohortError, HomeError

SECRET = "a secret of a test, long enough"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return folder


def walk(key: pseudonyms.Key, cohort: str, *ids: str) -> pl.DataFrame:
    return key.pseudonyms(cohort, pl.Series(ids))


def test_the_form_that_design_states() -> None:
    expected = hmac.new(SECRET.encode(), b"berlin\x1fP-007", hashlib.sha256).digest()
    key = pseudonyms.Key(SECRET.encode())
    assert key.pseudonym("berlin", " P-007 ") == base64.b32encode(expected).decode()[:16]
    assert key.pseudonym("hamburg", "P-007") != key.pseudonym("berlin", "P-007")


def test_identifiers_that_are_one_patient_and_that_are_not() -> None:
    key = pseudonyms.Key(SECRET.encode())
    same = walk(key, "a", "12", "12.0", " 12 ", "\uff11\uff12", "12.00", "\u00a012", "12\u200b", "12")
    assert same.height == 7  # one row a distinct text
    assert same["original_id"].unique().to_list() == ["12"]
    assert same["patient_id"].unique().to_list() == [key.pseudonym("a", "12")]
    other = walk(key, "a", "12", "012", "12.5", "12a", "1 2", "12.0.0")
    assert other["patient_id"].n_unique() == 6
    none = key.pseudonyms("a", pl.Series([None, "", "  ", "x"]))
    assert none["written"].to_list() == ["x"]
    assert key.pseudonyms("a", pl.Series([], dtype=pl.String)).is_empty()
    assert pseudonyms.normalise(pl.Series("id", [" 7.0 ", None])).to_list() == ["7", None]


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_one_pseudonym_or_none(text: str) -> None:
    key = pseudonyms.Key(SECRET.encode())
    answer = walk(key, "a", text, f" {text}\t", unicodedata.normalize("NFD", text))
    assert answer["patient_id"].n_unique() <= 1
    for pseudonym in answer["patient_id"]:
        assert len(pseudonym) == 16
        assert set(pseudonym) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_the_key_is_made_once_and_kept_private(private: Path) -> None:
    key = pseudonyms.load_key(private)
    assert pseudonyms.load_key(private) == key
    file = private / pseudonyms.KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert pseudonyms.load_key(private) == key
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text().strip()
    assert text not in repr(key)
    assert text not in str(key)
    assert text not in key.fingerprint
    assert sorted(path.name for path in private.iterdir()) == ["pseudonym.fingerprint", "pseudonym.key"]


def test_a_lost_key_is_refused_once_pseudonyms_were_given_out(private: Path) -> None:
    pseudonyms.load_key(private)
    (private / pseudonyms.KEY_FILE).unlink()
    with pytest.raises(HomeError, match=r"key is lost.*put private/pseudonym.key back"):
        pseudonyms.load_key(private)
    assert not (private / pseudonyms.KEY_FILE).exists()


def test_a_changed_key_is_refused_by_fingerprint_and_by_crosswalk(private: Path) -> None:
    key = pseudonyms.load_key(private)
    pseudonyms.write_crosswalk(private, "berlin", walk(key, "berlin", "1"))
    (private / pseudonyms.KEY_FILE).write_text("another key that is long enough")
    with pytest.raises(HomeError, match="not the one"):
        pseudonyms.load_key(private)
    (private / pseudonyms.FINGERPRINT_FILE).unlink()
    with pytest.raises(HomeError, match="not the one"):
        pseudonyms.load_key(private)
    with pytest.raises(HomeError, match="not the one"):
        pseudonyms.load_key(private, "a third key that is long enough")


def test_the_environment_wins_and_is_held_to_the_same_rule(private: Path) -> None:
    key = pseudonyms.load_key(private, SECRET)
    assert not (private / pseudonyms.KEY_FILE).exists()
    assert pseudonyms.load_key(private, f"{SECRET}\n") == key
    with pytest.raises(HomeError, match="key is lost"):
        pseudonyms.load_key(private)
    with pytest.raises(HomeError, match="fewer than 16"):
        pseudonyms.load_key(private, "short")
    with pytest.raises(HomeError, match="fewer than 16"):
        pseudonyms.load_key(private, "")


@pytest.mark.parametrize("content", ["", "\n", "abc\n"])
def test_a_damaged_key_file_is_refused(private: Path, content: str) -> None:
    (private / pseudonyms.KEY_FILE).write_text(content)
    with pytest.raises(HomeError, match="damaged"):
        pseudonyms.load_key(private)


def test_the_way_back_is_logged_before_it_is_answered(private: Path) -> None:
    key = pseudonyms.load_key(private)
    pseudonyms.write_crosswalk(private, "berlin", walk(key, "berlin", "P1", "P2"))
    asked = key.pseudonym("berlin", "P2")
    found = pseudonyms.identify(private, f" {asked.lower()} ", now=lambda: datetime(2026, 3, 1, tzinfo=UTC))
    assert found.rows() == [("berlin", asked, "P2")]
    with pytest.raises(CohortError, match="no patient"):
        pseudonyms.identify(private, "P2")
    first, second = [json.loads(line) for line in (private / pseudonyms.ACCESS_LOG).read_text().splitlines()]
    assert first["asked"] == asked
    assert first["time"] == "2026-03-01T00:00:00+00:00"
    assert first["cohorts"] == ["berlin"]
    assert first["user"]
    assert second["asked"] is None  # what was typed may be an original identifier
    assert "P2" not in (private / pseudonyms.ACCESS_LOG).read_text()
    for file in private.rglob("*"):
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_nothing_is_answered_where_it_cannot_be_logged(private: Path) -> None:
    key = pseudonyms.load_key(private)
    pseudonyms.write_crosswalk(private, "berlin", walk(key, "berlin", "P1"))
    (private / pseudonyms.ACCESS_LOG).mkdir()
    with pytest.raises(HomeError, match="nothing is answered"):
        pseudonyms.identify(private, key.pseudonym("berlin", "P1"))


def test_the_crosswalk_grows_and_forgets(private: Path) -> None:
    key = pseudonyms.load_key(private)
    pseudonyms.write_crosswalk(private, "berlin", walk(key, "berlin", "P1", "P2"))
    pseudonyms.write_crosswalk(private, "berlin", walk(key, "berlin", "P2", "P3"))
    pseudonyms.write_crosswalk(private, "paris", walk(key, "paris", "P1"))
    assert pseudonyms.read_crosswalk(private, "berlin").height == 3
    assert pseudonyms.read_crosswalk(private).height == 4
    assert pseudonyms.forget(private, "berlin", [key.pseudonym("berlin", "P1")]) == 1
    assert pseudonyms.forget(private, "berlin", [key.pseudonym("berlin", "P1")]) == 0
    assert pseudonyms.forget(private, "rome", ["X"]) == 0
    assert set(pseudonyms.read_crosswalk(private, "berlin")["original_id"]) == {"P2", "P3"}
    with pytest.raises(CohortError):
        pseudonyms.write_crosswalk(private, "../elsewhere", walk(key, "berlin", "P1"))
    (private / "crosswalk" / "paris.parquet").write_bytes(b"no parquet")
    with pytest.raises(HomeError, match="damaged"):
        pseudonyms.read_crosswalk(private)


def test_date_shifts_are_one_a_patient_and_never_forward() -> None:
    key = pseudonyms.Key(SECRET.encode())
    patients = pl.Series([f"P{n % 400}" for n in range(800)] + [None])
    shifts = key.shift_days("berlin", patients)
    assert shifts.height == 400
    days = shifts["shift_days"]
    assert -365 <= days.min() <= days.max() <= -1
    assert days.n_unique() > 150
    assert days.to_list() != key.shift_days("paris", patients)["shift_days"].to_list()
    assert days.to_list() != pseudonyms.Key(b"x" * 20).shift_days("berlin", patients)["shift_days"].to_list()


def test_a_shift_keeps_intervals_and_gives_no_true_date_away() -> None:
    key = pseudonyms.Key(SECRET.encode())
    days = [date(2014, 3, 2), date(2015, 3, 2), date(2016, 2, 29)]
    frame = schemas.empty("relapses").clear()
    frame = pl.DataFrame(
        {
            "cohort": "berlin",
            "patient_id": ["A", "A", "B"],
            "onset_date_earliest": days,
            "onset_date_latest": days[:2] + [date(2016, 3, 31)],
            "onset_date_precision": ["day", "day", "month"],
            "onset_date_text": ["2.3.2014", "2.3.2015", "2/2016"],
        },
        schema_overrides=frame.schema,
    )
    moved = pseudonyms.shift_dates(frame, key, "berlin")
    assert moved.schema == frame.schema
    by = dict(key.shift_days("berlin", pl.Series(["A", "B"])).iter_rows())
    onset = moved["onset_date_earliest"]
    assert onset.to_list() == [d + timedelta(days=by[p]) for d, p in zip(days, "AAB", strict=True)]
    assert onset[1] - onset[0] == timedelta(days=365)
    assert moved["onset_date_latest"][2] - onset[2] == timedelta(days=31)
    assert moved["onset_date_text"].to_list() == [str(onset[0]), str(onset[1]), None]
    assert pseudonyms.shift_dates(frame.clear(), key, "berlin").is_empty()
