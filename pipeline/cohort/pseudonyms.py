"""Patient identifiers → keyed pseudonyms, and back for the person who may ask.

Pseudonym = first 16 base32 characters of HMAC-SHA256(key, cohort ‖ 0x1f ‖ normalised identifier). The key comes
from the environment (through settings) or from `private/pseudonym.key`, made on first use. Once pseudonyms were
given out, another key would silently make every patient a new one: it is noticed and refused.

The crosswalk to the original identifiers lies in `private/crosswalk/`, one file a cohort, mode 0600; so does the
log of who asked for one. Values other than identifiers and the optional shift of dates have no place here.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pwd
import re
import secrets
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import polars as pl

from pipeline.errors import CohortError, HomeError

KEY_FILE = "pseudonym.key"
FINGERPRINT_FILE = "pseudonym.fingerprint"
CROSSWALK = "crosswalk"
ACCESS_LOG = "access.jsonl"
LENGTH = 16
MIN_KEY_LENGTH = 16
# Dates move back by 1 to this many days: a shifted date is never in the future.
MAX_SHIFT_DAYS = 365

CROSSWALK_COLUMNS = {"cohort": pl.String(), "patient_id": pl.String(), "original_id": pl.String()}
Text = TypeVar("Text", pl.Series, pl.Expr)
_SEPARATOR = b"\x1f"


@dataclass(frozen=True)
class Key:
    """The secret of one home. Its text shows the fingerprint alone."""

    secret: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that tell keys apart and give nothing of the key away."""
        return self._digest(b"remit pseudonym key").hex()[:16]

    def _digest(self, *parts: bytes) -> bytes:
        return hmac.new(self.secret, _SEPARATOR.join(parts), hashlib.sha256).digest()

    def pseudonym(self, cohort: str, identifier: str) -> str:
        """The pseudonym of one identifier as the clinic writes it."""
        normalised = pl.select(normalise(pl.lit(identifier, dtype=pl.String))).item()
        return self._of(cohort, normalised)

    def _of(self, cohort: str, normalised: str) -> str:
        return base64.b32encode(self._digest(cohort.encode(), normalised.encode())).decode()[:LENGTH]

    def pseudonyms(self, cohort: str, identifiers: pl.Series) -> pl.DataFrame:
        """The crosswalk of a column of identifiers.

        Returns:
            One row a distinct identifier as written: `written`, `original_id` (normalised), `patient_id` (the
            pseudonym). Nulls and identifiers that normalise to nothing are left out: join back on `written`.
        """
        frame = (
            pl.DataFrame({"written": identifiers.cast(pl.String)})
            .unique(maintain_order=True)
            .with_columns(original_id=normalise(pl.col("written")))
            .filter(pl.col("original_id") != "")
        )
        distinct = frame.select("original_id").unique(maintain_order=True)
        # One HMAC a distinct patient: 100,000 take 0.3 s.
        codes = [self._of(cohort, identifier) for identifier in distinct["original_id"]]
        distinct = distinct.with_columns(patient_id=pl.Series(codes, dtype=pl.String))
        return frame.join(distinct, on="original_id", how="left", maintain_order="left")

    def token(self, *parts: str) -> str:
        """Eight letters and digits that stand for a text: equal for equal parts, and telling nothing of them."""
        digest = self._digest(b"text", *(part.encode() for part in parts))
        return base64.b32encode(digest).decode()[:8].lower()

    def shift_days(self, cohort: str, patients: pl.Series) -> pl.DataFrame:
        """How many days the dates of each patient (pseudonyms) move: `patient_id`, `shift_days` (−365 … −1)."""
        distinct = patients.cast(pl.String).drop_nulls().unique(maintain_order=True)
        days = [
            -1
            - int.from_bytes(self._digest(b"date shift", cohort.encode(), patient.encode())[:8])
            % MAX_SHIFT_DAYS
            for patient in distinct
        ]
        return pl.DataFrame({"patient_id": distinct, "shift_days": pl.Series(days, dtype=pl.Int64)})


