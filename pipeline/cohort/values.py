"""Text of cells → values, by polars expressions over whole columns: dates with precision, numbers, codes, yes and no.

What a cell cannot mean for certain is refused, never guessed: an undeclared 03/04/2014, `1,234` without a decimal
sign, an EDSS of 2.3. A refused cell is null and carries the rule that it broke; no exception and no message here
ever holds its text. Which rules reject and which only flag, and how they are worded, stands in validation.py;
words in other languages stand in words.py. docs/values.md tells users all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

from pipeline.cohort import words
from pipeline.cohort.schemas import Field
from pipeline.cohort.workbook import ERRORS

DateOrder = Literal["ymd", "dmy", "mdy"]

# Nobody in a cohort was born before; an earlier year is a slip.
FIRST_YEAR, LAST_YEAR = 1880, 2200
# Excel's day numbers of 1927-05-18 to 2100-01-01: five digits, so that no year is taken for one.
_FIRST_SERIAL, _LAST_SERIAL = 10_000, 73_051
_1904_DAYS = 1462
_BLANKS = " \t\r\n\u00a0\u200b\u2007\u202f\ufeff"


@dataclass(frozen=True)
class Options:
    """How the cells of one column are read.

    `today` is the day of delivery: later dates are refused (None: not judged). `two_digit_pivot` is the last year
    that 14 in 12-Mar-14 may mean in this century; by default the year of `today`, so that no such year lies in
    the future. `missing` are cells that mean "not known" beside the usual ones, `codes` what the clinic's codes
    mean. `keeps_comparator`: a `<` before a number is allowed, and so are words like BLQ (0 with `<`); the caller
    stores `Converted.comparator`.
    """

    today: date | None = None
    date_order: DateOrder | None = None
    decimal: Literal[".", ","] | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    missing: Iterable[str] = ()
    two_digit_pivot: int | None = None
    is_1904: bool = False
    keeps_comparator: bool = False


@dataclass(frozen=True)
class Converted:
    """One column as values, in the order of its cells.

    Attributes:
        columns: the lake columns of the field, named and typed as `schemas.lake_columns` says.
        rule: the rule that a refused cell broke; null where it was read or is blank.
        warning: the rule that a kept cell is flagged with (`edss_half`).
        is_missing: blank, or a mark that means "not known".
        comparator, unit: what stood before and behind a number (null where nothing did); None for other kinds.
    """

    columns: tuple[pl.Series, ...]
    rule: pl.Series
    warning: pl.Series
    is_missing: pl.Series
    comparator: pl.Series | None = None
    unit: pl.Series | None = None

    @property
    def faults(self) -> tuple[pl.Series, pl.Series]:
        """`rule` and `warning`."""
        return self.rule, self.warning


def convert(
    cells: pl.Series, field: Field, options: Options = Options(), kinds: pl.Series | None = None
) -> Converted:
    """Read one column as a canonical field.

    Args:
        cells: text of the cells, null where blank.
        field: the canonical field.
        options: how to read.
        kinds: what kind of cell each was (workbook.KINDS). Without it every cell counts as typed text: `1.234`
            is then judged by the decimal sign even where the spreadsheet held a number, and an unformatted date
            of the 1904 system is misread.

    Rules given: bad_date, ambiguous_date, impossible_date, future_date, bad_timestamp, bad_number,
    number_became_date, wrong_unit, not_whole, out_of_range, edss_step, edss_half (warning), bad_boolean, unknown_code, error_cell.
    """
    if cells.null_count() == cells.len() and kinds is None:
        return _all_missing(cells.len(), field)
    text = cells.cast(pl.String).rename("text")
    kind = (
        pl.repeat(None, text.len(), dtype=pl.String, eager=True) if kinds is None else kinds.cast(pl.String)
    ).alias("kind")
    given = pl.DataFrame([text, kind])
    # Dates, codes and scores repeat: each distinct cell is read once.
    distinct = given.unique(maintain_order=True)
    distinct = distinct.with_columns(_missing(field, options).alias("is_missing"))
    is_error = (pl.col("kind").eq_missing("error") | pl.col("text").is_in(ERRORS)) & ~pl.col("is_missing")
    distinct = distinct.with_columns(
        is_error=is_error.fill_null(False),
        cell=pl.when(~pl.col("is_missing") & ~is_error.fill_null(False)).then(_content(field)),
    )
    read = _READERS[field.kind](distinct, field, options)
    rule = pl.when("is_error").then(pl.lit("error_cell")).otherwise(pl.col("rule"))
    read = read.with_columns(rule.alias("rule"))
    names = list(lake_types(field))
    refused = pl.col("rule").is_not_null()
    read = read.with_columns(pl.when(~refused).then(pl.col(name)).alias(name) for name in names)
    whole = given.join(read, on=["text", "kind"], how="left", nulls_equal=True, maintain_order="left")
    return Converted(
        columns=tuple(whole[name].cast(dtype) for name, dtype in lake_types(field).items()),
        rule=whole["rule"],
        warning=whole["warning"] if "warning" in whole.columns else _nothing(whole.height, "warning"),
        is_missing=whole["is_missing"],
        comparator=whole["comparator"] if "comparator" in whole.columns else None,
        unit=whole["unit_read"] if "unit_read" in whole.columns else None,
    )


def _all_missing(height: int, field: Field) -> Converted:
    return Converted(
        columns=tuple(
            pl.repeat(None, height, dtype=dtype, eager=True).alias(name)
            for name, dtype in lake_types(field).items()
        ),
        rule=_nothing(height, "rule"),
        warning=_nothing(height, "warning"),
        is_missing=pl.repeat(True, height, dtype=pl.Boolean, eager=True).alias("is_missing"),
        comparator=_nothing(height, "comparator") if field.kind in ("number", "integer") else None,
        unit=_nothing(height, "unit_read") if field.kind in ("number", "integer") else None,
    )


def cleaned(cells: pl.Expr, missing: Iterable[str] = ()) -> pl.Expr:
    """Trimmed text, null where blank or a mark that means "not known" in every kind of column."""
    text = _trimmed(cells)
    return pl.when(~_is_mark(text, missing)).then(text)


def key(text: pl.Expr) -> pl.Expr:
    """Text as words.py has it: lower case, no accents, no punctuation, single spaces; `2.0` → `2`."""
    plain = _plain(text)
    letters = plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars(" ")
    number = plain.str.extract(r"^(\d+)\.0+$")
    # What is punctuation alone (<, +, ✓) stays as it is.
    return pl.coalesce(number, pl.when(letters != "").then(letters).otherwise(plain))


def lake_types(field: Field) -> dict[str, pl.DataType]:
    """Names and types of the lake columns that a field becomes."""
    if field.kind == "date":
        return {
            f"{field.name}_earliest": pl.Date(),
            f"{field.name}_latest": pl.Date(),
            f"{field.name}_precision": pl.String(),
            f"{field.name}_text": pl.String(),
        }
    return {field.name: _TYPES[field.kind]}


_TYPES: dict[str, pl.DataType] = {
    "id": pl.String(),
    "text": pl.String(),
    "code": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us"),
}


# --- text -------------------------------------------------------------------------------------------------


def _nothing(height: int, name: str) -> pl.Series:
    return pl.repeat(None, height, dtype=pl.String, eager=True).alias(name)


def _trimmed(text: pl.Expr) -> pl.Expr:
    trimmed = (
        text.cast(pl.String).str.replace_all(r"[\p{Cc}\p{Zs}\p{Zl}\p{Zp}]+", " ").str.strip_chars(_BLANKS)
    )
    return pl.when(trimmed != "").then(trimmed)


def _content(field: Field) -> pl.Expr:
    text = _trimmed(pl.col("text"))
    # The apostrophe by which spreadsheets mark typed text survives some exports ('2.5).
    return text if field.kind in ("text", "id") else text.str.replace(r"^'([0-9])", "${1}")


def _plain(text: pl.Expr) -> pl.Expr:
    plain = text.str.normalize("NFKC").str.to_lowercase()
    plain = plain.str.replace_many(
        ["ß", "ł", "ø", "đ", "ı", "æ", "œ", "\u2212"], ["ss", "l", "o", "d", "i", "ae", "oe", "-"]
    )
    plain = plain.str.normalize("NFKD").str.replace_all(r"\p{Mn}", "")
    return plain.str.replace_all(r"\s+", " ").str.strip_chars(" ")


def _is_mark(text: pl.Expr, missing: Iterable[str], more: frozenset[str] = frozenset()) -> pl.Expr:
    marks = words.MISSING | more | {str(mark).strip().lower() for mark in missing}
    lower = text.str.normalize("NFKC").str.to_lowercase().str.strip_chars(_BLANKS)
    number = lower.str.extract(r"^(-?\d+)\.0+$")
    return (
        text.is_null() | (lower == "") | lower.is_in(list(marks)) | number.is_in(list(marks)).fill_null(False)
    ).fill_null(True)


def _missing(field: Field, options: Options) -> pl.Expr:
    known = frozenset() if field.kind in ("text", "id") or "unknown" in field.codes else words.UNKNOWN
    if field.kind in ("date", "timestamp"):
        known = known | words.NO_DATE
    if field.kind == "date" and field.name == "end_date":
        known = known | words.ONGOING
    # The clinic's own code wins over a mark that looks the same (`-` for no, `9` for other).
    own = [str(code).strip().lower() for code in options.codes]
    text = _trimmed(pl.col("text"))
    return _is_mark(text, options.missing, known) & ~text.str.to_lowercase().is_in(own).fill_null(False)


# --- text, id, code, boolean ------------------------------------------------------------------------------


def _read_text(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    value = pl.col("cell")
    if options.codes:
        own = {_key_of(code): meaning for code, meaning in options.codes.items()}
        value = key(pl.col("cell")).replace_strict(own, default=value, return_dtype=pl.String)
    return cells.with_columns(value.alias(field.name), pl.lit(None, dtype=pl.String).alias("rule"))


def _key_of(text: str) -> str:
    return pl.select(key(pl.lit(str(text), dtype=pl.String))).item()


def _read_code(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    known = dict(words.CODES.get(field.name, {}))
    known = {word: code for word, code in known.items() if code in field.codes}
    known |= {_key_of(code): code for code in field.codes}
    # What the clinic says its codes mean may itself be a word (`1: male`, `1: männlich`) and wins.
    known |= {_key_of(code): known.get(_key_of(meaning), meaning) for code, meaning in options.codes.items()}
    known = {word: code for word, code in known.items() if code in field.codes}
    value = key(pl.col("cell")).replace_strict(known, default=None, return_dtype=pl.String)
    read = cells.with_columns(pl.when(~_is_doubted(options)).then(value).alias(field.name))
    rule = pl.when(pl.col("cell").is_not_null() & pl.col(field.name).is_null()).then(pl.lit("unknown_code"))
    return read.with_columns(rule.alias("rule"))


def _is_doubted(options: Options) -> pl.Expr:
    """`yes?`: whoever wrote it was not sure; a clinic's own code may hold the sign."""
    own = [str(code).strip().lower() for code in options.codes]
    cell = pl.col("cell").str.to_lowercase()
    return cell.str.contains(r"[?¿]").fill_null(False) & ~cell.is_in(own).fill_null(False)


