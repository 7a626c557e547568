"""Workbooks made from a good one by random damage: never a crash, the accounting adds up, no value leaks."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.cohort import drafting, mapping
from tests.support.cohorts import Clinic, adds_up, table_csv

POISON = "Zq9Poison"
GOOD = {
    "patients": [
        ["patient_id", "sex", "birth_date", "onset_date", "course"],
        *[[f"{POISON}{n}", "female", "1980-01-01", "2005-03", "RR"] for n in range(5)],
    ],
    "edss": [
        ["patient_id", "visit_date", "edss", "in_relapse"],
        *[[f"{POISON}{n % 5}", f"201{n}-01-04", 2 + n / 2, "no"] for n in range(8)],
    ],
    "treatments": [
        ["patient_id", "drug", "start_date", "end_date"],
        *[[f"{POISON}{n}", "Avonex", f"201{n}-01-04", ""] for n in range(5)],
    ],
}
CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "=1+1", '=HYPERLINK("x")', "#REF!", "N/A", "?", "-", "2,5", "<0.1", "1/2/2014", "31.02.2014", "2014",
         "03/2014", 41000, 1e300, -5, 0.5, 2.3, True, "EXAMPLE", "Total", "ı́\u202e\u0000x", "x" * 5000, POISON,
         f"{POISON}@example.org", "'; drop table edss; --", "<script>alert(1)</script>", "patient_id", "\U0001f600"]
    ),
    st.text(max_size=12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-10**12, 10**12),
)  # fmt: skip
NAMES = st.sampled_from(
    ["edss", "EDSS ", "patients", "Sheet1", POISON, "Visits", "treatments", "codebook", "choices"]
)


@st.composite
def damaged(draw) -> list[tuple[str, list[list[object]], list[tuple[int, int, int, int]]]]:
    sheets = [(name, [list(row) for row in rows], []) for name, rows in GOOD.items()]
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(sheets) - 1))
        _, rows, merged = sheets[at]
        width = max((len(row) for row in rows), default=0)
        what = draw(st.sampled_from(range(10)))
        row = draw(st.integers(0, max(0, len(rows) - 1)))
        column = draw(st.integers(0, max(0, width - 1)))
        if what == 0 and rows and rows[row]:
            rows[row][min(column, len(rows[row]) - 1)] = draw(CELLS)
        elif what == 1:
            rows.insert(row, [])
        elif what == 2 and rows:
            rows.insert(draw(st.integers(0, len(rows))), list(rows[row]))
        elif what == 3 and rows:
            rows.pop(row)
        elif what == 4 and rows and rows[0]:
            rows[0][min(column, len(rows[0]) - 1)] = draw(CELLS)
        elif what == 5:
            for line in rows:
                line.insert(min(column, len(line)), draw(CELLS) if draw(st.booleans()) else "")
        elif what == 6:
            for line in rows:
                line[:] = line[::-1]
        elif what == 7:
            sheets[at] = (draw(NAMES), rows, merged)
        elif what == 8:
            sheets.append((draw(NAMES), [list(line) for line in rows], []))
        elif width > 1 and len(rows) > 1:
            merged.append((row, column, min(row + 1, len(rows) - 1), min(column + 1, width - 1)))
    return sheets


def as_xlsx(sheets) -> bytes:
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": True, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        taken: set[str] = set()
        for name, rows, merged in sheets:
            clean = name[:25]
            while clean.casefold() in taken:
                clean += "'2"[-1]
            taken.add(clean.casefold())
            sheet = book.add_worksheet(clean)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        value = value.replace("\x00", "")
                    if value not in ("", None):
                        sheet.write(number, column, value)
            ranges: list[tuple[int, int, int, int]] = []
            for r1, c1, r2, c2 in merged:
                overlaps = any(r1 <= d and c <= r2 and c1 <= f and e <= c2 for c, e, d, f in ranges)
                if (r1, c1) != (r2, c2) and not overlaps:
                    sheet.merge_range(r1, c1, r2, c2, POISON)
                    ranges.append((r1, c1, r2, c2))
    return out.getvalue()


def check(sheets, *, as_csv: bool, encoding: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        if as_csv:
            for number, (name, rows, _) in enumerate(sheets):
                stem = name.strip().replace("/", "_") or "x"
                text = table_csv([[*row] for row in rows]).encode(encoding, "replace")
                clinic.put("site", f"{stem}{number if stem not in GOOD else ''}.csv", text)
        else:
            clinic.put("site", f"{POISON}.xlsx", as_xlsx(sheets))
        report = clinic.run()
        for file in (clinic.inbox / "site").iterdir():
            if file.stat().st_size and not _is_broken(report):
                mapping.parse(drafting.draft_map(file).text)
        shown = "\n".join([*report.lines(), repr(report.problems), *map(repr, report.cohorts[0].checks)])
        assert "unexpected" not in shown, _error(clinic)
        assert adds_up(report)
        assert POISON not in shown
        for table in ("deliveries", "rejected_rows", "delivered_columns", "cohorts"):
            assert POISON not in clinic.table(table).write_csv()
        for table in GOOD:
            frame = clinic.table(table)
            hidden = frame.drop("drug") if table == "treatments" else frame
            assert POISON not in hidden.write_csv()
            assert frame.join(clinic.table("patients"), on="patient_id", how="anti").is_empty()
        counted = clinic.table("deliveries").filter(pl.col("rows_rejected") > 0)
        assert counted.height == clinic.table("rejected_rows").select("delivery_id", "sheet").unique().height


def _is_broken(report) -> bool:
    return "unreadable file" in report.cohorts[0].deliveries["sheet"].to_list()


def _error(clinic: Clinic) -> str:
    return "\n".join(path.read_text()[-3000:] for path in (clinic.private / "errors").glob("*"))


HARD = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


@settings(max_examples=15, derandomize=True, **HARD)
@given(damaged(), st.booleans(), st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-8-sig"]))
def test_damage(sheets, as_csv, encoding):
    check(sheets, as_csv=as_csv, encoding=encoding)


@pytest.mark.long
@settings(max_examples=2000, **HARD)
@given(damaged(), st.booleans(), st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-8-sig"]))
def test_much_damage(sheets, as_csv, encoding):
    check(sheets, as_csv=as_csv, encoding=encoding)