def normalise(identifiers: Text) -> Text:
    """NFKC, trimmed, `12.0` → `12` (a number that a spreadsheet made of an identifier); leading zeros stay."""
    if isinstance(identifiers, pl.Series):
        return pl.select(normalise(pl.lit(identifiers.cast(pl.String)))).to_series().rename(identifiers.name)
    text = identifiers.cast(pl.String).str.normalize("NFKC").str.strip_chars()
    # Invisible marks that come along with copied text are not part of an identifier.
    text = text.str.strip_chars("\u200b\ufeff\u2060").str.strip_chars()
    return text.str.replace(r"^(\d+)\.0+$", "${1}")


# --- the key ----------------------------------------------------------------------------------------------


def load_key(private: Path, secret: str | None = None) -> Key:
    """The key of this home; made on first use.

    Args:
        private: `private/` of the home.
        secret: REMIT_PSEUDONYM_KEY (settings.pseudonym_key), which wins over the file.

    Raises:
        HomeError: the key is lost, unreadable, too short, or not the one that gave out the pseudonyms of this
            home.
    """
    try:
        key = Key(_from_file(private) if secret is None else _from_text(secret))
        _check(private, key)
        _remember(private, key)
    except OSError as error:
        raise HomeError(
            f"the pseudonym key cannot be read or written ({error.strerror}): "
            "give yourself the right to read and write private/."
        ) from None
    return key


def _from_text(text: str) -> bytes:
    secret = text.strip().encode()
    if len(secret) < MIN_KEY_LENGTH:
        raise HomeError(
            f"the pseudonym key has fewer than {MIN_KEY_LENGTH} characters: set REMIT_PSEUDONYM_KEY to a longer one."
        )
    return secret


def _from_file(private: Path) -> bytes:
    file = private / KEY_FILE
    if not file.exists():
        if _in_use(private):
            raise HomeError(
                f"the pseudonym key is lost, and pseudonyms were given out with it: put private/{KEY_FILE} back "
                "from your backup, or set REMIT_PSEUDONYM_KEY to the key that was used."
            )
        _create(file, secrets.token_urlsafe(32) + "\n")
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
    text = file.read_text("ascii", "replace")
    if len(text.strip()) < MIN_KEY_LENGTH or "\ufffd" in text:
        raise HomeError(f"private/{KEY_FILE} is damaged: put it back from your backup.")
    return _from_text(text)


def _create(file: Path, text: str) -> None:
    """Write a new file whole or not at all; where another process was first, its file stays."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mkstemp gives 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink(missing_ok=True)


def _in_use(private: Path) -> bool:
    return (private / FINGERPRINT_FILE).exists() or any(_crosswalks(private))


def _check(private: Path, key: Key) -> None:
    changed = HomeError(
        "the pseudonym key is not the one that gave out the pseudonyms of this home: set REMIT_PSEUDONYM_KEY (or "
        f"put back private/{KEY_FILE}) as it was, or start a new REMIT_HOME for the new key."
    )
    file = private / FINGERPRINT_FILE
    if file.exists() and file.read_text("ascii", "replace").strip() != key.fingerprint:
        raise changed
    # The fingerprint may be gone while a crosswalk is still there: any row of it tells.
    for crosswalk in _crosswalks(private):
        for cohort, pseudonym, original in _read(crosswalk).head(1).iter_rows():
            if key._of(cohort, original) != pseudonym:
                raise changed


def _remember(private: Path, key: Key) -> None:
    if not (private / FINGERPRINT_FILE).exists():
        _create(private / FINGERPRINT_FILE, key.fingerprint + "\n")


# --- the crosswalk ----------------------------------------------------------------------------------------


def _crosswalks(private: Path) -> list[Path]:
    folder = private / CROSSWALK
    return sorted(folder.glob("*.parquet")) if folder.is_dir() else []


def _read(file: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(file).select(list(CROSSWALK_COLUMNS))
    except (pl.exceptions.PolarsError, OSError):
        raise HomeError(
            "a crosswalk in private/ is damaged: put it back from your backup, or delete it and run again."
        ) from None


def write_crosswalk(private: Path, cohort: str, crosswalk: pl.DataFrame) -> None:
    """Add a cohort's pseudonyms (`patient_id`, `original_id`) to its crosswalk.

    Patients who are no longer delivered stay: kept releases still show them. `forget` takes one out.

    Raises:
        HomeError: private/ cannot be written.
    """
    rows = crosswalk.select(pl.lit(cohort).alias("cohort"), "patient_id", "original_id")
    file = _file(private, cohort)
    if file.exists():
        rows = pl.concat([_read(file), rows])
    _replace(file, rows.unique(["patient_id"], maintain_order=True, keep="first").sort("patient_id"))


def read_crosswalk(private: Path, cohort: str | None = None) -> pl.DataFrame:
    """cohort, patient_id (pseudonym), original_id of one cohort or of all. Never to be logged or published."""
    files = _crosswalks(private) if cohort is None else [f for f in [_file(private, cohort)] if f.exists()]
    return pl.concat([_read(file) for file in files]) if files else pl.DataFrame(schema=CROSSWALK_COLUMNS)


def forget(private: Path, cohort: str, pseudonyms: Iterable[str]) -> int:
    """Take patients out of a cohort's crosswalk; returns how many stood there."""
    file = _file(private, cohort)
    if not file.exists():
        return 0
    before = _read(file)
    after = before.filter(~pl.col("patient_id").is_in(list(pseudonyms)))
    if after.height < before.height:
        _replace(file, after)
    return before.height - after.height