def _read_boolean(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    known: dict[str, bool | None] = dict(words.BOOLEANS)
    for code, meaning in options.codes.items():
        known[_key_of(code)] = words.BOOLEANS.get(_key_of(meaning))
    value = key(pl.col("cell")).replace_strict(known, default=None, return_dtype=pl.Boolean)
    read = cells.with_columns(pl.when(~_is_doubted(options)).then(value).alias(field.name))
    rule = pl.when(pl.col("cell").is_not_null() & pl.col(field.name).is_null()).then(pl.lit("bad_boolean"))
    return read.with_columns(rule.alias("rule"))


# --- numbers ----------------------------------------------------------------------------------------------

_UNIT = (
    r"(?:%|‰|[kmµμunp]?g|mcg|[kmµμnp]?l|dl|cl|[mµμnp]?mol|mol|m?i?u|miu|ie|ui|k?iu|h|hrs?|hours?|std|stunden|min|minutes|s|sec|secs|"
    r"seconds?|sek|sekunden|d|days?|tage?|weeks?|wk|months?|years?|yrs?|jahre?|mm|cm|m|cells?|zellen|letters?|"
    r"points?|pts?|punkte?|pkt|puntos|punti|score|lesions?|lasion(?:en)?|lesiones|lesioni|gr|godz|heures|horas|ore|mm3|µm|μm|kg|m2)"
)
_UNITS = rf"(?:(?:x ?)?10 ?[\^*]{{0,2}} ?[0-9]{{1,2}} ?)?(?:{_UNIT}\.?)?(?: ?/ ?(?:[0-9]+ ?)?{_UNIT}\.?)?"
_NUMBER = (
    r"^(?<comparator><=|>=|=<|=>|≤|≥|<|>|=)? ?"
    r"(?<number>[+-]? ?(?:[0-9]{1,3}(?:[ '’][0-9]{3})+(?:[.,][0-9]+)?|[0-9][[0-9].,]*|[.,][0-9]+)(?:e[+-]?[0-9]{1,3})?)"
    rf" ?(?<unit>{_UNITS})$"
)
_COMPARATORS = {"<=": "<=", "=<": "<=", "≤": "<=", ">=": ">=", "=>": ">=", "≥": ">=", "<": "<", ">": ">"}


def _read_number(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    codes = {_key_of(code): meaning for code, meaning in options.codes.items()}
    # Most cells are digits and at most one point: they skip the grammar, which is ten times slower.
    is_simple = pl.col("cell").str.contains(r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$")
    if options.decimal == ",":
        is_simple = is_simple & (
            pl.col("kind").eq_missing("number") | ~pl.col("cell").str.contains(r"\.[0-9]{3}$")
        )
    if codes:
        is_simple = pl.lit(False)
    is_simple = is_simple.fill_null(False)
    plain = cells.filter(is_simple).with_columns(
        pl.col("cell").cast(pl.Float64, strict=False).alias("value"),
        pl.lit(None, dtype=pl.String).alias("comparator"),
        pl.lit(None, dtype=pl.String).alias("unit_read"),
    )
    if plain.height < cells.height:
        rest = _by_grammar(cells.filter(~is_simple), field, options, codes)
        plain = pl.concat([plain, rest.select(plain.columns)])
    return _judge_number(plain, field, options)


def _by_grammar(
    cells: pl.DataFrame, field: Field, options: Options, codes: Mapping[str, str]
) -> pl.DataFrame:
    """Adds value, comparator and unit_read, all null where the text is no number."""
    text = pl.col("cell")
    if codes:
        text = key(text).replace_strict(codes, default=text, return_dtype=pl.String)
    # NFKC turns ⁹ of 10⁹ into 9, which is how units are compared below.
    plain = _plain(text)
    if options.keeps_comparator and field.unit is None:
        # A titre is told by its denominator: 1:40 is 40.
        plain = plain.str.replace(r"^([<>≤≥]?=? ?)1 ?: ?([0-9]{1,7})$", "${1}${2}")
    parts = plain.str.extract_groups(_NUMBER)
    read = cells.with_columns(parts.alias("parts")).unnest("parts")
    digits = pl.col("number").str.replace_all(r"[ '’]", "")
    read = read.with_columns(_decimal(digits, options.decimal, pl.col("kind")).alias("value"))
    comparator = pl.col("comparator").replace_strict(_COMPARATORS, default=None, return_dtype=pl.String)
    unit = pl.when(pl.col("unit").str.strip_chars(" .") != "").then(pl.col("unit").str.strip_chars(" ."))
    read = read.with_columns(comparator.alias("comparator"), unit.alias("unit_read"))
    if options.keeps_comparator:
        is_below = key(pl.col("cell")).is_in(list(words.BELOW_QUANTIFICATION))
        read = read.with_columns(
            pl.when(is_below).then(0.0).otherwise("value").alias("value"),
            pl.when(is_below).then(pl.lit("<")).otherwise("comparator").alias("comparator"),
        )
    factors = words.UNITS.get(field.unit or "")
    if factors is not None:
        factor = (
            pl.when(pl.col("unit_read").is_null())
            .then(1.0)
            .otherwise(pl.col("unit_read").replace_strict(factors, default=None, return_dtype=pl.Float64))
        )
        read = read.with_columns((pl.col("value") * factor).alias("value"))
    return read


def _judge_number(read: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    """Adds the rule, the warning and the lake column."""
    is_bad = pl.col("value").is_null() | ~pl.col("value").is_finite()
    if not options.keeps_comparator:
        is_bad = is_bad | pl.col("comparator").is_not_null()
    elif field.name == "concentration":
        # Below the limit of quantification is a result; above a limit is not one.
        is_bad = is_bad | pl.col("comparator").is_in([">", ">="]).fill_null(False)
    if field.name == "edss":
        rule, warning = _edss_rules()
        read = read.with_columns((pl.col("value") * 2).round().truediv(2).alias("stepped"))
        is_step = (pl.col("value") - pl.col("stepped")).abs() < 1e-6
        read = read.with_columns(pl.when(is_step).then("stepped").otherwise("value").alias("value"))
    else:
        rule, warning = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.String)
    is_out = pl.lit(False)
    if field.minimum is not None:
        is_out = is_out | (pl.col("value") < field.minimum)
    if field.maximum is not None:
        is_out = is_out | (pl.col("value") > field.maximum)
    if field.kind == "integer":
        whole = (pl.col("value") - pl.col("value").round()).abs() < 1e-9
        rule = pl.when(~whole).then(pl.lit("not_whole")).otherwise(rule)
    rule = (
        pl.when(pl.col("cell").is_null()).then(None)
        .when(is_bad & pl.col("kind").eq_missing("date")).then(pl.lit("number_became_date"))
        .when(pl.col("value").is_null() & pl.col("unit_read").is_not_null()).then(pl.lit("wrong_unit"))
        .when(is_bad).then(pl.lit("bad_number"))
        .when(is_out).then(pl.lit("out_of_range"))
        .otherwise(rule)
    )  # fmt: skip
    value = (
        pl.col("value").round().cast(pl.Int64, strict=False) if field.kind == "integer" else pl.col("value")
    )
    read = read.with_columns(rule.alias("rule"), value.alias(field.name), warning.alias("warning"))
    kept = pl.col("rule").is_null()
    return read.with_columns(
        pl.when(kept).then(pl.col(name)).alias(name) for name in ("warning", "comparator", "unit_read")
    )


def _edss_rules() -> tuple[pl.Expr, pl.Expr]:
    value = pl.col("value")
    is_step = ((value * 2) - (value * 2).round()).abs() < 2e-6
    is_half = (value - 0.5).abs() < 1e-6
    rule = pl.when(~is_step).then(pl.lit("edss_step"))
    return rule, pl.when(is_half).then(pl.lit("edss_half"))


def _decimal(digits: pl.Expr, declared: str | None, kind: pl.Expr) -> pl.Expr:
    """Digits with points and commas as a number, null where they could be two.

    A sign that stands before exactly three digits (`1,234`) is a thousands sign or a decimal one: the declared
    sign decides. Undeclared, a point is decimal and a comma is refused. All other forms can only be read one way.
    """
    dots, commas = digits.str.count_matches(".", literal=True), digits.str.count_matches(",", literal=True)
    by_comma = digits.str.contains(r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$")
    by_dot = digits.str.contains(r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$")
    without_commas = digits.str.replace_all(",", "", literal=True)
    without_dots = digits.str.replace_all(".", "", literal=True)
    comma_is_decimal = without_dots.str.replace(",", ".", literal=True)
    both = (
        pl.when(digits.str.contains(r"^[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+$")).then(without_commas)
        .when(digits.str.contains(r"^[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+$")).then(comma_is_decimal)
    )  # fmt: skip
    one_comma = (
        pl.when(~by_comma).then(digits.str.replace(",", ".", literal=True))
        .when(pl.lit(declared == ",")).then(digits.str.replace(",", ".", literal=True))
        .when(pl.lit(declared == ".")).then(without_commas)
    )  # fmt: skip
    one_dot = pl.when(by_dot & pl.lit(declared == ",")).then(without_dots).otherwise(digits)
    plain = (
        pl.when(kind.eq_missing("number")).then(digits)
        .when((dots == 0) & (commas == 0)).then(digits)
        .when((dots > 0) & (commas > 0)).then(both)
        .when(commas == 1).then(one_comma)
        .when(dots == 1).then(one_dot)
        .when(by_comma).then(without_commas)
        .when(by_dot).then(without_dots)
    )  # fmt: skip
    return plain.str.replace(r"^\+", "").cast(pl.Float64, strict=False)


# --- dates ------------------------------------------------------------------------------------------------

# A day or month that is written but not known: 00, XX, UN, UNK, NK, ??.
_PART = r"[0-9]{1,2}|xx?|unk?|uk|nk|\?\??"
_YEAR = r"[0-9]{4}|[0-9]{2}"
_NAME = r"\p{L}{3,}"
_JOIN = r"[-/. ,]*(?:de |del |of |di |d')? ?"
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
# Of each form the groups y, m, d (numbers) or name (of a month); no text fits two of them.
_NUMBER_FORMS = (
    rf"^(?<y>[0-9]{{4}})[-/. ](?<m>{_PART})(?:[-/. ](?<d>{_PART}))?$",
    r"^(?<y>[0-9]{4})(?<m>[0-9]{2})(?<d>[0-9]{2})$",
    r"^(?<y>[0-9]{4})(?:\.0+)?$",
    rf"^(?<m>{_PART})[-/. ](?<y>[0-9]{{4}})$",
)
_NAME_FORMS = (
    rf"^(?<d>{_PART})(?:st|nd|rd|th|er|\.|º|°)?{_JOIN}(?<name>{_NAME})\.?{_JOIN}(?<y>{_YEAR})$",
    rf"^(?<name>{_NAME})\.? ?(?<d>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:, ?| )(?<y>[0-9]{{4}})$",
    rf"^(?<name>{_NAME})\.?{_JOIN}'?(?<y>{_YEAR})$",
    rf"^(?<y>[0-9]{{4}})[-/. ]*(?<name>{_NAME})\.?(?:[-/. ]*(?<d>[0-9]{{1,2}}))?$",
)
_TRIPLE = rf"^(?<a>{_PART})[-/. ](?<b>{_PART})[-/. ](?<c>[0-9]{{4}}|[0-9]{{2}})$"
# 2014.5 is half of a year or May: neither.
_DECIMAL_YEAR = r"^[0-9]{4}\.[1-9]$"
_TIME = (
    r"^(?<date>.+?)(?:[t ,]+)(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,][0-9]+)?)?"
    r" ?(?<half>[ap]\.?m\.?)?(?: ?(?:z|utc|[+-][0-9]{2}:?[0-9]{2}))?$"
)
_READ = {"earliest": pl.Date, "latest": pl.Date, "precision": pl.String, "rule": pl.String}


def _date_columns(cells: pl.DataFrame, text: pl.Expr, options: Options) -> pl.DataFrame:
    """`cells` with earliest, latest, precision and rule read from plain text (null: nothing to read)."""
    read = cells.with_columns(text.alias("_t"))
    day = pl.when(pl.col("_t").str.contains(_ISO)).then(pl.col("_t").str.to_date("%Y-%m-%d", strict=False))
    day = pl.when(day.dt.year().is_between(FIRST_YEAR, LAST_YEAR)).then(day)
    read = read.with_columns(day.alias("earliest"))
    is_iso = pl.col("earliest").is_not_null()
    iso = read.filter(is_iso).with_columns(
        pl.col("earliest").alias("latest"),
        pl.lit("day").alias("precision"),
        pl.lit(None, dtype=pl.String).alias("rule"),
    )
    blank = read.filter(pl.col("_t").is_null()).with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in _READ.items()
    )
    rest = read.filter(pl.col("_t").is_not_null() & ~is_iso)
    parts = [iso, blank]
    if rest.height:
        parts.append(_dates_by_grammar(rest.drop("earliest"), options).select(iso.columns))
    read = pl.concat(parts)
    if options.today is not None:
        is_late = pl.col("earliest") > options.today
        read = read.with_columns(pl.when(is_late).then(pl.lit("future_date")).otherwise("rule").alias("rule"))
    return read.drop("_t")


def _dates_by_grammar(read: pl.DataFrame, options: Options) -> pl.DataFrame:
    pivot = options.two_digit_pivot
    if pivot is None:
        pivot = options.today.year if options.today else 2068
    elif pivot < 100:
        pivot += 2000
    text = pl.col("_t")
    read = read.with_columns(text.str.extract_groups(_TRIPLE).alias("_triple")).unnest("_triple")
    triples = read.filter(pl.col("c").is_not_null())
    others = read.filter(pl.col("c").is_null()).drop("a", "b", "c")
    done = []
    if triples.height:
        done.append(_triples(triples, pivot, options))
    if others.height:
        done.append(_forms(others, pivot, options))
    common = [name for name in done[0].columns if all(name in part.columns for part in done)]
    return pl.concat([part.select(common) for part in done])


def _forms(read: pl.DataFrame, pivot: int, options: Options) -> pl.DataFrame:
    """Texts whose parts can only be what they are: the year first, a month's name, a month and a year."""
    text = pl.when(~pl.col("_t").str.contains(_DECIMAL_YEAR)).then(pl.col("_t"))
    forms = list(enumerate(_NUMBER_FORMS))
    if read["_t"].str.contains(r"\p{L}{3}").any():
        forms += list(enumerate(_NAME_FORMS, start=len(forms)))
    read = read.with_columns(text.str.extract_groups(pattern).alias(f"_{n}") for n, pattern in forms)
    years, months, days = [], [], []
    for n, pattern in forms:
        group = pl.col(f"_{n}").struct
        year = _year(group.field("y"), pivot)
        month = _known(group.field("m")) if "?<m>" in pattern else pl.lit(0, dtype=pl.Int32)
        if "?<name>" in pattern:
            month = group.field("name").replace_strict(words.MONTHS, default=None, return_dtype=pl.Int32)
            year = pl.when(month.is_not_null()).then(year)
        day = _known(group.field("d")) if "?<d>" in pattern else pl.lit(0, dtype=pl.Int32)
        years.append(year.alias(f"y{n}"))
        months.append(month.fill_null(0).alias(f"m{n}"))
        days.append(day.fill_null(0).alias(f"d{n}"))
    read = read.with_columns(*years, *months, *days)
    read = read.with_columns(
        pl.coalesce(pl.col(f"y{n}") for n, _ in forms).alias("y"),
        *(
            pl.coalesce(
                pl.when(pl.col(f"y{n}").is_not_null()).then(pl.col(f"{part}{n}")) for n, _ in forms
            ).alias(part)
            for part in "md"
        ),
    )
    read = _with_days(read, "y", "m", "d", "")
    serial = pl.col("_t").str.extract(r"^([0-9]{5})(?:\.[0-9]+)?$").cast(pl.Int64, strict=False)
    serial = pl.when(serial.is_between(_FIRST_SERIAL, _LAST_SERIAL)).then(serial)
    days_since = pl.duration(days=serial + (_1904_DAYS if options.is_1904 else 0))
    of_serial = (pl.lit(date(1899, 12, 30)) + days_since).cast(pl.Date)
    is_form = pl.col("y").is_not_null() | serial.is_not_null()
    read = read.with_columns(
        pl.coalesce("earliest", of_serial).alias("earliest"),
        pl.coalesce("latest", of_serial).alias("latest"),
        pl.when(serial.is_not_null()).then(pl.lit("day")).otherwise("precision").alias("precision"),
        is_form.alias("is_form"),
    )
    rule = (
        pl.when(~pl.col("is_form")).then(pl.lit("bad_date"))
        .when(pl.col("earliest").is_null()).then(pl.lit("impossible_date"))
    )  # fmt: skip
    return read.with_columns(rule.alias("rule"))


def _triples(read: pl.DataFrame, pivot: int, options: Options) -> pl.DataFrame:
    """Three numbers, the year not first or of two digits: the declared order says which is which.

    Undeclared, the text is read where only one order gives a day, or all give the same.
    """
    read = read.with_columns(
        _year(pl.col("c"), pivot).alias("cy"),
        # Only two digits can be a year in front: four would have been taken for one before.
        pl.when(pl.col("c").str.len_chars() == 2)
        .then(_year(pl.col("a").str.extract(r"^([0-9]{2})$"), pivot))
        .alias("ay"),
        *(_known(pl.col(part)).alias(f"{part}n") for part in "abc"),
    )
    read = _with_days(read, "cy", "bn", "an", "_dmy")
    read = _with_days(read, "cy", "an", "bn", "_mdy")
    read = _with_days(read, "ay", "bn", "cn", "_ymd")
    orders = ("dmy", "mdy", "ymd")
    is_declared = pl.lit(options.date_order in ("dmy", "mdy"))
    if options.date_order == "ymd":
        # Four digits at the end: the year does not come first, and the declaration says nothing.
        is_declared = pl.col("c").str.len_chars() == 2
    first = pl.min_horizontal(f"earliest_{order}" for order in orders)
    last = pl.max_horizontal(f"earliest_{order}" for order in orders)
    length = pl.min_horizontal(pl.col(f"latest_{o}") - pl.col(f"earliest_{o}") for o in orders)
    longest = pl.max_horizontal(pl.col(f"latest_{o}") - pl.col(f"earliest_{o}") for o in orders)
    is_ambiguous = ((first != last) | (length != longest)).fill_null(False) & ~is_declared
    declared = options.date_order or "dmy"
    read = read.with_columns(is_ambiguous.alias("is_ambiguous"), is_declared.alias("is_declared"))
    read = read.with_columns(
        pl.when("is_declared").then(pl.col(f"{name}_{declared}"))
        .when(~pl.col("is_ambiguous")).then(pl.coalesce(f"{name}_{order}" for order in orders)).alias(name)
        for name in ("earliest", "latest", "precision")
    )  # fmt: skip
    rule = (
        pl.when("is_ambiguous").then(pl.lit("ambiguous_date"))
        .when(pl.col("earliest").is_null()).then(pl.lit("impossible_date"))
    )  # fmt: skip
    return read.with_columns(rule.alias("rule"))


def _known(part: pl.Expr) -> pl.Expr:
    """A day or month as a number; 0 where it is written as not known, null where nothing is written."""
    return pl.when(part.is_not_null()).then(part.cast(pl.Int32, strict=False).fill_null(0))


def _year(part: pl.Expr, pivot: int) -> pl.Expr:
    number = part.cast(pl.Int32, strict=False)
    century = pivot // 100 * 100
    short = pl.when(number + century <= pivot).then(number + century).otherwise(number + century - 100)
    return pl.when(part.str.len_chars() == 2).then(short).otherwise(number)


def _with_days(read: pl.DataFrame, y: str, m: str, d: str, suffix: str) -> pl.DataFrame:
    """Adds earliest, latest and precision of year, month and day (0: not known); null where no such day exists."""
    year, month, day = pl.col(y), pl.col(m), pl.col(d)
    earliest, latest, precision = (f"{name}{suffix}" for name in ("earliest", "latest", "precision"))
    read = read.with_columns(
        pl.when(~year.is_between(FIRST_YEAR, LAST_YEAR)).then(None)
        .when((month > 0) & (day > 0)).then(pl.lit("day"))
        .when((month > 0) & (day == 0)).then(pl.lit("month"))
        .when((month == 0) & (day == 0)).then(pl.lit("year")).alias(precision)
    )  # fmt: skip
    first = year * 10_000 + pl.max_horizontal(month, 1) * 100 + pl.max_horizontal(day, 1)
    first = pl.when(pl.col(precision).is_not_null()).then(first).cast(pl.String)
    read = read.with_columns(first.str.to_date("%Y%m%d", strict=False).alias(earliest))
    start = pl.col(earliest)
    return read.with_columns(
        pl.when(pl.col(precision) == "day").then(start)
        .when(pl.col(precision) == "month").then(start.dt.month_end())
        .otherwise(start.dt.offset_by("1y").dt.offset_by("-1d")).alias(latest),
        pl.when(start.is_not_null()).then(pl.col(precision)).alias(precision),
    )  # fmt: skip


def _split_time(read: pl.DataFrame) -> pl.DataFrame:
    """Adds date, hour, minute, second and half of `_plain`; all null where there is no time."""
    if not read["_plain"].str.contains(":", literal=True).any():
        return read.with_columns(
            pl.lit(None, dtype=pl.String).alias(n) for n in ("date", "hour", "minute", "second", "half")
        )
    return read.with_columns(pl.col("_plain").str.extract_groups(_TIME).alias("_time")).unnest("_time")


def _read_date(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    if options.codes:
        own = {_key_of(code): meaning for code, meaning in options.codes.items()}
        given = key(pl.col("cell")).replace_strict(own, default=pl.col("cell"), return_dtype=pl.String)
        cells = cells.with_columns(given.alias("cell"))
    read = _split_time(cells.with_columns(_plain(pl.col("cell")).alias("_plain")))
    day = pl.coalesce("date", "_plain").str.strip_chars(" ,")
    read = _date_columns(read, day, options)
    return read.with_columns(
        pl.col("earliest").alias(f"{field.name}_earliest"),
        pl.col("latest").alias(f"{field.name}_latest"),
        pl.col("precision").alias(f"{field.name}_precision"),
        pl.col("cell").alias(f"{field.name}_text"),
    )


def _read_timestamp(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    """A day and a time; a day alone is its midnight, as a spreadsheet shows midnight."""
    read = _split_time(cells.with_columns(_plain(pl.col("cell")).alias("_plain")))
    read = _date_columns(read, pl.coalesce("date", "_plain").str.strip_chars(" ,"), options)
    numbers = [pl.col(name).cast(pl.Int64, strict=False) for name in ("hour", "minute", "second")]
    # An unformatted moment of a spreadsheet: days since 1899-12-30 with the time as their fraction.
    fraction = pl.col("_plain").str.extract(r"^[0-9]{5}(\.[0-9]+)$").cast(pl.Float64, strict=False)
    read = read.with_columns(
        *numbers, (fraction * 86_400).round().cast(pl.Int64).fill_null(0).alias("_seconds")
    )
    is_pm, is_am = pl.col("half").str.starts_with("p"), pl.col("half").str.starts_with("a")
    hour = pl.col("hour")
    hour = pl.when(is_pm & (hour < 12)).then(hour + 12).when(is_am & (hour == 12)).then(0).otherwise(hour)
    second = pl.col("second").fill_null(0)
    in_range = (hour < 24) & (pl.col("minute") < 60) & (second < 60)
    seconds = hour.fill_null(0) * 3600 + pl.col("minute").fill_null(0) * 60 + second + pl.col("_seconds")
    is_whole = (pl.col("precision") == "day") & (pl.col("date").is_null() | in_range)
    value = pl.when(is_whole).then(pl.col("earliest").cast(pl.Datetime("us")) + pl.duration(seconds=seconds))
    read = read.with_columns(value.alias(field.name))
    rule = (
        pl.when(pl.col("rule") == "bad_date").then(pl.lit("bad_timestamp"))
        .when(pl.col("cell").is_not_null() & pl.col("rule").is_null() & pl.col(field.name).is_null())
        .then(pl.lit("bad_timestamp"))
        .otherwise("rule")
    )  # fmt: skip
    return read.with_columns(rule.alias("rule"))


_READERS: dict[str, Callable[[pl.DataFrame, Field, Options], pl.DataFrame]] = {
    "id": _read_text,
    "text": _read_text,
    "code": _read_code,
    "boolean": _read_boolean,
    "number": _read_number,
    "integer": _read_number,
    "date": _read_date,
    "timestamp": _read_timestamp,
}
