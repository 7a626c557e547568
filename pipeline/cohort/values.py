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
    mean. `keeps_comparator`: a `<` before a number is allowed, the caller stores `Converted.comparator`.
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

    Rules given: bad_date, ambiguous_date, impossible_date, future_date, bad_timestamp, bad_number, not_whole,
    out_of_range, edss_step, edss_half (warning), bad_boolean, unknown_code, error_cell.
    """
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
        cell=pl.when(~pl.col("is_missing") & ~is_error.fill_null(False)).then(_trimmed(pl.col("text"))),
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
    read = cells.with_columns(value.alias(field.name))
    rule = pl.when(pl.col("cell").is_not_null() & pl.col(field.name).is_null()).then(pl.lit("unknown_code"))
    return read.with_columns(rule.alias("rule"))


def _read_boolean(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    known: dict[str, bool | None] = dict(words.BOOLEANS)
    for code, meaning in options.codes.items():
        known[_key_of(code)] = words.BOOLEANS.get(_key_of(meaning))
    value = key(pl.col("cell")).replace_strict(known, default=None, return_dtype=pl.Boolean)
    read = cells.with_columns(value.alias(field.name))
    rule = pl.when(pl.col("cell").is_not_null() & pl.col(field.name).is_null()).then(pl.lit("bad_boolean"))
    return read.with_columns(rule.alias("rule"))


# --- numbers ----------------------------------------------------------------------------------------------

_UNIT = (
    r"(?:%|‰|[kmµμunp]?g|mcg|[kmµμnp]?l|dl|cl|[mµμnp]?mol|mol|m?i?u|miu|ie|ui|k?iu|h|hrs?|hours?|std|stunden|min|minutes|s|sec|secs|"
    r"seconds?|sek|sekunden|d|days?|tage?|weeks?|wk|months?|years?|yrs?|jahre?|mm|cm|m|cells?|zellen|letters?|"
    r"points?|pts?|punkte?|pkt|puntos|punti|score|lesions?|lasion(?:en)?|lesiones|lesioni|gr|godz|heures|horas|ore|mm3|µm|μm|kg|m2)"
)
_UNITS = rf"(?:(?:x ?)?10 ?[\^*]{{0,2}} ?\d{{1,2}} ?)?(?:{_UNIT}\.?)?(?: ?/ ?(?:\d+ ?)?{_UNIT}\.?)?"
_NUMBER = (
    r"^(?<comparator><=|>=|=<|=>|≤|≥|<|>|=)? ?"
    r"(?<number>[+-]? ?(?:\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d+)?|\d[\d.,]*|[.,]\d+)(?:e[+-]?\d{1,3})?)"
    rf" ?(?<unit>{_UNITS})$"
)
_COMPARATORS = {"<=": "<=", "=<": "<=", "≤": "<=", ">=": ">=", "=>": ">=", "≥": ">=", "<": "<", ">": ">"}


def _read_number(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    codes = {_key_of(code): meaning for code, meaning in options.codes.items()}
    # Most cells are digits and at most one point: they skip the grammar, which is ten times slower.
    is_simple = pl.col("cell").str.contains(r"^-?\d{1,15}(?:\.\d{1,15})?$")
    if options.decimal == ",":
        is_simple = is_simple & (
            pl.col("kind").eq_missing("number") | ~pl.col("cell").str.contains(r"\.\d{3}$")
        )
    if codes:
        is_simple = pl.lit(False)
    is_simple = is_simple.fill_null(False)
    plain = cells.filter(is_simple).with_columns(
        pl.col("cell").cast(pl.Float64, strict=False).alias("value"),
        pl.lit(None, dtype=pl.String).alias("comparator"),
        pl.lit(None, dtype=pl.String).alias("unit_read"),
    )
    rest = _by_grammar(cells.filter(~is_simple), field, options, codes)
    return _judge_number(pl.concat([plain, rest.select(plain.columns)]), field, options)


def _by_grammar(
    cells: pl.DataFrame, field: Field, options: Options, codes: Mapping[str, str]
) -> pl.DataFrame:
    """Adds value, comparator and unit_read, all null where the text is no number."""
    text = pl.col("cell")
    if codes:
        text = key(text).replace_strict(codes, default=text, return_dtype=pl.String)
    # NFKC turns ⁹ of 10⁹ into 9, which is how units are compared below.
    parts = _plain(text).str.extract_groups(_NUMBER)
    read = cells.with_columns(parts.alias("parts")).unnest("parts")
    digits = pl.col("number").str.replace_all(r"[ '’]", "")
    read = read.with_columns(_decimal(digits, options.decimal, pl.col("kind")).alias("value"))
    comparator = pl.col("comparator").replace_strict(_COMPARATORS, default=None, return_dtype=pl.String)
    unit = pl.when(pl.col("unit").str.strip_chars(" .") != "").then(pl.col("unit").str.strip_chars(" ."))
    read = read.with_columns(comparator.alias("comparator"), unit.alias("unit_read"))
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
    by_comma = digits.str.contains(r"^[+-]?[1-9]\d{0,2}(,\d{3})+$")
    by_dot = digits.str.contains(r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$")
    without_commas = digits.str.replace_all(",", "", literal=True)
    without_dots = digits.str.replace_all(".", "", literal=True)
    comma_is_decimal = without_dots.str.replace(",", ".", literal=True)
    both = (
        pl.when(digits.str.contains(r"^[+-]?\d{1,3}(,\d{3})+\.\d+$")).then(without_commas)
        .when(digits.str.contains(r"^[+-]?\d{1,3}(\.\d{3})+,\d+$")).then(comma_is_decimal)
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
_PART = r"\d{1,2}|xx?|unk?|uk|nk|\?\??"
_YEAR = r"\d{4}|\d{2}"
_NAME = r"[\p{L}]{3,}"
_JOIN = r"[-/. ,]*(?:de |del |of |di |d')? ?"
_FORMS: dict[str, str] = {
    "year_first": rf"^(?<y>\d{{4}})[-/. ](?<m>{_PART})(?:[-/. ](?<d>{_PART}))?$",
    "compact": r"^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})$",
    "year": r"^(?<y>\d{4})$",
    "month_year": rf"^(?<m>{_PART})[-/. ](?<y>\d{{4}})$",
    "day_name_year": rf"^(?<d>{_PART})(?:st|nd|rd|th|er|\.|º|°)?{_JOIN}(?<name>{_NAME})\.?{_JOIN}(?<y>{_YEAR})$",
    "name_day_year": rf"^(?<name>{_NAME})\.? ?(?<d>\d{{1,2}})(?:st|nd|rd|th)?(?:, ?| )(?<y>\d{{4}})$",
    "name_year": rf"^(?<name>{_NAME})\.?{_JOIN}'?(?<y>{_YEAR})$",
    "year_name_day": rf"^(?<y>\d{{4}})[-/. ]*(?<name>{_NAME})\.?(?:[-/. ]*(?<d>\d{{1,2}}))?$",
}
_TRIPLE = rf"^(?<a>{_PART})[-/. ](?<b>{_PART})[-/. ](?<c>\d{{4}}|\d{{2}})$"
_TIME = r"^(?<date>.+?)(?:[t ,]+)(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,]\d+)?)? ?(?<half>[ap]\.?m\.?)?(?: ?(?:z|utc|[+-]\d{2}:?\d{2}))?$"


def _split_time(text: pl.Expr) -> pl.Expr:
    """Struct date, hour, minute, second, half of plain text; `date` is all of it where there is no time."""
    return text.str.extract_groups(_TIME)


def _date_columns(cells: pl.DataFrame, text: pl.Expr, options: Options) -> pl.DataFrame:
    """`cells` with earliest, latest, precision and rule read from plain text (null: nothing to read)."""
    pivot = options.two_digit_pivot
    if pivot is None:
        pivot = options.today.year if options.today else 2068
    elif pivot < 100:
        pivot += 2000
    read = cells.with_columns(text.alias("_t"))
    read = read.with_columns(
        *(pl.col("_t").str.extract_groups(pattern).alias(f"_{form}") for form, pattern in _FORMS.items()),
        pl.col("_t").str.extract_groups(_TRIPLE).alias("_triple"),
    )
    ordered: list[pl.Expr] = []
    for form, pattern in _FORMS.items():
        parts = pl.col(f"_{form}").struct

        def part(name: str, pattern: str = pattern, parts=parts) -> pl.Expr:
            return parts.field(name) if f"?<{name}>" in pattern else pl.lit(None, dtype=pl.String)

        month = _known(part("m"))
        if "?<name>" in pattern:
            month = part("name").replace_strict(words.MONTHS, default=None, return_dtype=pl.Int32)
            matched = month.is_not_null()
        else:
            matched = part("y").is_not_null()
        ordered.append(
            pl.when(matched)
            .then(_candidate(_year(part("y"), pivot), month, _known(part("d"))))
            .alias(f"_{form}")
        )
    a, b, c = (pl.col("_triple").struct.field(name) for name in "abc")
    is_short = c.str.len_chars() == 2
    year = _year(c, pivot)
    dmy = pl.when(c.is_not_null()).then(_candidate(year, _known(b), _known(a)))
    mdy = pl.when(c.is_not_null()).then(_candidate(year, _known(a), _known(b)))
    ymd = pl.when(is_short & a.str.contains(r"^\d{2}$")).then(
        _candidate(_year(a, pivot), _known(b), _known(c))
    )
    read = read.with_columns(*ordered).with_columns(dmy.alias("_dmy"), mdy.alias("_mdy"), ymd.alias("_ymd"))
    valid = {
        o: pl.col(f"_{o}").struct.field("earliest").is_not_null().fill_null(False)
        for o in ("dmy", "mdy", "ymd")
    }
    chosen = {
        "dmy": pl.when(valid["dmy"]).then(pl.col("_dmy")),
        "mdy": pl.when(valid["mdy"]).then(pl.col("_mdy")),
        # With four digits at the end the year cannot come first: the declared order says nothing then.
        "ymd": pl.when(valid["ymd"]).then(pl.col("_ymd")),
    }
    certain, is_ambiguous = _certain(valid)
    if options.date_order in ("dmy", "mdy"):
        triple, is_ambiguous = chosen[options.date_order], pl.lit(False)
    elif options.date_order == "ymd":
        triple, is_ambiguous = (
            pl.coalesce(chosen["ymd"], pl.when(~is_short).then(certain)),
            is_ambiguous & ~is_short,
        )
    else:
        triple = certain
    serial = _serial(options.is_1904)
    is_triple = c.is_not_null()
    forms = [pl.when(pl.col(f"_{f}").struct.field("is_form")).then(pl.col(f"_{f}")) for f in _FORMS]
    date_ = pl.when(is_triple).then(triple).otherwise(pl.coalesce(*forms, serial))
    read = read.with_columns(
        date_.alias("_date"), is_triple.alias("_is_triple"), is_ambiguous.alias("_is_ambiguous")
    )
    earliest = pl.col("_date").struct.field("earliest")
    is_form = pl.col("_is_triple") | pl.col("_date").struct.field("is_form").fill_null(False)
    rule = (
        pl.when(pl.col("_t").is_null()).then(None)
        .when(~is_form).then(pl.lit("bad_date"))
        .when(pl.col("_is_ambiguous") & pl.col("_is_triple")).then(pl.lit("ambiguous_date"))
        .when(earliest.is_null()).then(pl.lit("impossible_date"))
    )  # fmt: skip
    if options.today is not None:
        rule = (
            pl.when(rule.is_null() & (earliest > options.today)).then(pl.lit("future_date")).otherwise(rule)
        )
    read = read.with_columns(
        rule.alias("rule"),
        earliest.alias("earliest"),
        pl.col("_date").struct.field("latest").alias("latest"),
        pl.col("_date").struct.field("precision").alias("precision"),
    )
    return read.drop(name for name in read.columns if name.startswith("_"))


def _certain(valid: dict[str, pl.Expr]) -> tuple[pl.Expr, pl.Expr]:
    """The reading of a triple without a declared order, and whether two readings give different days."""
    days = {order: pl.col(f"_{order}").struct.field("earliest") for order in valid}
    readings = [pl.when(valid[order]).then(pl.col(f"_{order}")) for order in valid]
    first = pl.min_horizontal(pl.when(valid[o]).then(days[o]) for o in valid)
    last = pl.max_horizontal(pl.when(valid[o]).then(days[o]) for o in valid)
    precision = [pl.when(valid[o]).then(pl.col(f"_{o}").struct.field("precision")) for o in valid]
    is_ambiguous = (first != last) | (pl.min_horizontal(precision) != pl.max_horizontal(precision))
    is_ambiguous = is_ambiguous.fill_null(False)
    return pl.when(~is_ambiguous).then(pl.coalesce(readings)), is_ambiguous


def _known(part: pl.Expr) -> pl.Expr:
    """A day or month as a number; 0 where it is written as not known, null where nothing is written."""
    return pl.when(part.is_not_null()).then(part.cast(pl.Int32, strict=False).fill_null(0))


def _year(part: pl.Expr, pivot: int) -> pl.Expr:
    number = part.cast(pl.Int32, strict=False)
    century = pivot // 100 * 100
    short = pl.when(number + century <= pivot).then(number + century).otherwise(number + century - 100)
    return pl.when(part.str.len_chars() == 2).then(short).otherwise(number)


def _candidate(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Struct earliest, latest, precision (all null where no such day exists) and is_form = true."""
    month, day = month.fill_null(0), day.fill_null(0)
    precision = (
        pl.when((month > 0) & (day > 0)).then(pl.lit("day"))
        .when((month > 0) & (day == 0)).then(pl.lit("month"))
        .when((month == 0) & (day == 0)).then(pl.lit("year"))
    )  # fmt: skip
    in_range = year.is_between(FIRST_YEAR, LAST_YEAR) & precision.is_not_null()
    text = pl.format(
        "{}-{}-{}",
        year.cast(pl.String),
        pl.max_horizontal(month, pl.lit(1)).cast(pl.String).str.zfill(2),
        pl.max_horizontal(day, pl.lit(1)).cast(pl.String).str.zfill(2),
    )
    earliest = pl.when(in_range).then(text.str.to_date("%Y-%m-%d", strict=False))
    latest = (
        pl.when(precision == "day").then(earliest)
        .when(precision == "month").then(earliest.dt.month_end())
        .otherwise(earliest.dt.offset_by("1y").dt.offset_by("-1d"))
    )  # fmt: skip
    return pl.struct(
        earliest.alias("earliest"),
        latest.alias("latest"),
        pl.when(earliest.is_not_null()).then(precision).alias("precision"),
        pl.lit(True).alias("is_form"),
    )


