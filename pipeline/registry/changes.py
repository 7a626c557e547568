"""Versions of a study → what changed, field by field, as a reader of the record would say it.

`feed` finds the versions in landing's journal, `changes` compares them. Landing keeps every page and file
that ever came in, so the whole feed is rebuilt from it, with equal result. What the fields mean is tables.py.

Objects are compared name by name; a part that one version lacks altogether is one row, not one for each of
its values. Items of lists are matched by identity (a site by facility, city and country; an outcome by its
measure), so that a new order is no change. What remains is matched by spelling: a respelled site is one
`changed`. Numbers must be equal for that ("at Month 4" is no spelling of "at Month 8"). Texts that differ in
white space or in the markup of the registry's two formats alone are equal.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from rapidfuzz import fuzz

from pipeline.landing import Entry, Landing

COLUMNS: dict[str, pl.DataType] = {
    "nct_id": pl.String(),
    "field_path": pl.String(),
    "change_kind": pl.String(),
    "old_value": pl.String(),
    "new_value": pl.String(),
    "version": pl.String(),
    "seen_at": pl.Datetime("us"),
    "is_primary_outcome_change": pl.Boolean(),
    "is_eligibility_change": pl.Boolean(),
    "is_enrollment_change": pl.Boolean(),
    "is_completion_slip": pl.Boolean(),
    "is_status_change": pl.Boolean(),
    "source": pl.String(),
}
KINDS = ("baseline", "added", "changed", "removed", "reappeared", "study_removed")

# The path of rows about the study as a whole.
STUDY = "study"
# A value longer than this is cut in the feed; landing has the whole.
VALUE_LIMIT = 20_000
# From this likeness (of 100) on, two spellings are one item.
LIKE, ALMOST = 85.0, 75.0

# Moves with every nightly export and is no statement about the study.
_IGNORED = {"derivedSection.miscInfoModule.versionHolder"}

# Identity of list items: the names of the fields that make it, by the name of the list.
_IDENTITY: dict[str, tuple[str, ...]] = {
    "locations": ("facility", "city", "country"),
    "primaryOutcomes": ("measure",),
    "secondaryOutcomes": ("measure",),
    "otherOutcomes": ("measure",),
    "outcomeMeasures": ("title",),
    "measures": ("title",),
    "armGroups": ("label",),
    "interventions": ("name", "type"),
    "secondaryIdInfos": ("id",),
    "collaborators": ("name",),
    "overallOfficials": ("name",),
    "centralContacts": ("name",),
    "contacts": ("name", "role"),
    "references": ("citation",),
    "seeAlsoLinks": ("url",),
    "availIpds": ("id", "url", "type"),
    "largeDocs": ("filename",),
    "seriousEvents": ("term", "organSystem"),
    "otherEvents": ("term", "organSystem"),
    "unpostedEvents": ("type", "date"),
    "violationEvents": ("type", "description"),
    "periods": ("title",),
    "milestones": ("type",),
    "dropWithdraws": ("type",),
    "classes": ("title",),
    "categories": ("title",),
    "measurements": ("groupId",),
    "achievements": ("groupId",),
    "reasons": ("groupId",),
    "counts": ("groupId",),
    "stats": ("groupId",),
    "denoms": ("units",),
}
# Where a list is not named above, the first of these that all its items have.
_USUAL = ("id", "nctId", "label", "title", "name", "term", "type", "url")
# Follow from the identity: a respelled site moves on the map by itself.
_DERIVED = {"locations": {"geoPoint", "zip", "state"}}

_PRIMARY = "protocolSection.outcomesModule.primaryOutcomes"
_ELIGIBILITY = "protocolSection.eligibilityModule"
_ENROLLMENT = "protocolSection.designModule.enrollmentInfo"
_STATUS = "protocolSection.statusModule.overallStatus"
_COMPLETION = tuple(
    f"protocolSection.statusModule.{name}.date"
    for name in ("completionDateStruct", "primaryCompletionDateStruct")
)


@dataclass
class _Row:
    path: str
    kind: str
    old: Any = None
    new: Any = None
    # The identity of a respelled item is its change, whatever fields it stands in.
    is_identity: bool = False


def changes(versions: pl.DataFrame) -> pl.DataFrame:
    """The field-level change feed of studies whose versions are given.

    Args:
        versions: one row a version, `nct_id, source, version, seen_at, document` in any order (`seen_at` decides).
            `document` is the record as JSON text; null: the study was not there any more.

    Returns:
        Columns `COLUMNS`, sorted by study and time: one `baseline` row for the first version of a study (path
        `study`), then one row for each difference to the version before. `seen_at` is when Remit first saw it.
        A value that is an object or list is compact JSON. `study_removed`, and `reappeared` with path `study`,
        are about the study; `reappeared` elsewhere is a field or item that had been removed before.

        - `is_primary_outcome_change`: a primary outcome was added, removed or renamed, or its time frame changed;
        - `is_eligibility_change`: anything in the eligibility module;
        - `is_enrollment_change`: the target changed (a target that becomes the actual number is none);
        - `is_completion_slip`: a completion date moved later (where one date is partial, in what both say);
        - `is_status_change`: the recruitment status.
    """
    rows: list[tuple[Any, ...]] = []
    ordered = versions.sort("nct_id", "seen_at", maintain_order=True)
    for (nct_id,), group in ordered.group_by("nct_id", maintain_order=True):
        rows += _of_study(str(nct_id), group.iter_rows(named=True))
    return _frame(rows)


@dataclass(frozen=True)
class History:
    """What the versions of studies told.

    `feed`: as `changes`. `versions`: what it was compared from, of studies with more than one version: columns as
    `changes` takes them, oldest first within a study; one version may stand twice, at the end of what came before
    the first pull and at the beginning of the pulls.
    """

    feed: pl.DataFrame
    versions: pl.DataFrame


def feed(landing: Landing, sources: Sequence[str], records: pl.DataFrame | None = None) -> pl.DataFrame:
    """`history(…).feed`."""
    return history(landing, sources, records).feed


def history(
    landing: Landing,
    sources: Sequence[str],
    records: pl.DataFrame | None = None,
    superseded: pl.DataFrame | None = None,
    index: Callable[[str], Path] | None = None,
) -> History:
    """The change feed of everything that was ever pulled from what is in force now.

    Versions are pulls: of a live search the completed ones, of a recorded folder each time its files changed.
    Earlier pulls of another search or another folder do not count. Records in their history wrapper bring the
    changes that their history tells on top, and so does an older record of a study that lies in a file beside its
    newest one. Mirror pages carry their own feed and are not compared here.

    Args:
        landing: the registry's landing area.
        sources: names as in the journal.
        records: what the caller has read already of the documents in force: `nct_id, sha256` (hash of the
            document). Of a source that was pulled once nothing is read again then.
        superseded: of the same documents the records that a newer one of their study superseded, columns alike.
        index: where to keep, per source, which study stands in which document and a hash of what it says: documents
            do not change, so each is looked into once and not every night.

    Returns:
        Reads only studies of which there is more than one version as a whole.
    """
    found = [
        _history_of(landing, source, records, superseded, index(source) if index else None)
        for source in dict.fromkeys(sources)
        if source != "mirror"
    ]
    return History(
        pl.concat([*(one.feed for one in found), _frame([])]).sort("nct_id", "seen_at", maintain_order=True),
        pl.concat([*(one.versions for one in found), pl.DataFrame(schema=_VERSIONS)]),
    )


_FLAGS = {
    "is_primary_outcome_change": "primary outcome switched",
    "is_eligibility_change": "eligibility amended",
    "is_enrollment_change": "enrolment target changed",
    "is_completion_slip": "completion slipped",
    "is_status_change": "status changed",
}


def latest(feed: pl.DataFrame, limit: int = 200, width: int = 120) -> pl.DataFrame:
    """What the last pull that found changes brought, for a page that a person reads in the morning.

    Args:
        feed: a change feed (`COLUMNS`), such as the lake's table.
        limit: rows at most; what matters comes first.
        width: values are cut to this many characters.

    Returns:
        `nct_id, flag, field, change, old_value, new_value, version, seen_at`, all text; no row where nothing
        but baselines were ever seen. `flag` says in words what a row is flagged as, and is empty for others.
    """
    changed = feed.filter(pl.col("change_kind") != "baseline")
    last = changed.filter(pl.col("seen_at") == pl.col("seen_at").max())

    def short(name: str) -> pl.Expr:
        text = pl.col(name).fill_null("")
        return (
            pl.when(text.str.len_chars() > width)
            .then(text.str.slice(0, width - 1) + "…")
            .otherwise(text)
            .alias(name)
        )

    flag = pl.concat_str(
        [pl.when(pl.col(name)).then(pl.lit(words)) for name, words in _FLAGS.items()]
        + [pl.when(pl.col("change_kind") == "study_removed").then(pl.lit("study removed"))],
        separator=", ",
        ignore_nulls=True,
    ).alias("flag")
    return (
        last.with_columns(flag)
        .sort(pl.col("flag") == "", "nct_id", "field_path", maintain_order=True)
        .head(limit)
        .select(
            "nct_id",
            "flag",
            pl.col("field_path").str.strip_prefix("protocolSection.").alias("field"),
            pl.col("change_kind").alias("change"),
            short("old_value"),
            short("new_value"),
            pl.col("version").fill_null(""),
            pl.col("seen_at").dt.strftime("%Y-%m-%d %H:%M"),
        )
    )


def removed(landing: Landing) -> pl.DataFrame:
    """Studies that the registry no longer has, whose last document is kept: `nct_id, removed_at, reason`.

    These have `is_current = false` in registry.studies.
    """
    from pipeline.registry import client

    return client.removed(landing)


def from_history(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The versions that a record in its history wrapper (`{"study": …, "history": …}`) tells of.

    The history gives what the first version said of outcomes and enrolment, which modules each later version
    touched, and the version in which each of these last changed. So there is one version for the first, and
    one for each such last change; between them the record is silent.

    Returns:
        Rows as `changes` takes them (`document` is an object here, not text), oldest first, each holding only
        what the history knows of that version.
    """
    study, history = record.get("study") or {}, record.get("history") or {}
    protocol = study.get("protocolSection") or {}
    nct_id = (protocol.get("identificationModule") or {}).get("nctId")
    dates = {change.get("version"): change.get("date") for change in history.get("changes") or [] if change}
    original, last = history.get("originalData") or {}, history.get("lastUpdateVersions") or {}
    places = {
        "primaryOutcomes": ("outcomesModule", "primaryOutcomes"),
        "secondaryOutcomes": ("outcomesModule", "secondaryOutcomes"),
        "enrollmentInfo": ("designModule", "enrollmentInfo"),
    }
    known = {name: place for name, place in places.items() if name in original}
    if not nct_id or not known or not dates:
        return []

    def version(number: int) -> dict[str, Any]:
        document: dict[str, Any] = {"identificationModule": {"nctId": nct_id}}
        for name, (module, key) in known.items():
            is_new = isinstance(last.get(name), int) and last[name] <= number
            value = (protocol.get(module) or {}).get(key) if is_new else original[name]
            if value is not None:
                document.setdefault(module, {})[key] = value
        return {
            "nct_id": nct_id,
            "version": str(number),
            "seen_at": datetime.fromisoformat(dates[number]),
            "document": {"protocolSection": document},
        }

    numbers = sorted({0, *(last[name] for name in known if isinstance(last.get(name), int))} & dates.keys())
    return [version(number) for number in numbers if dates[number]]


