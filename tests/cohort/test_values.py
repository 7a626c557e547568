"""Text to values: what is read, how surely, and what is refused rather than guessed."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cohort import schemas, values, words, workbook
from pipeline.cohort.values import Options

FIELDS = {(table, field.name): field for table, fields in schemas.TABLES.items() for field in fields}
ONSET = FIELDS["patients", "onset_date"]
EDSS = FIELDS["edss", "edss"]
VALUE = FIELDS["laboratory", "value"]
TODAY = date(2026, 11, 20)


def convert(
    field: schemas.Field, *cells: str | None, kinds: list[str] | None = None, **options: Any
) -> values.Converted:
    kind = None if kinds is None else pl.Series(kinds, dtype=workbook.KIND)
    return values.convert(pl.Series(cells, dtype=pl.String), field, Options(**options), kind)


def one_date(text: str, **options: Any) -> tuple[date | None, date | None, str | None, str | None]:
    found = convert(ONSET, text, **options)
    earliest, latest, precision, written = (column.item() for column in found.columns)
    assert (written is None) == (earliest is None)
    return earliest, latest, precision, found.rule.item()


def refused(text: str, **options: Any) -> str | None:
    earliest, latest, precision, rule = one_date(text, **options)
    assert (earliest, latest, precision) == (None, None, None)
    return rule


# --- dates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2014-03-12",
        "2014/3/12",
        "2014.03.12",
        "20140312",
        "2014-03-12 00:00:00",
        "2014-03-12T09:30:00Z",
        "2014-03-12 14:05:59.123+01:00",
        "12-Mar-14",
        "12 Mar 2014",
        "12MAR2014",
        "12.Mär.2014",
        "12. März 2014",
        "12 mars 2014",
        "12 de marzo de 2014",
        "12 marzo 2014",
        "12 marca 2014",
        "12 de março de 2014",
        "12 марта 2014",
        "12th March 2014",
        "March 12, 2014",
        "2014-Mar-12",
        "41710",
        "41710.75",
        "  12-Mar-2014\u00a0",
    ],
)  # fmt: skip
def test_days_that_can_be_read_one_way(text: str) -> None:
    day = date(2014, 3, 12)
    assert one_date(text, today=TODAY) == (day, day, "day", None)


@pytest.mark.parametrize(
    ("text", "precision", "earliest", "latest"),
    [
        ("2014", "year", date(2014, 1, 1), date(2014, 12, 31)),
        ("2014.0", "year", date(2014, 1, 1), date(2014, 12, 31)),
        ("2014-02", "month", date(2014, 2, 1), date(2014, 2, 28)),
        ("2012/2", "month", date(2012, 2, 1), date(2012, 2, 29)),
        ("03/2014", "month", date(2014, 3, 1), date(2014, 3, 31)),
        ("7/2010", "month", date(2010, 7, 1), date(2010, 7, 31)),
        ("12.2014", "month", date(2014, 12, 1), date(2014, 12, 31)),
        ("Mar 2014", "month", date(2014, 3, 1), date(2014, 3, 31)),
        ("Mär-14", "month", date(2014, 3, 1), date(2014, 3, 31)),
        ("grudzień 1998", "month", date(1998, 12, 1), date(1998, 12, 31)),
        ("2014-03-00", "month", date(2014, 3, 1), date(2014, 3, 31)),
        ("2014-00-00", "year", date(2014, 1, 1), date(2014, 12, 31)),
        ("00/03/2014", "month", date(2014, 3, 1), date(2014, 3, 31)),
        ("XX.XX.2014", "year", date(2014, 1, 1), date(2014, 12, 31)),
        ("UNK-Mar-2014", "month", date(2014, 3, 1), date(2014, 3, 31)),
        ("??/??/2014", "year", date(2014, 1, 1), date(2014, 12, 31)),
    ],
)
def test_partial_dates_keep_their_precision(text: str, precision: str, earliest: date, latest: date) -> None:
    assert one_date(text, today=TODAY) == (earliest, latest, precision, None)


def test_the_declared_order_decides_and_is_held_to() -> None:
    assert one_date("03/04/2014", date_order="dmy")[0] == date(2014, 4, 3)
    assert one_date("03/04/2014", date_order="mdy")[0] == date(2014, 3, 4)
    assert one_date("03.04.14", date_order="dmy", today=TODAY)[0] == date(2014, 4, 3)
    assert one_date("14-04-03", date_order="ymd", today=TODAY)[0] == date(2014, 4, 3)
    # Not silently swapped: the declaration or the cell is wrong, and a person has to say which.
    assert refused("03/25/2014", date_order="dmy") == "impossible_date"
    assert refused("25/03/2014", date_order="mdy") == "impossible_date"
    # ISO dates mean what they say whatever is declared.
    for order in ("dmy", "mdy", "ymd", None):
        assert one_date("2014-04-03", date_order=order)[0] == date(2014, 4, 3)


@pytest.mark.parametrize("text", ["03/04/2014", "3.4.2014", "03-04-2014", "03/04/14", "31-03-22", "01.02.03"])
def test_an_undeclared_order_is_refused(text: str) -> None:
    assert refused(text, today=TODAY) == "ambiguous_date"


@pytest.mark.parametrize(
    ("text", "day"),
    [("25/03/2014", date(2014, 3, 25)), ("03/25/2014", date(2014, 3, 25)), ("04.04.2014", date(2014, 4, 4)),
     ("31/12/99", date(1999, 12, 31))],
)  # fmt: skip
def test_an_undeclared_order_that_cannot_be_two_is_read(text: str, day: date) -> None:
    assert one_date(text, today=TODAY)[0] == day


@pytest.mark.parametrize(
    "text", ["31.02.2014", "29/02/2013", "2014-13-01", "2014-02-30", "0214-03-02", "1214-03-02", "32/01/2014", "20141332"]
)  # fmt: skip
def test_days_that_do_not_exist(text: str) -> None:
    assert refused(text, date_order="dmy") == "impossible_date"


@pytest.mark.parametrize(
    "text",
    ["soon", "12 Foo 2014", "10.9.", "99", "3", "2014?", "ca. 2014", "2014/2015", "spring 2014", "12:30", "true",
     "2014-03-12-01", "1.5", "123456", "März", "-2014", "2014 03 12 foo", "09999", "2014.5", "٠٣/2014", "99999"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert refused(text, date_order="dmy") == "bad_date"


def test_the_future_is_refused_against_the_day_of_delivery() -> None:
    assert one_date("2026-11-20", today=TODAY)[3] is None
    assert refused("2026-11-21", today=TODAY) == "future_date"
    assert refused("12/2026", today=TODAY) == "future_date"
    assert one_date("11/2026", today=TODAY)[2] == "month"  # it may lie in the past
    assert one_date("2026", today=TODAY)[2] == "year"
    assert one_date("2199-01-01")[3] is None  # not judged without a day to judge by


def test_years_of_two_digits_by_a_pivot() -> None:
    assert one_date("12-Mar-26", today=TODAY)[0] == date(2026, 3, 12)
    assert one_date("12-Mar-27", today=TODAY)[0] == date(1927, 3, 12)
    assert one_date("12-Mar-45", today=TODAY)[0] == date(1945, 3, 12)
    assert one_date("12-Mar-14", today=TODAY, two_digit_pivot=10)[0] == date(1914, 3, 12)
    assert one_date("12-Mar-68")[0] == date(2068, 3, 12)
    assert one_date("12-Mar-69")[0] == date(1969, 3, 12)


def test_excel_days_of_both_systems() -> None:
    assert one_date("41710")[0] == date(2014, 3, 12)
    assert one_date("40248", is_1904=True)[0] == date(2014, 3, 12)
    assert one_date("10000")[0] == date(1927, 5, 18)


def test_months_of_all_languages_are_in_order() -> None:
    found = convert(ONSET, *(f"7 {word} 2014" for word in words.MONTHS))
    assert found.columns[0].to_list() == [date(2014, number, 7) for number in words.MONTHS.values()]


@given(
    st.lists(st.dates(date(1900, 1, 1), date(2099, 12, 31)), min_size=1, max_size=30),
    st.sampled_from(["dmy", "mdy"]),
    st.sampled_from("-/."),
)
@settings(max_examples=30, deadline=None)
def test_every_day_comes_back(days: list[date], order: str, separator: str) -> None:
    form = {"dmy": "%d{0}%m{0}%Y", "mdy": "%m{0}%d{0}%Y"}[order].format(separator)
    for written in (form, "%Y-%m-%d", "%Y%m%d", "%d %B %Y", "%Y-%m-%d 00:00"):
        found = convert(ONSET, *(day.strftime(written) for day in days), date_order=order)
        assert found.columns[0].to_list() == days
        assert found.rule.null_count() == len(days)


def test_every_month_comes_back() -> None:
    months = [(year, month) for year in range(1900, 2100, 7) for month in range(1, 13)]
    for written in ("{0}-{1:02}", "{1}/{0}", "{2} {0}"):
        found = convert(ONSET, *(written.format(y, m, calendar.month_name[m]) for y, m in months))
        assert found.columns[0].to_list() == [date(y, m, 1) for y, m in months]
        assert found.columns[1].to_list() == [date(y, m, calendar.monthrange(y, m)[1]) for y, m in months]
        assert set(found.columns[2]) == {"month"}


@given(
    st.lists(st.text(max_size=20) | st.from_regex(r"\A[0-9./\- ]{1,12}\Z"), min_size=1, max_size=60),
    st.sampled_from([None, "dmy", "mdy", "ymd"]),
)
@settings(max_examples=40, deadline=None)
def test_any_text_is_a_date_a_fault_or_missing(texts: list[str], order: str | None) -> None:
    found = convert(ONSET, *texts, date_order=order, today=TODAY)
    for *day, rule, is_missing in zip(*found.columns, found.rule, found.is_missing, strict=True):
        earliest, latest, precision, written = day
        assert [earliest is not None, rule is not None, is_missing].count(True) == 1
        if earliest is not None:
            assert date(1880, 1, 1) <= earliest <= min(latest, TODAY)
            assert (latest - earliest).days in {"day": (0,), "month": range(27, 31), "year": (364, 365)}[
                precision
            ]
            assert written


# --- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "undeclared", "point", "comma"),
    [
        ("12", 12, 12, 12),
        ("12.0", 12, 12, 12),
        ("2,5", 2.5, 2.5, 2.5),
        ("2.5", 2.5, 2.5, 2.5),
        ("0,125", 0.125, 0.125, 0.125),
        ("1,234", None, 1234, 1.234),
        ("1.234", 1.234, 1.234, 1234),
        ("1.234,5", 1234.5, 1234.5, 1234.5),
        ("1,234.5", 1234.5, 1234.5, 1234.5),
        ("1.234.567", 1234567, 1234567, 1234567),
        ("1,234,567", 1234567, 1234567, 1234567),
        ("1 234,5", 1234.5, 1234.5, 1234.5),
        ("1\u202f234", 1234, 1234, 1234),
        ("3'000", 3000, 3000, 3000),
        ("'2,5", 2.5, 2.5, 2.5),
        ("-3", -3, -3, -3),
        ("\u22123,5", -3.5, -3.5, -3.5),
        ("+4", 4, 4, 4),
        (".5", 0.5, 0.5, 0.5),
        ("5.", 5, 5, 5),
        ("1e-05", 1e-05, 1e-05, 1e-05),
        ("１２", 12, 12, 12),
        ("1.2.3", None, None, None),
        ("12,34.5", None, None, None),
        ("12 5", None, None, None),
        ("2-3", None, None, None),
        ("2.5?", None, None, None),
        ("~2", None, None, None),
        ("2.5 to 3.0", None, None, None),
        ("abc", None, None, None),
        ("1/2", None, None, None),
        ("inf", None, None, None),
        ("0x10", None, None, None),
        ("2014-05-02", None, None, None),
    ],
)
def test_numbers_with_points_commas_and_thousands(
    text: str, undeclared: float | None, point: float | None, comma: float | None
) -> None:
    for declared, expected in ((None, undeclared), (".", point), (",", comma)):
        found = convert(VALUE, text, decimal=declared)
        assert found.columns[0].item() == expected, declared
        assert found.rule.item() == (None if expected is not None else "bad_number")


def test_a_number_cell_is_a_number_whatever_is_declared() -> None:
    found = convert(VALUE, "1.234", "1.234", kinds=["number", "text"], decimal=",")
    assert found.columns[0].to_list() == [1.234, 1234]


def test_comparators_are_kept_or_refused() -> None:
    cells = ("<0.1", "≥ 3", "=<2,5 mg/l", "> 1", "=7", "0.1")
    kept = convert(VALUE, *cells, keeps_comparator=True)
    assert kept.columns[0].to_list() == [0.1, 3, 2.5, 1, 7, 0.1]
    assert kept.comparator.to_list() == ["<", ">=", "<=", ">", None, None]
    assert kept.unit.to_list() == [None, None, "mg/l", None, None, None]
    refused = convert(VALUE, *cells)
    assert refused.rule.to_list() == ["bad_number"] * 4 + [None, None]
    assert convert(EDSS, "<3").rule.item() == "bad_number"


def test_a_concentration_below_the_limit_is_a_result() -> None:
    cells = ("12.5", "BLQ", "< LLOQ", "<0.1", ">100", "n.d.", "0.2 ng/ml")
    found = convert(FIELDS["pk_samples", "concentration"], *cells, keeps_comparator=True)
    assert found.columns[0].to_list() == [12.5, 0, 0, 0.1, None, None, 0.2]
    assert found.comparator.to_list() == [None, "<", "<", "<", None, None, None]
    assert found.rule.to_list() == [None] * 4 + ["bad_number", None, None]
    assert convert(EDSS, "BLQ").rule.item() == "bad_number"


def test_a_number_that_the_spreadsheet_made_a_date_of() -> None:
    found = convert(
        EDSS, "2014-05-02", "2.5", kinds=["date", "text"]
    )  # 2.5 typed where 2.5 is the second of May
    assert found.columns[0].to_list() == [None, 2.5]
    assert found.rule.to_list() == ["number_became_date", None]


def test_units_of_a_field_are_converted_and_others_refused() -> None:
    dose = convert(
        FIELDS["infusions", "dose_mg"], "12 mg", "12mg", "1 g", "500 µg", "0,012 g", "12 ml", "12 %"
    )
    assert dose.columns[0].to_list() == [12, 12, 1000, 0.5, 12, None, None]
    assert dose.rule.to_list() == [None] * 5 + ["wrong_unit"] * 2
    time = convert(FIELDS["pk_samples", "time_h"], "2 h", "30 min", "2 days", "1,5")
    assert time.columns[0].to_list() == [2, 0.5, 48, 1.5]
    free = convert(FIELDS["treatments", "dose"], "44 µg", "1.2 x10^9/l", "3 pills")
    assert free.columns[0].to_list() == [44, 1.2, None]
    assert free.unit.to_list() == ["μg", "x10^9/l", None]


def test_whole_numbers_and_ranges() -> None:
    found = convert(FIELDS["edss", "fs_visual"], "3", "3.0", "2,0", "3.5", "-1", "7", "6")
    assert found.columns[0].to_list() == [3, 3, 2, None, None, None, 6]
    assert found.columns[0].dtype == pl.Int64
    assert found.rule.to_list() == [None] * 3 + ["not_whole", "out_of_range", "out_of_range", None]


def test_edss_steps() -> None:
    steps = ["0", *(str(half / 2) for half in range(2, 21))]
    found = convert(EDSS, *steps)
    assert found.columns[0].to_list() == [0.0, *(half / 2 for half in range(2, 21))]
    assert found.rule.null_count() == found.warning.null_count() == len(steps)
    odd = convert(
        EDSS, "0.5", "0,5", "2.3", "2.25", "10.5", "-1", "11", "6,50", "4.0 points", "2.49999999999"
    )
    assert odd.columns[0].to_list() == [0.5, 0.5, None, None, None, None, None, 6.5, 4.0, 2.5]
    assert odd.rule.to_list() == [None] * 2 + ["edss_step"] * 2 + ["out_of_range"] * 3 + [None] * 3
    assert odd.warning.to_list() == ["edss_half"] * 2 + [None] * 8


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-(10**12), 10**12),
        min_size=1,
    )
)
@settings(max_examples=30, deadline=None)
def test_every_number_comes_back(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    for cells, kind in ((texts, "number"), ([text.replace(".", ",") for text in texts], "text")):
        found = convert(VALUE, *cells, kinds=[kind] * len(cells), decimal=",")
        assert found.columns[0].to_list() == pytest.approx(numbers, rel=1e-12)


@given(
    st.lists(st.text(alphabet="0123456789.,-+<>= e'µgml/%", max_size=12), min_size=1, max_size=60),
    st.sampled_from([None, ".", ","]),
)
@settings(max_examples=25, deadline=None)
def test_any_text_is_a_number_a_fault_or_missing(texts: list[str], decimal: str | None) -> None:
    for field in (VALUE, EDSS, FIELDS["edss", "fs_visual"], FIELDS["infusions", "dose_mg"]):
        found = convert(field, *texts, decimal=decimal)
        is_read, is_bad = found.columns[0].is_not_null(), found.rule.is_not_null()
        sums = is_read.cast(pl.Int8) + is_bad.cast(pl.Int8) + found.is_missing.cast(pl.Int8)
        assert (sums == 1).all()
        assert found.comparator.null_count() == len(texts)


# --- codes, yes and no, text ------------------------------------------------------------------------------


def test_every_word_leads_to_a_code_of_its_field() -> None:
    by_name: dict[str, set[str]] = {}
    for field in FIELDS.values():
        by_name.setdefault(field.name, set()).update(field.codes)
    for name, synonyms in words.CODES.items():
        assert set(synonyms.values()) <= by_name[name], name
        for word in synonyms:
            key = pl.select(values.key(pl.lit(word))).item()
            assert key == word or synonyms.get(key) == synonyms[word], (name, word, key)


@pytest.mark.parametrize(
    ("field", "cells", "code"),
    [
        (("patients", "sex"), ["F", "female", "Weiblich", "FEMENINO", "kobieta", "Ж", "fém."], "female"),
        (("patients", "sex"), ["m", "Male", "männlich", "hombre", "Mężczyzna"], "male"),
        (("patients", "sex"), ["U", "unknown", "unbekannt"], "unknown"),
        (("patients", "course"), ["RR", "RRMS", "relapsing-remitting", "remitting_relapsing", "schubförmig-remittierend",
                                  "Rémittente", "rzutowo-remisyjna"], "RR"),
        (("patients", "course"), ["SPMS", "Secondary Progressive", "sekundär progredient", "SP-NR"], "SP"),
        (("patients", "course"), ["cis", "Clinically isolated syndrome"], "CIS"),
        (("treatments", "stop_reason"), ["Lack of efficacy", "Therapieversagen", "relapses"], "inefficacy"),
        (("treatments", "stop_reason"), ["Kinderwunsch", "ciąża", "Pregnancy"], "pregnancy"),
        (("mri_scans", "region"), ["BRAIN", "Schädel", "cerebral"], "brain"),
        (("mri_scans", "region"), ["WHOLE_SPINAL_CORD", "Spinal cord"], "whole_spinal_cord"),
        (("assessments", "instrument"), ["25-foot walk", "T25FW", "Timed 25-Foot Walk"], "T25FW"),
        (("assessments", "instrument"), ["Neuro-QoL", "NeuroQoL"], "NeuroQoL"),
        (("laboratory", "comparator"), ["<", "less than"], "<"),
        (("laboratory", "comparator"), ["<=", "≤"], "<="),
        (("medical_history", "category"), ["HBV", "Hepatitis B"], "hepatitis_b"),
        (("medical_history", "status"), ["yes", "positive", "ja"], "present"),
    ],
)  # fmt: skip
def test_codes_in_several_languages(field: tuple[str, str], cells: list[str], code: str) -> None:
    found = convert(FIELDS[field], *cells)
    assert found.columns[0].to_list() == [code] * len(cells)
    assert found.rule.null_count() == len(cells)


def test_codes_that_only_the_clinic_can_explain() -> None:
    sex = FIELDS["patients", "sex"]
    assert convert(sex, "1", "2", "h").rule.to_list() == ["unknown_code"] * 3
    found = convert(
        sex, "1", "2.0", "9", "m", codes={"1": "male", "2": "weiblich", "9": "unknown", "m": "female"}
    )
    assert found.columns[0].to_list() == ["male", "female", "unknown", "female"]
    # A code list that leads nowhere does not invent a code.
    assert convert(sex, "1", codes={"1": "martian"}).rule.item() == "unknown_code"
    history = convert(FIELDS["relapses", "steroids"], "1", "2", "-", codes={"1": "no", "2": "yes", "-": "no"})
    assert history.columns[0].to_list() == [False, True, False]


def test_yes_and_no() -> None:
    steroids = FIELDS["relapses", "steroids"]
    yes = ("yes", "Y", "TRUE", "1", "1.0", "ja", "oui", "sí", "tak", "да", "x", "✓", "+", "vorhanden")
    no = ("no", "N", "false", "0", "Nein", "non", "nie", "нет", "absent")
    assert convert(steroids, *yes).columns[0].to_list() == [True] * len(yes)
    assert convert(steroids, *no).columns[0].to_list() == [False] * len(no)
    assert convert(steroids, "maybe", "2", "10", "o").rule.to_list() == ["bad_boolean"] * 4


def test_what_means_not_known() -> None:
    cells = (
        None,
        "",
        "  ",
        "N/A",
        "n.a.",
        "?",
        "-",
        "—",
        ".",
        "NaN",
        "\u00a0",
        "keine Angabe",
        "brak danych",
    )
    for field in (
        ONSET,
        EDSS,
        FIELDS["patients", "sex"],
        FIELDS["treatments", "drug"],
        FIELDS["relapses", "steroids"],
    ):
        found = convert(field, *cells)
        assert found.is_missing.all(), field.name
        assert found.rule.null_count() == len(cells), field.name
    own = convert(EDSS, "99", "99.0", "-1", "9", missing=("99", "-1"))
    assert own.is_missing.to_list() == [True, True, True, False]
    # "unknown" is a code where the field has one, a gap where it holds dates or numbers, a text elsewhere.
    assert convert(FIELDS["patients", "sex"], "unknown").columns[0].item() == "unknown"
    assert convert(ONSET, "unknown").is_missing.item()
    assert convert(FIELDS["treatments", "drug"], "unknown").columns[0].item() == "unknown"


def test_dates_that_databases_and_forms_leave_empty() -> None:
    cells = ("0000-00-00", "00/00/0000", "__/__/____", "dd/mm/yyyy", "0000-00-00 00:00:00")
    assert convert(ONSET, *cells).is_missing.all()
    end = convert(FIELDS["treatments", "end_date"], "ongoing", "Laufend", "en cours", "2014")
    assert end.is_missing.to_list() == [True, True, True, False]
    # Only an end can go on.
    assert refused("ongoing") == "bad_date"


def test_errors_of_the_spreadsheet_are_no_gaps() -> None:
    for field in FIELDS.values():
        found = convert(field, "#REF!", "#N/A", "what", kinds=["error", "text", "error"])
        assert found.rule.to_list() == ["error_cell"] * 3, field.name
        assert not found.is_missing.any()


def test_text_loses_blanks_and_controls_alone() -> None:
    drug = FIELDS["treatments", "drug"]
    found = convert(drug, "  Rebif \n 44\tµg ", "=cmd()", "<b>x</b>")
    assert found.columns[0].to_list() == ["Rebif 44 µg", "=cmd()", "<b>x</b>"]
    assert values.cleaned(pl.lit("x")) is not None
    frame = pl.DataFrame({"a": [" x ", "?", None, "none", "99"]})
    assert frame.select(values.cleaned(pl.col("a"), ("99",)))["a"].to_list() == [
        "x",
        None,
        None,
        "none",
        None,
    ]


def test_moments() -> None:
    first = FIELDS["pk_samples", "first_dose_at"]
    found = convert(first, "2014-03-02 09:30", "02.03.2014 2:30 PM", "2014-03-02T23:59:59Z", "2014-03-02", "41700.5",
                    "2. März 2014, 12:15 am", date_order="dmy")  # fmt: skip
    assert found.columns[0].to_list() == [
        datetime(2014, 3, 2, 9, 30), datetime(2014, 3, 2, 14, 30), datetime(2014, 3, 2, 23, 59, 59),
        datetime(2014, 3, 2), datetime(2014, 3, 2, 12), datetime(2014, 3, 2, 0, 15),
    ]  # fmt: skip
    bad = convert(
        first, "2014-03", "2014-03-02 25:00", "noon", "03/04/2014 09:30", "2027-01-01 00:00", today=TODAY
    )
    assert bad.rule.to_list() == [
        "bad_timestamp",
        "bad_timestamp",
        "bad_timestamp",
        "ambiguous_date",
        "future_date",
    ]


# --- columns ----------------------------------------------------------------------------------------------


def test_columns_are_those_of_the_lake() -> None:
    for table, fields in schemas.TABLES.items():
        lake = schemas.lake_columns(table)
        for field in fields:
            for cells in (["x", None], [None, None], []):
                found = values.convert(pl.Series(cells, dtype=pl.String), field)
                for column in found.columns:
                    assert column.dtype == lake.get(column.name, pl.String())
                    assert column.len() == found.rule.len() == found.warning.len() == len(cells)


def test_order_and_repeats_survive() -> None:
    cells = ["2", "1", None, "2", "x", "1", "2"] * 50
    found = convert(VALUE, *cells)
    expected = {"2": 2.0, "1": 1.0}
    assert found.columns[0].to_list() == [expected.get(cell) for cell in cells]
    assert [rule == "bad_number" for rule in found.rule] == [cell == "x" for cell in cells]


@given(st.lists(st.text(max_size=10) | st.none(), max_size=20), st.sampled_from(sorted(FIELDS)))
@settings(max_examples=60, deadline=None)
def test_nothing_that_a_cell_holds_raises(cells: list[str | None], place: tuple[str, str]) -> None:
    found = values.convert(
        pl.Series(cells, dtype=pl.String), FIELDS[place], Options(today=TODAY, codes={"a": "b"})
    )
    assert found.rule.len() == len(cells)
    known = {"bad_date", "ambiguous_date", "impossible_date", "future_date", "bad_timestamp", "bad_number", "not_whole",
             "out_of_range", "edss_step", "number_became_date", "wrong_unit", "bad_boolean", "unknown_code", "error_cell"}  # fmt: skip
    assert set(found.rule.drop_nulls()) <= known
    assert set(found.warning.drop_nulls()) <= {"edss_half"}


def test_days_of_a_leap_year_in_a_row() -> None:
    days = [date(2011, 12, 1) + timedelta(days=n) for n in range(800)]
    found = convert(ONSET, *(day.strftime("%d.%m.%Y") for day in days), date_order="dmy")
    assert all(b - a == timedelta(days=1) for a, b in pairwise(found.columns[0]))


@pytest.mark.parametrize("text", ["female?", "f ?", "yes?", "?nein"])
def test_a_doubted_word_is_refused(text: str) -> None:
    spec = schemas.TABLES["patients"][1] if text.startswith("f") else schemas.TABLES["edss"][3]
    found = values.convert(pl.Series([text]), spec)
    assert found.rule.to_list() == ["unknown_code" if spec.codes else "bad_boolean"]
    assert found.columns[0].to_list() == [None]


def test_a_clinic_s_own_code_may_hold_a_question_mark() -> None:
    spec = schemas.TABLES["patients"][1]
    found = values.convert(pl.Series(["F?", "f"]), spec, values.Options(codes={"F?": "female"}))
    assert found.columns[0].to_list() == ["female", "female"]
    assert found.rule.null_count() == 2


@pytest.mark.parametrize(
    ("text", "value", "comparator"), [("1:40", 40, None), ("<1:10", 10, "<"), ("1 : 1280", 1280, None)]
)
def test_a_titre_is_its_denominator(text: str, value: float, comparator: str | None) -> None:
    spec = next(f for f in schemas.TABLES["laboratory"] if f.name == "value")
    found = values.convert(pl.Series([text]), spec, values.Options(keeps_comparator=True))
    assert found.columns[0].to_list() == [value]
    assert found.comparator.to_list() == [comparator]
    other = next(f for f in schemas.TABLES["edss"] if f.name == "edss")
    assert values.convert(pl.Series([text]), other).rule.to_list() == ["bad_number"]
