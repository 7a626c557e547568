"""What of a text cell is published: words of a known vocabulary, else a neutral code whose text stays private.

Codes, dates and numbers are closed by their kinds; this is for columns of kind `text`. A text is published where
the vocabulary (vocabulary.py, the drug list, the seeds of the outcomes) or cohort.yaml knows it, in the spelling of
the list. Anything else becomes `withheld <code>`, the code keyed: equal texts of a cohort get equal codes in every
delivery, so that they can be counted and compared, and nobody without the key can guess them back. Runs after all
rules were judged, so that no row is accepted or rejected by how its text is published.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from pipeline import drugs
from pipeline.cohort import schemas, values, vocabulary
from pipeline.cohort.mapping import CohortMap
from pipeline.cohort.pseudonyms import Key

RULE = "text_withheld"
WITHHELD = "withheld"
UNMAPPED_DRUG = "unmapped drug"
REGISTER = {
    "table": pl.String,
    "column": pl.String,
    "published": pl.String,
    "text": pl.String,
    "rows": pl.Int64,
}
_SEEDS = drugs.SEEDS.parent


@dataclass(frozen=True)
class Publishing:
    """What becomes of the text columns of one cohort.

    Attributes:
        faults: table, record, column, rule of the cells that are withheld (drugs have `unknown_drug` already).
        published: by table and column, `delivered` and `published` of every distinct text.
        renumbers_relapses: the clinic's numbers of relapses are replaced.
    """

    faults: tuple[pl.DataFrame, ...]
    published: Mapping[tuple[str, str], pl.DataFrame]
    renumbers_relapses: bool = True

    def apply(self, table: str, accepted: pl.DataFrame) -> pl.DataFrame:
        """The records with what is published in place of what was delivered."""
        for (owner, column), known in self.published.items():
            if owner == table:
                accepted = accepted.join(
                    known, left_on=column, right_on="delivered", how="left", maintain_order="left"
                ).with_columns(pl.col("published").alias(column)).drop("published")  # fmt: skip
        if table == "relapses" and self.renumbers_relapses:
            # A clinic's number of a relapse often holds the patient's own: its rank within the patient is kept.
            rank = pl.col("relapse_id").rank("dense").over("patient_id")
            accepted = accepted.with_columns(pl.format("R{}", rank).alias("relapse_id"))
        return accepted

    def register(self, accepted: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """What was withheld (`REGISTER`), of records as delivered; private."""
        found = [pl.DataFrame(schema=REGISTER)]
        for (table, column), known in self.published.items():
            hidden = known.filter(pl.col("published").str.contains(rf"^(?:{WITHHELD}|{UNMAPPED_DRUG}) \w+$"))
            counts = accepted[table].group_by(column).len("rows")
            found.append(
                hidden.join(counts, left_on="delivered", right_on=column, how="inner").select(
                    pl.lit(table).alias("table"),
                    pl.lit(column).alias("column"),
                    "published",
                    pl.col("delivered").alias("text"),
                    pl.col("rows").cast(pl.Int64),
                )
            )
        return pl.concat(found).sort(
            "table", "column", "rows", "text", descending=[False, False, True, False]
        )


def resolve(
    frames: Mapping[str, pl.DataFrame], parts: Sequence[Any], cohort_map: CohortMap, key: Key, cohort: str
) -> Publishing:
    """Decide for every distinct text of a cohort what is published.

    Args:
        frames: typed frames of all tables with `record`; texts as delivered.
        parts: `records.Part`s, for constants and meanings of codes: these are the data manager's own words.
    """
    faults: list[pl.DataFrame] = []
    published: dict[tuple[str, str], pl.DataFrame] = {}
    own = _own_words(parts)
    for table, column in columns():
        frame = frames[table]
        name = f"{table}.{column}"
        if column == "relapse_id" or not frame.height or cohort_map.texts.get(name) == "as_delivered":
            continue
        inns = ["drug_inn"] if column == "drug" else []
        distinct = frame.select(column, *inns).drop_nulls(column).unique(maintain_order=True)
        allowed = _lookup([*cohort_map.allowed_texts.get(name, ()), *own.get((table, column), ())])
        shown = _shown(column, distinct, allowed)
        word = UNMAPPED_DRUG if column == "drug" else WITHHELD
        keys = distinct.select(values.key(pl.col(column)))[column].to_list()
        codes = [
            known if known is not None else f"{word} {key.token(cohort, column, plain)}"
            for known, plain in zip(shown, keys, strict=True)
        ]
        known = pl.DataFrame(
            {"delivered": distinct[column], "published": codes}, schema_overrides={"published": pl.String}
        )
        published[(table, column)] = known
        is_hidden = pl.Series([text is None for text in shown], dtype=pl.Boolean)
        if column != "drug" and is_hidden.any():
            hidden = frame.filter(pl.col(column).is_in(distinct[column].filter(is_hidden).implode()))
            faults.append(
                hidden.select(
                    pl.lit(table).alias("table"), pl.col("record").cast(pl.Int64),
                    pl.lit(column).alias("column"), pl.lit(RULE).alias("rule"),
                )
            )  # fmt: skip
    own_numbers = cohort_map.texts.get("relapses.relapse_id") == "as_delivered"
    return Publishing(tuple(faults), published, renumbers_relapses=not own_numbers)


def columns() -> tuple[tuple[str, str], ...]:
    """Table and column of every text column."""
    return tuple((t, f.name) for t, fields in schemas.TABLES.items() for f in fields if f.kind == "text")


def _own_words(parts: Sequence[Any]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        for name, source in part.plan.sources.items():
            words = [source.constant] if source.constant else []
            found.setdefault((part.plan.table, name), []).extend([*words, *(m for _, m in source.codes)])
    return found


def _lookup(words: Iterable[str]) -> dict[str, str]:
    words = [word for word in dict.fromkeys(words) if word.strip()]
    keys = pl.select(values.key(pl.Series("w", words, dtype=pl.String))).to_series().to_list()
    return {plain: word.strip() for plain, word in zip(keys, words, strict=True)}


def _shown(column: str, distinct: pl.DataFrame, allowed: Mapping[str, str]) -> list[str | None]:
    """What is published of each distinct text; None: it is withheld."""
    keys = distinct.select(values.key(pl.col(column)))[column].to_list()
    texts = distinct[column].to_list()
    if column == "drug":
        found = _drugs(distinct)
    else:
        read = _READERS[column]
        # Distinct words of a file are some hundreds; a column of free text pays one look-up a cell.
        found = [read(text, plain) for text, plain in zip(texts, keys, strict=True)]
    return [
        allowed.get(plain, known) if plain is not None else None
        for plain, known in zip(keys, found, strict=True)
    ]


# --- drugs --------------------------------------------------------------------------------------------------


_GLUED = re.compile(r"([^\W\d_]{4,})(\d)")


@lru_cache(maxsize=1)
def _brands() -> dict[str, tuple[str, ...]]:
    rows = drugs.aliases().filter(pl.col("kind") == "brand").group_by("inn").agg("alias")
    return {inn: tuple(sorted(names, key=len, reverse=True)) for inn, names in rows.iter_rows()}


def _drugs(distinct: pl.DataFrame) -> list[str | None]:
    """The brand that the text names, else the INN: doses, routes and whatever else stood beside it stay away."""
    normal = distinct.select(drugs.normalise(pl.col("drug")))["drug"].to_list()
    shown: list[str | None] = []
    for text, inn in zip(normal, distinct["drug_inn"], strict=True):
        apart = _GLUED.sub(r"\1 \2", text or "")  # rebif44
        brand = next((name for name in _brands().get(inn or "", ()) if f" {name} " in f" {apart} "), None)
        shown.append(" ".join(word.capitalize() for word in brand.split()) if brand else inn)
    return shown


# --- terms, tests, scales -------------------------------------------------------------------------------------


def _entries(block: str) -> dict[str, list[str]]:
    entries = {}
    for line in block.strip().splitlines():
        shown, _, others = line.partition(":")
        entries[shown.strip()] = [other.strip() for other in others.split(",") if other.strip()]
    return entries


def _words(plain: str, fillers: frozenset[str] = frozenset()) -> list[str]:
    """Words in one spelling: haem- and hem-, tumour and tumor, generalised and generalized are alike."""
    folded = re.sub(r"ae|oe", "e", plain).replace("our", "or").replace("ise", "ize").replace("isa", "iza")
    words = folded.split()
    return [word for word in words if word not in fillers] or words


def _bag(plain: str, fillers: frozenset[str] = frozenset()) -> str:
    return " ".join(sorted(set(_words(plain, fillers))))


def _bags(entries: Mapping[str, Iterable[str]], fillers: frozenset[str] = frozenset()) -> dict[str, str]:
    found: dict[str, str] = {}
    names = [(shown, shown) for shown in entries]
    names += [(shown, other) for shown, others in entries.items() for other in others]
    plain = pl.select(values.key(pl.Series("w", [n for _, n in names], dtype=pl.String))).to_series()
    for (shown, _), text in zip(names, plain, strict=True):
        found.setdefault(_bag(text, fillers), shown)
    return found


@lru_cache(maxsize=1)
def _terms() -> dict[str, str]:
    return _bags(_entries(vocabulary.TERMS), vocabulary.FILLERS)


def _term(text: str, plain: str) -> str | None:
    known = _terms()
    if (shown := known.get(_bag(plain, vocabulary.FILLERS))) is not None:
        return shown
    words = _words(plain, vocabulary.FILLERS)
    modifiers = [word for word in words if word in _modifiers()]
    rest = " ".join(sorted({word for word in words if word not in _modifiers()}))
    if modifiers and (shown := known.get(rest)) is not None:
        return f"{shown}, {' '.join(dict.fromkeys(modifiers))}"
    return None


@lru_cache(maxsize=1)
def _modifiers() -> frozenset[str]:
    return frozenset(_words(" ".join(sorted(vocabulary.MODIFIERS))))


_TEST_FILLERS_TEXT = "serum plasma blood level levels value result absolute abs count"
_TEST_FILLERS = frozenset(_TEST_FILLERS_TEXT.split())
_SHARE_TEXT = "percent percentage pct prozent relative rel"
_SHARE = frozenset(_SHARE_TEXT.split())


@lru_cache(maxsize=1)
def _tests() -> dict[str, str]:
    # The seeds' own words come first: outcomes find their tests by them.
    files = (
        "outcomes/lymphocyte_populations", "outcomes/antidrug_antibody_tests", "trials/laboratory_limits",
        "trials/laboratory_units",
    )  # fmt: skip
    named = [
        word
        for file in files
        for word in pl.read_csv(_SEEDS / f"{file}.csv", columns=["test"], infer_schema=False)["test"].unique(
            maintain_order=True
        )
    ]
    seeds = _bags(dict.fromkeys(named, ()))
    return _bags(_entries(vocabulary.TESTS), _TEST_FILLERS) | _bags(_entries(vocabulary.TESTS)) | seeds


def _test(text: str, plain: str) -> str | None:
    known = _tests()
    words = set(plain.split())
    is_share = "%" in text or bool(words & _SHARE)
    rest = " ".join(word for word in plain.split() if word not in _SHARE)
    shown = known.get(_bag(rest)) or known.get(_bag(rest, _TEST_FILLERS))
    return None if shown is None else (f"{shown} percent" if is_share else shown)


@lru_cache(maxsize=1)
def _scales() -> dict[str, str]:
    seed = pl.read_csv(_SEEDS / "outcomes" / "assessment_scales.csv", columns=["scale"], infer_schema=False)
    entries = {word: [] for word in seed["scale"].unique(maintain_order=True)} | _entries(vocabulary.SCALES)
    names = [(shown, other) for shown, others in entries.items() for other in (shown, *others)]
    plain = pl.select(values.key(pl.Series("w", [n for _, n in names], dtype=pl.String))).to_series()
    return {text: shown for (shown, _), text in reversed(list(zip(names, plain, strict=True)))}


@lru_cache(maxsize=1)
def _instruments() -> tuple[str, ...]:
    from pipeline.cohort import words

    return tuple(sorted(words.CODES["instrument"], key=len, reverse=True))


_SIDES = tuple(
    sorted((side.replace("_", " ") for side in vocabulary.SCALE_SIDES.split()), key=len, reverse=True)
)


def _scale(text: str, plain: str) -> str | None:
    known = _scales()
    for instrument in _instruments():
        if plain.startswith(f"{instrument} "):
            plain = plain.removeprefix(f"{instrument} ")
            break
    if plain in known:
        return known[plain]
    for side in _SIDES:
        for base in (plain.removesuffix(f" {side}"), plain.removeprefix(f"{side} ")):
            if base != plain and base in known:
                return f"{known[base]}_{side.replace(' ', '_')}"
    return None


_ITEM = re.compile(r"(?:(?:item|question|frage|pregunta|nr|no|number|q|i|p)[ _.\-]?)?\d{1,3}[a-e]?")


def _item(text: str, plain: str) -> str | None:
    if _ITEM.fullmatch(text.strip().casefold()):
        return text.strip()
    name, _, number = plain.rpartition(" ")
    known = _scale(name, name) if number.isdigit() and len(number) <= 2 else None
    return None if known is None else f"{known}_{number}"


# --- units ----------------------------------------------------------------------------------------------------

_UNIT_TOKEN = re.compile(
    r"10(?:\^|\*{1,2}|e\+?)?-?\d{1,2}(?![\d.])|\d+(?:\.\d+)?|[^\W\d_]+\.?(?:\^?[23](?!\d))?|%|‰"
)
_UNIT_POWER = re.compile(r"10(?:\^|\*{1,2}|e\+?)?-?\d{1,2}")
_UNIT_BETWEEN = re.compile(r"[ /().·×*^,\-]*")
_UNIT_LENGTH = 40


def _unit(text: str, plain: str) -> str | None:
    """The unit as delivered where it is made of units alone."""
    # The seeds of units have the micro sign, keyboards and programs the Greek letter too.
    shown = " ".join(text.split()).replace("\u03bc", "\u00b5")
    lower = unicodedata.normalize("NFKC", shown).casefold().replace("μ", "µ")
    lower = re.sub(r"\b([a-z])\.([a-z])\b\.?", r"\1\2", lower)  # s.c.
    if len(lower) > _UNIT_LENGTH or not _UNIT_BETWEEN.fullmatch(_UNIT_TOKEN.sub("", lower)):
        return None
    known = vocabulary.UNIT_PARTS | vocabulary.UNIT_WORDS
    numbers = 0
    tokens = _UNIT_TOKEN.findall(lower)
    for token in tokens:
        if token in known or token.rstrip(".") in known or _UNIT_POWER.fullmatch(token):
            continue
        if not token.isdigit() or len(token) > 3:
            return None
        numbers += 1
    return shown if tokens and numbers <= 1 else None


_READERS: dict[str, Callable[[str, str], str | None]] = {
    "term": _term, "test": _test, "scale": _scale, "item": _item, "unit": _unit, "dose_unit": _unit,
}  # fmt: skip