# --- one study


def _of_study(nct_id: str, versions: Iterable[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    before: dict[str, Any] | None = None
    is_first, is_gone = True, False
    once_removed: set[str] = set()
    for version in versions:
        document = version["document"]
        document = json.loads(document) if isinstance(document, str) else document
        found: list[_Row] = []
        if is_first:
            found.append(_Row(STUDY, "baseline"))
        elif document is None:
            if not is_gone:
                found.append(_Row(STUDY, "study_removed"))
        elif before is not None:
            if is_gone:
                found.append(_Row(STUDY, "reappeared"))
            found += _difference(before, document)
        for row in found:
            if row.kind == "added" and row.path in once_removed:
                row.kind = "reappeared"
            elif row.kind == "removed":
                once_removed.add(row.path)
            yield _as_tuple(nct_id, row, version, before, document)
        is_first, is_gone = False, document is None
        before = document if document is not None else before


def _as_tuple(
    nct_id: str,
    row: _Row,
    version: dict[str, Any],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> tuple[Any, ...]:
    is_field = row.path != STUDY
    path = row.path
    return (
        nct_id,
        path,
        row.kind,
        _text(row.old),
        _text(row.new),
        version["version"],
        _naive(version["seen_at"]),
        is_field and _is_switch(row),
        is_field and (path == "protocolSection" or _is_in(path, _ELIGIBILITY)),
        is_field and _is_in(path, _ENROLLMENT) and _is_target_change(before, after),
        path in _COMPLETION and _is_later(row.old, row.new),
        path == _STATUS,
        version.get("source"),
    )


def _is_in(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))


def _is_switch(row: _Row) -> bool:
    if not _is_in(row.path, _PRIMARY):
        return _is_in(_PRIMARY, row.path) and row.kind in ("added", "removed", "reappeared")
    if row.kind in ("added", "removed", "reappeared") or row.is_identity:
        return not row.path.endswith(".description")
    return row.path.endswith((".measure", ".timeFrame"))


def _is_target_change(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    old, new = _enrollment(before), _enrollment(after)
    if old.get("count") == new.get("count"):
        return False
    return not (old.get("type") != "ACTUAL" and new.get("type") == "ACTUAL")


def _enrollment(document: dict[str, Any] | None) -> dict[str, Any]:
    place: Any = document
    for name in _ENROLLMENT.split("."):
        place = place.get(name) if isinstance(place, dict) else None
    return place if isinstance(place, dict) else {}


def _is_later(old: Any, new: Any) -> bool:
    if not isinstance(old, str) or not isinstance(new, str):
        return False
    said = min(len(old), len(new))
    return new[:said] > old[:said]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= VALUE_LIMIT else f"{text[: VALUE_LIMIT - 1]}…"


def _naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment is not None and moment.tzinfo else moment


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


# --- comparing


def _difference(old: Any, new: Any, path: str = "", name: str = "") -> list[_Row]:
    """What makes `new` of `old`, as rows below `path`. `name` is the last name of the path."""
    if old == new or path in _IGNORED:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[_Row] = []
        for key in dict.fromkeys([*old, *new]):
            below = f"{path}.{key}" if path else key
            if below in _IGNORED:
                continue
            if key not in new or new[key] is None:
                if not _is_nothing(old[key]):
                    found.append(_Row(below, "removed", old=old[key]))
            elif key not in old or old[key] is None:
                if not _is_nothing(new[key]):
                    found.append(_Row(below, "added", new=new[key]))
            else:
                found += _difference(old[key], new[key], below, key)
        return found
    if isinstance(old, list) and isinstance(new, list):
        return _list_difference(old, new, path, name)
    if isinstance(old, str) and isinstance(new, str) and _plain(old) == _plain(new):
        return []
    return [_Row(path, "changed", old, new)]


def _is_nothing(value: Any) -> bool:
    return value is None or value in ({}, [], "")


_TAG = re.compile(r"</?(?:p|ul|ol|li|br|b|i|em|strong|sub|sup)\s*/?>", re.I)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def _plain(text: str) -> str:
    """A text without white space, markup and bullets of either of the registry's formats."""
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub(" ", text))
    if "\\" in text:
        text = _ESCAPE.sub(r"\1", text)
    return " ".join(re.sub(r"^[ \t]*(?:[*+-]|\d+[.)])[ \t]+", " ", text, flags=re.M).split())


def _list_difference(old: list[Any], new: list[Any], path: str, name: str) -> list[_Row]:
    fields = _identity_fields(old, new, name)
    left, right = _keyed(old, new, fields)
    found: list[_Row] = []
    gone = {key: item for key, item in left.items() if key not in right}
    came = {key: item for key, item in right.items() if key not in left}
    for key in right:
        if key in left:
            found += _difference(left[key], right[key], f"{path}[{_label(key)}]")
    for old_key, new_key in _respelled(gone, came, name):
        before, after = gone.pop(old_key), came.pop(new_key)
        row = _Row(
            f"{path}[{_label(old_key)}]", "changed", _label(old_key), _label(new_key), is_identity=True
        )
        found.append(row)
        if isinstance(before, dict) and isinstance(after, dict):
            own = {*fields, *_DERIVED.get(name, ())}
            found += _difference(
                {key: value for key, value in before.items() if key not in own},
                {key: value for key, value in after.items() if key not in own},
                f"{path}[{_label(new_key)}]",
            )
    found += [_Row(f"{path}[{_label(key)}]", "removed", old=item) for key, item in gone.items()]
    found += [_Row(f"{path}[{_label(key)}]", "added", new=item) for key, item in came.items()]
    return found


def _identity_fields(old: list[Any], new: list[Any], name: str) -> tuple[str, ...]:
    items = [item for item in (*old, *new) if isinstance(item, dict)]
    if not items:
        return ()
    if name in _IDENTITY:
        return _IDENTITY[name]
    return next(((field_,) for field_ in _USUAL if all(field_ in item for item in items)), ())


# An item's identity: its parts, and which of several with the same parts it is.
_Key = tuple[tuple[str, ...], int]


def _keyed(
    old: list[Any], new: list[Any], fields: tuple[str, ...]
) -> tuple[dict[_Key, Any], dict[_Key, Any]]:
    """The items of both lists by identity. Of several with one identity those that are equal are left out.

    Posted measures often share a title: without that, a new order among them would look like changes.
    """
    groups: dict[tuple[str, ...], tuple[list[tuple[int, Any]], list[tuple[int, Any]]]] = {}
    for side, items in enumerate((old, new)):
        for item in items:
            group = groups.setdefault(_parts(item, fields), ([], []))[side]
            group.append((len(group) + 1, item))
    left: dict[_Key, Any] = {}
    right: dict[_Key, Any] = {}
    for parts, (olds, news) in groups.items():
        if len(olds) > 1 or len(news) > 1:
            for one in list(olds):
                twin = next((other for other in news if other[1] == one[1]), None)
                if twin is not None:
                    olds.remove(one)
                    news.remove(twin)
        numbers = [number for number, _ in olds]
        left |= {(parts, number): item for number, item in olds}
        # The rest pair up in their order; what is more than before gets the numbers behind.
        for place, (number, item) in enumerate(news):
            paired = numbers[place] if place < len(numbers) else max([*numbers, number, place + 1])
            while (parts, paired) in right:
                paired += 1
            right[parts, paired] = item
    return left, right


def _parts(item: Any, fields: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(item, dict) and fields:
        return tuple(_plain(str(item.get(name) or "")) for name in fields)
    if isinstance(item, str):
        return (_plain(item),)
    return (json.dumps(item, sort_keys=True, ensure_ascii=False),)


def _label(key: _Key) -> str:
    parts, number = key
    words = " | ".join(part for part in parts if part) or "without a name"
    words = words if len(words) <= 300 else f"{words[:299]}…"
    return words if number == 1 else f"{words} #{number}"


def _respelled(gone: dict[_Key, Any], came: dict[_Key, Any], name: str) -> list[tuple[_Key, _Key]]:
    """Pairs of items that are one item under two spellings, the likest first."""
    if not gone or not came:
        return []
    # Only items with equal numbers can be the same, which keeps hundreds of sites from being compared crosswise.
    by_numbers: dict[tuple[str, ...], list[_Key]] = {}
    for new in came:
        by_numbers.setdefault(_numbers(new[0]), []).append(new)
    pairs = [
        (likeness, old, new)
        for old in gone
        for new in by_numbers.get(_numbers(old[0]), ())
        if (likeness := _likeness(old[0], new[0], name)) > 0
    ]
    pairs.sort(key=lambda pair: -pair[0])
    taken_old: set[_Key] = set()
    taken_new: set[_Key] = set()
    matched = []
    for _, old, new in pairs:
        if old not in taken_old and new not in taken_new:
            taken_old.add(old)
            taken_new.add(new)
            matched.append((old, new))
    return matched


def _numbers(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", " ".join(parts)))


def _likeness(old: tuple[str, ...], new: tuple[str, ...], name: str) -> float:
    if name == "locations":
        (facility, city, country), (other, town, land) = old, new
        if country.lower() != land.lower():
            return 0.0
        by_name, by_city = _ratio(facility, other), _ratio(city, town)
        is_same = (by_name >= LIKE and by_city >= LIKE) or (by_name == 100 and by_city >= ALMOST)
        return by_name + by_city if is_same else 0.0
    likeness = _ratio(" ".join(old), " ".join(new))
    return likeness if likeness >= LIKE else 0.0


def _ratio(one: str, other: str) -> float:
    return fuzz.ratio(one.lower(), other.lower())


# --- versions from landing


@dataclass
class _State:
    """What was in force after one pull: documents by name, and studies marked as removed."""

    seen_at: datetime
    version: str | None
    entries: dict[str, Entry] = field(default_factory=dict)


def _history_of(
    landing: Landing,
    source: str,
    read: pl.DataFrame | None,
    superseded: pl.DataFrame | None,
    index: Path | None,
) -> History:
    nothing = History(_frame([]), pl.DataFrame(schema=_VERSIONS))
    states = _states(landing, source)
    if not states:
        return nothing
    blobs = {entry.sha256: entry for state in states for entry in state.entries.values() if _form(entry)}
    blobs = {sha256: entry for sha256, entry in blobs.items() if landing.blob(sha256).exists()}
    if not blobs:
        return nothing
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    try:
        if read is not None and len(states) == 1:
            records = _as_read(read, blobs)
            if superseded is not None and superseded.height:
                records = _with_older(connection, landing, blobs, records, superseded)
        elif len(states) == 1:
            records = _records(connection, landing, blobs, is_compared=False)
        else:
            records = _indexed(connection, landing, blobs, index)
        chain = _chain(states, records)
        wanted = chain.filter(pl.col("is_several"))
        older = _older(chain, records)
        texts = _texts(connection, landing, blobs, pl.concat([wanted, older], how="diagonal"))
        told = _told(connection, landing, blobs, source)
    finally:
        connection.close()
    once = chain.filter(~pl.col("is_several"))
    baseline = _frame(
        [
            (nct_id, STUDY, "baseline", None, None, version, seen_at, *(False,) * 5, source)
            for nct_id, version, seen_at in once.select("nct_id", "version", "seen_at").iter_rows()
        ]
    )

    def with_text(rows: pl.DataFrame) -> pl.DataFrame:
        return (
            rows.join(texts, on=["nct_id", "sha256"], how="left", maintain_order="left")
            .with_columns(source=pl.lit(source))
            .select(list(_VERSIONS))
        )

    several = with_text(wanted)
    # A fragment of a record, as test data hold them, would tell of removals that never were.
    before = with_text(older).filter(
        pl.col("document").str.json_path_match(f"$.{_ELIGIBILITY}").is_not_null()
    )
    from_before = changes(before).filter(pl.col("change_kind") != "baseline")
    return History(
        pl.concat([baseline, changes(several), from_before, told]),
        pl.concat([before, several]).sort("nct_id", maintain_order=True),
    )


def _form(entry: Entry) -> str | None:
    """Container and content of a landed document (forms.py); None for what holds no records of the registry."""
    form = entry.details.get("form") or ""
    return form if "/" in form and not form.startswith("markdown") else None


def _states(landing: Landing, source: str) -> list[_State]:
    """The states that the pulls of one source left behind, as far as they belong to the present one."""
    entries = [entry for entry in landing.entries() if entry.source == source]
    scope = _scope(entries)
    states: list[_State] = []
    current: dict[str, Entry] = {}
    touched: set[str] = set()
    last: Entry | None = None

    def close(version: str | None) -> None:
        if last is not None and touched and current:
            states.append(_State(datetime.fromisoformat(last.time), version, dict(current)))
        touched.clear()

    for entry in entries:
        if entry.event == "pull_completed":
            last = entry
            if _belongs(entry, scope):
                close(entry.details.get("version"))
            else:
                states.clear()
                touched.clear()
        elif entry.event in ("received", "withdrawn", "erased"):
            if entry.name in touched and not _has_pulls(entries):
                # Without the end of pulls in the journal, a name that comes again opens the next one.
                close(None)
            if entry.event == "received":
                if _belongs(entry, scope):
                    current[entry.name] = entry
                    touched.add(entry.name)
            else:
                if entry.name in current:
                    touched.add(entry.name)
                current.pop(entry.name, None)
            last = entry
    if not _has_pulls(entries):
        close(None)
    return states


def _has_pulls(entries: list[Entry]) -> bool:
    return any(entry.event == "pull_completed" for entry in entries)


def _scope(entries: list[Entry]) -> tuple[str | None, str | None]:
    """Search (live) or folder (recorded) of the present state."""
    query = root = None
    for entry in entries:
        if entry.event == "pull_completed":
            query = entry.details.get("query", query)
        elif entry.event == "received":
            root = entry.details.get("root", root)
    return query, root


def _belongs(entry: Entry, scope: tuple[str | None, str | None]) -> bool:
    query, root = scope
    if entry.event == "pull_completed":
        return entry.details.get("query") in (None, query)
    return entry.details.get("root") in (None, root)


_VERSIONS: dict[str, pl.DataType] = {
    "nct_id": pl.String(),
    "source": pl.String(),
    "version": pl.String(),
    "seen_at": pl.Datetime("us"),
    "document": pl.String(),
}
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_ID = "$.protocolSection.identificationModule.nctId"
_UPDATED = "$.protocolSection.statusModule.lastUpdatePostDateStruct.date"
_EXPORTED = "$.derivedSection.miscInfoModule.versionHolder"


def _read(landing: Landing, blobs: dict[str, Entry], form: str) -> str:
    """SQL of all records of documents with one form: `filename`, `study` (JSON)."""
    container, _, content = form.partition("/")
    chosen = [sha256 for sha256, entry in blobs.items() if _form(entry) == form]
    files = ", ".join("'" + str(landing.blob(sha256)).replace("'", "''") + "'" for sha256 in chosen)
    largest = max(16 << 20, *(blobs[sha256].bytes + 1024 for sha256 in chosen))
    options = f"format = '{container}', filename = true, maximum_object_size = {largest}"
    if content == "page":
        columns = "{'studies': 'JSON[]', 'nextPageToken': 'VARCHAR', 'totalCount': 'VARCHAR'}"
        return f"select filename, unnest(studies) as study from read_json([{files}], columns = {columns}, {options})"
    study = "json -> '$.study'" if content == "history" else "json"
    return f"select filename, {study} as study from read_json_objects([{files}], {options})"


def _all(landing: Landing, blobs: dict[str, Entry]) -> str:
    forms = sorted({form for entry in blobs.values() if (form := _form(entry))})
    return " union all ".join(_read(landing, blobs, form) for form in forms)


def _records(
    connection: duckdb.DuckDBPyConnection, landing: Landing, blobs: dict[str, Entry], *, is_compared: bool
) -> pl.DataFrame:
    """Which study stands in which document, how new it says it is, and where documents compete what it says.

    Returns:
        `nct_id, sha256, updated, exported, content` (a hash; the document's own where nothing is compared).
    """
    # One extraction for all paths: each would parse the record again.
    content = (
        'md5(regexp_replace(study::varchar, \'"versionHolder"\\s*:\\s*"[^"]*"\', \'\'))'
        if is_compared
        else "''"
    )
    found = connection.sql(
        f"""
        with parts as materialized (
            select
                filename,
                json_extract_string(study, ['{_ID}', '{_UPDATED}', '{_EXPORTED}']) as said,
                {content} as content
            from ({_all(landing, blobs)})
        )
        select filename, said[1] as nct_id, coalesce(said[2], '') as updated, coalesce(said[3], '') as exported, content
        from parts
        where regexp_full_match(said[1], 'NCT[0-9]{{8}}')
        """
    ).pl()
    return _with_hash(found).unique(["nct_id", "sha256"], keep="last", maintain_order=True)


_RECORDS = dict.fromkeys(("nct_id", "sha256", "updated", "exported", "content"), pl.String)


def _indexed(
    connection: duckdb.DuckDBPyConnection, landing: Landing, blobs: dict[str, Entry], index: Path | None
) -> pl.DataFrame:
    """`_records` to compare; of documents that stand in the index already, from there."""
    known = pl.DataFrame(schema=_RECORDS)
    if index is not None and index.exists():
        try:
            known = pl.read_parquet(index, memory_map=False).filter(pl.col("sha256").is_in(list(blobs)))
        except pl.exceptions.PolarsError:
            known = pl.DataFrame(schema=_RECORDS)  # cut by a machine that stopped
    seen = set(known["sha256"])
    new = {sha256: entry for sha256, entry in blobs.items() if sha256 not in seen}
    if new:
        found = _records(connection, landing, new, is_compared=True).select(list(_RECORDS))
        # A document without a study stands there too, or it would be looked into again.
        without = pl.DataFrame({"sha256": list(new)}).join(found, on="sha256", how="anti")
        known = pl.concat([known, found, without], how="diagonal").select(list(_RECORDS))
        if index is not None:
            index.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial = index.with_name(f".partial-{os.getpid()}-{index.name}")
            known.write_parquet(partial, compression="zstd")
            partial.replace(index)
    return known.filter(pl.col("nct_id").is_not_null())


def _as_read(read: pl.DataFrame, blobs: dict[str, Entry]) -> pl.DataFrame:
    return (
        read.filter(pl.col("sha256").is_in(list(blobs)), pl.col("nct_id").is_not_null())
        .select("nct_id", "sha256", *(pl.lit("").alias(name) for name in ("updated", "exported", "content")))
        .unique(["nct_id", "sha256"], maintain_order=True)
    )


def _with_older(
    connection: duckdb.DuckDBPyConnection,
    landing: Landing,
    blobs: dict[str, Entry],
    records: pl.DataFrame,
    superseded: pl.DataFrame,
) -> pl.DataFrame:
    """The records with their dates of those studies that lie in more than one document."""
    several = superseded.filter(pl.col("sha256").is_in(list(blobs)))["nct_id"].unique().implode()
    is_several = pl.col("nct_id").is_in(several)
    documents = set(pl.concat([records.select("nct_id", "sha256"), superseded]).filter(is_several)["sha256"])
    chosen = {sha256: entry for sha256, entry in blobs.items() if sha256 in documents}
    if not chosen:
        return records
    dated = _records(connection, landing, chosen, is_compared=True).filter(is_several)
    return pl.concat([records.filter(~is_several), dated.select(records.columns)])


def _older(chain: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Versions from before the first pull: records that lay beside the one that stood, older by their own date.

    Returns:
        Columns of `chain` without `is_several`, of each such study oldest first and with the one that stood as the
        last; `seen_at` is the date of the version.
    """
    stood = chain.filter(pl.col("sha256").is_not_null()).unique("nct_id", keep="first", maintain_order=True)
    older = records.join(stood.select("nct_id", stood="updated"), on="nct_id").filter(
        pl.col("updated").str.contains(_DAY) & (pl.col("updated") < pl.col("stood"))
    )
    older = older.sort("updated", "exported").unique(["nct_id", "updated"], keep="last", maintain_order=True)
    columns = ["nct_id", "sha256", "updated"]
    return (
        pl.concat(
            [
                older.select(columns),
                stood.filter(pl.col("nct_id").is_in(older["nct_id"].implode())).select(columns),
            ]
        )
        .with_columns(
            version=pl.col("updated"),
            seen_at=pl.col("updated").str.to_datetime("%Y-%m-%d", time_unit="us", strict=False),
        )
        .sort("nct_id", "updated", maintain_order=True)
    )


def _with_hash(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(sha256=pl.col("filename").str.extract(r"([0-9a-f]{64})\.zst$", 1)).drop(
        "filename"
    )


def _chain(states: list[_State], records: pl.DataFrame) -> pl.DataFrame:
    """The documents that stood for each study, state by state, without repetitions.

    Returns:
        `nct_id, sha256 (null: the study was gone), version, seen_at, is_several`.
    """
    parts = []
    for number, state in enumerate(states):
        held = pl.DataFrame(
            [
                (entry.sha256, place, nct_id)
                for place, entry in enumerate(state.entries.values())
                for nct_id in (None, *entry.details.get("removed", {}))
            ],
            schema={"sha256": pl.String, "place": pl.Int64, "gone": pl.String},
            orient="row",
        )
        gone = held.filter(pl.col("gone").is_not_null()).select("sha256", nct_id="gone")
        documents = held.filter(pl.col("gone").is_null()).select("sha256", "place")
        parts.append(
            records.join(documents, on="sha256")
            .join(gone, on=["sha256", "nct_id"], how="anti")
            # The newest by its own date, then by arrival, stands for the study (as in load.py).
            .sort("updated", "exported", "place")
            .group_by("nct_id", maintain_order=True)
            .agg(pl.col("sha256", "content").last())
            .with_columns(state=pl.lit(number, pl.Int64))
        )
    present = pl.concat(parts)
    first = present.group_by("nct_id").agg(first=pl.col("state").min())
    grid = first.join(
        pl.DataFrame({"state": range(len(states))}, schema={"state": pl.Int64}), how="cross"
    ).filter(pl.col("state") >= pl.col("first"))
    steps = grid.join(present, on=["nct_id", "state"], how="left").sort("nct_id", "state")
    told = pl.DataFrame(
        {
            "state": range(len(states)),
            "version": [state.version for state in states],
            "seen_at": [_naive(state.seen_at) for state in states],
        },
        schema={"state": pl.Int64, "version": pl.String, "seen_at": pl.Datetime("us")},
    )
    return (
        steps.filter(
            # The same content in another document is no new version.
            pl.col("content").ne_missing(pl.col("content").shift(1).over("nct_id"))
            | (pl.col("state") == pl.col("first"))
        )
        .join(told, on="state", how="left")
        .join(records.select("nct_id", "sha256", "updated"), on=["nct_id", "sha256"], how="left")
        .with_columns(
            version=pl.coalesce("version", pl.col("updated").replace("", None)),
            is_several=pl.len().over("nct_id") > 1,
        )
        .sort("nct_id", "state")
    )


def _texts(
    connection: duckdb.DuckDBPyConnection, landing: Landing, blobs: dict[str, Entry], wanted: pl.DataFrame
) -> pl.DataFrame:
    """The records that must be compared, as text: `nct_id, sha256, document`."""
    schema = {"nct_id": pl.String, "document": pl.String, "sha256": pl.String}
    needed = set(wanted.get_column("sha256").drop_nulls())
    chosen = {sha256: entry for sha256, entry in blobs.items() if sha256 in needed}
    if not chosen:
        return pl.DataFrame(schema=schema)
    ids = wanted.select("nct_id").unique()
    connection.register("ids_wanted", ids)
    try:
        found = connection.sql(
            f"""
            with parts as materialized (
                select filename, json_extract_string(study, '{_ID}') as nct_id, study::varchar as document
                from ({_all(landing, chosen)})
            )
            select * from parts where nct_id in (select nct_id from ids_wanted)
            """
        ).pl()
    finally:
        connection.unregister("ids_wanted")
    return _with_hash(found).unique(["nct_id", "sha256"], keep="last", maintain_order=True)


def _told(
    connection: duckdb.DuckDBPyConnection, landing: Landing, blobs: dict[str, Entry], source: str
) -> pl.DataFrame:
    """What records in their history wrapper tell of earlier versions; their baseline is the first pull's."""
    chosen = {sha256: entry for sha256, entry in blobs.items() if (_form(entry) or "").endswith("/history")}
    rows: list[tuple[Any, ...]] = []
    for form in sorted({_form(entry) or "" for entry in chosen.values()}):
        container, _, _ = form.partition("/")
        for sha256, entry in chosen.items():
            if _form(entry) != form:
                continue
            path = str(landing.blob(sha256)).replace("'", "''")
            read = f"read_json_objects('{path}', format = '{container}', maximum_object_size = {max(16 << 20, entry.bytes + 1024)})"
            for (text,) in connection.execute(f"select cast(json as varchar) from {read}").fetchall():
                versions = from_history(json.loads(text))
                for version in versions:
                    version["source"] = source
                if versions:
                    rows += [
                        row for row in _of_study(versions[0]["nct_id"], versions) if row[2] != "baseline"
                    ]
    return _frame(rows).unique(maintain_order=True)