def _serial(is_1904: bool) -> pl.Expr:
    """Excel's number of a day: five digits, with or without the time of day."""
    number = pl.col("_t").str.extract(r"^(\d{5})(?:\.\d+)?$").cast(pl.Int64, strict=False)
    in_range = number.is_between(_FIRST_SERIAL, _LAST_SERIAL)
    days = number + (_1904_DAYS if is_1904 else 0)
    day = pl.when(in_range).then((pl.lit(date(1899, 12, 30)) + pl.duration(days=days)).cast(pl.Date))
    return pl.when(in_range).then(
        pl.struct(
            day.alias("earliest"),
            day.alias("latest"),
            pl.lit("day").alias("precision"),
            pl.lit(True).alias("is_form"),
        )
    )


def _read_date(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    if options.codes:
        own = {_key_of(code): meaning for code, meaning in options.codes.items()}
        given = key(pl.col("cell")).replace_strict(own, default=pl.col("cell"), return_dtype=pl.String)
        cells = cells.with_columns(given.alias("cell"))
    plain = _plain(pl.col("cell"))
    day = pl.coalesce(_split_time(plain).struct.field("date"), plain).str.strip_chars(" ,")
    read = _date_columns(cells, day, options)
    return read.with_columns(
        pl.col("earliest").alias(f"{field.name}_earliest"),
        pl.col("latest").alias(f"{field.name}_latest"),
        pl.col("precision").alias(f"{field.name}_precision"),
        pl.col("cell").alias(f"{field.name}_text"),
    )


def _read_timestamp(cells: pl.DataFrame, field: Field, options: Options) -> pl.DataFrame:
    """A day and a time; a day alone is its midnight, as a spreadsheet shows midnight."""
    plain = _plain(pl.col("cell"))
    cells = cells.with_columns(
        _split_time(plain).struct.rename_fields(["td", "th", "tm", "ts", "ap"]).alias("parts")
    )
    cells = cells.unnest("parts")
    read = _date_columns(cells, pl.coalesce("td", plain).str.strip_chars(" ,"), options)
    hour, minute, second = (pl.col(name).cast(pl.Int64, strict=False) for name in ("th", "tm", "ts"))
    is_pm, is_am = pl.col("ap").str.starts_with("p"), pl.col("ap").str.starts_with("a")
    hour = pl.when(is_pm & (hour < 12)).then(hour + 12).when(is_am & (hour == 12)).then(0).otherwise(hour)
    in_range = (hour < 24) & (minute < 60) & (second.fill_null(0) < 60)
    time = pl.duration(hours=hour.fill_null(0), minutes=minute.fill_null(0), seconds=second.fill_null(0))
    # An unformatted moment of a spreadsheet: days since 1899-12-30 with the time as their fraction.
    seconds = plain.str.extract(r"^\d{5}(\.\d+)$").cast(pl.Float64, strict=False) * 86_400
    time = time + pl.duration(seconds=seconds.round().cast(pl.Int64).fill_null(0))
    is_whole = (pl.col("precision") == "day") & (pl.col("td").is_null() | in_range)
    value = pl.when(is_whole).then(pl.col("earliest").cast(pl.Datetime("us")) + time)
    own = pl.col("rule").replace_strict({"bad_date": "bad_timestamp"}, default=pl.col("rule"))
    rule = (
        pl.when(pl.col("cell").is_not_null() & own.is_null() & value.is_null())
        .then(pl.lit("bad_timestamp"))
        .otherwise(own)
    )
    return read.with_columns(value.alias(field.name), rule.alias("rule"))


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
