"""Pseudonyms: their exact form, the key that must not change, the way back that is logged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cohort import pseudonyms
from pipeline.errors import CohortError, HomeError

SECRET = "a secret of a test, long enough"


@pytest.fixture
def private(tmp_path: Path) -> Path:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return folder


def walk(key: pseudonyms.Key, cohort: str, *ids: str) -> pl.DataFrame:
    series = pl.Series(ids)
    return pl.DataFrame(
        {"pseudonym": key.pseudonyms(cohort, series), "original_id": pseudonyms.normalise(series)}
    )


def test_the_form_that_design_states() -> None:
    expected = hmac.new(SECRET.encode(), b"berlin\x1fP-007", hashlib.sha256).digest()
    key = pseudonyms.Key(SECRET.encode())
    assert key.pseudonym("berlin", " P-007 ") == base64.b32encode(expected).decode()[:16]
    assert key.pseudonym("hamburg", "P-007") != key.pseudonym("berlin", "P-007")


def test_identifiers_that_are_one_patient_and_that_are_not() -> None:
    key = pseudonyms.Key(SECRET.encode())
    same = key.pseudonyms(
        "a", pl.Series(["12", "12.0", " 12 ", "\uff11\uff12", "12.00", "\u00a012", "12\u200b"])
    )
    assert same.n_unique() == 1
    other = key.pseudonyms("a", pl.Series(["12", "012", "12.5", "12a", "1 2", "12.0.0"]))
    assert other.n_unique() == 6
    assert key.pseudonyms("a", pl.Series([None, "", "  ", "x"])).is_null().to_list() == [
        True,
        True,
        True,
        False,
    ]
    assert key.pseudonyms("a", pl.Series([], dtype=pl.String)).len() == 0


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_one_pseudonym_or_none(text: str) -> None:
    key = pseudonyms.Key(SECRET.encode())
    answer = key.pseudonyms("a", pl.Series([text, f" {text}\t", unicodedata.normalize("NFD", text)]))
    assert answer.n_unique() == 1
    assert answer[0] is None or (
        len(answer[0]) == 16 and set(answer[0]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    )


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
    days = key.date_shifts("berlin", patients)
    assert days[:400].to_list() == days[400:800].to_list()
    assert days[800] is None
    assert -365 <= days.min() <= days.max() <= -1
    assert days.n_unique() > 150
    assert days[:400].to_list() != key.date_shifts("paris", patients)[:400].to_list()
    assert days[:400].to_list() != pseudonyms.Key(b"x" * 20).date_shifts("berlin", patients)[:400].to_list()