def _file(private: Path, cohort: str) -> Path:
    # Cohort names are safe as load gives them; another caller's must not lead out of the folder.
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", cohort):
        raise CohortError("the cohort's name must be letters, digits, _ and - only: rename its folder.")
    return private / CROSSWALK / f"{cohort}.parquet"


def _replace(file: Path, rows: pl.DataFrame) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                rows.cast(CROSSWALK_COLUMNS).write_parquet(stream)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(file)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise HomeError(
            f"the crosswalk cannot be written ({error.strerror}): free space, or give yourself the right to "
            "write private/."
        ) from None


def _now() -> datetime:
    return datetime.now(UTC)


def identify(private: Path, pseudonym: str, *, now: Callable[[], datetime] = _now) -> pl.DataFrame:
    """The original identifier behind a pseudonym; who asked, and when, goes into `private/access.jsonl` first.

    Returns:
        cohort, patient_id, original_id: one row, or several where cohorts share it.

    Raises:
        CohortError: no patient has it (the attempt is logged too).
        HomeError: the log cannot be written: then nothing is answered.
    """
    wanted = pseudonym.strip().upper()
    found = read_crosswalk(private).filter(pl.col("patient_id") == wanted)
    is_pseudonym = re.fullmatch(rf"[A-Z2-7]{{{LENGTH}}}", wanted) is not None
    _log(
        private,
        {
            "time": now().isoformat(timespec="seconds"),
            "user": _user(),
            "asked": wanted if is_pseudonym else None,
            "cohorts": found["cohort"].to_list(),
        },
    )
    if found.is_empty():
        raise CohortError("no patient of this home has this pseudonym: check its 16 characters.")
    return found


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _log(private: Path, entry: dict[str, object]) -> None:
    try:
        handle = os.open(private / ACCESS_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise HomeError(
            f"the access log cannot be written ({error.strerror}), so nothing is answered: "
            "give yourself the right to write private/."
        ) from None


# --- the shift of dates -----------------------------------------------------------------------------------


def shift_dates(frame: pl.DataFrame, key: Key, cohort: str) -> pl.DataFrame:
    """A lake table with all dates of a patient moved by one secret number of days: intervals stay as they are.

    `patient_id` holds pseudonyms. The texts of dates (`*_date_text`) would give the true ones away: a date known
    to the day gets its new text, a partial one none. Partial dates keep their precision and their interval's
    length, which then no longer falls on whole months.
    """
    dates = [
        name
        for name, kind in frame.schema.items()
        if kind in (pl.Date, pl.Datetime) and name != "received_at"
    ]
    shifts = key.shift_days(cohort, frame["patient_id"])
    moved = frame.join(shifts, on="patient_id", how="left", maintain_order="left")
    moved = moved.with_columns(pl.col(name) + pl.duration(days=pl.col("shift_days")) for name in dates)
    texts = [
        name for name in frame.columns if name.endswith("_text") and f"{name[:-5]}_precision" in frame.columns
    ]
    moved = moved.with_columns(
        pl.when(pl.col(f"{name[:-5]}_precision") == "day")
        .then(pl.col(f"{name[:-5]}_earliest").dt.to_string("%Y-%m-%d"))
        .alias(name)
        for name in texts
    )
    return moved.drop("shift_days").select(frame.columns).cast(frame.schema)
