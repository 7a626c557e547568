"""Workbooks made from a good one by random damage: never a crash, the accounting adds up, no value leaks."""

from __future__ import annotations

import io
import tempfile
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.cohort import corrections, drafting, load, mapping, queries, records, schemas, validation
from pipeline.settings import CohortSettings
from tests.support.cohorts import KEY, SOUND, Clinic, adds_up, cells, table_csv

POISON = "Zq9Poison"


def good(table: str) -> list[list[object]]:
    """A header and eight sound rows (five patients) whose identifiers hold the known string."""
    rows = [{"patient_id": f"{POISON}{n % 5}"} | SOUND[table] for n in range(5 if table == "patients" else 8)]
    date = validation.main_date(table)
    if table != "patients" and date:
        rows = [row | {date: f"201{n}-01-04"} for n, row in enumerate(rows)]
    return cells(rows)


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
    other = draw(st.sampled_from([table for table in schemas.TABLES if table != "patients"]))
    sheets = [(name, good(name), []) for name in ("patients", other)]
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


def as_files(sheets, *, as_csv: bool, encoding: str) -> dict[str, bytes]:
    if not as_csv:
        return {f"{POISON}.xlsx": as_xlsx(sheets)}
    files = {}
    for number, (name, rows, _) in enumerate(sheets):
        stem = name.strip().replace("/", "_") or "x"
        name = f"{stem}{number if f'{stem}.csv' in files else ''}.csv"
        files[name] = table_csv([[*row] for row in rows]).encode(encoding, "replace")
    return files


def check_in_memory(sheets, *, as_csv: bool, encoding: str) -> None:
    """Reading, mapping, judging and the query list of one cohort; nothing is written."""
    files = as_files(sheets, as_csv=as_csv, encoding=encoding)
    at = datetime(2026, 1, 2)
    given = [load.Delivery(f"site-{n:04}", name, "", at) for n, name in enumerate(files, start=1)]
    cohort_map, limits = mapping.CohortMap(), CohortSettings()
    states, broken, absent = load.read_sheets(given, lambda d: files[d.name], cohort_map, limits)
    result = records.build(
        cohort="site", states=states, cohort_map=cohort_map, ledger=corrections.Ledger(()), key=KEY
    )
    messages = [reason for _, reason in broken] + absent
    messages += [message for _, message in load.too_many(result, states, cohort_map, limits)]
    messages += [state.plan.problem for state in states] + [state.label for state in states]
    assert POISON not in "\n".join(messages)
    listed = result.rejected_rows(states, "site")
    assert POISON not in listed.write_csv()
    for state in states:
        tally = load.tally(state, result)
        assert sum(tally) == state.rows_in
        assert min(tally) >= 0
        own = listed.filter(
            pl.col("delivery_id") == state.delivery.delivery_id, pl.col("sheet") == state.label
        )
        assert own["row_number"].n_unique() == tally[1]
    for table, frame in result.accepted.items():
        assert POISON not in frame.write_csv(), table
        assert frame.join(result.accepted["patients"], on="patient_id", how="anti").is_empty()
    # What the clinic gets can be written, whatever stands in it.
    queries._html(
        "x",
        [],
        queries.items(states, result),
        {s.key: (s.sheet.name, s.rows_in, *load.tally(s, result)) for s in states},
    )
    readable = {name: content for name, content in files.items() if name not in {d.name for d, _ in broken}}
    for name, content in readable.items():
        mapping.parse(drafting.draft({name: content}).text)


def check(sheets, *, as_csv: bool, encoding: str) -> None:
    """The same through landing, lake and private lists."""
    with tempfile.TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        for name, content in as_files(sheets, as_csv=as_csv, encoding=encoding).items():
            clinic.put("site", name, content)
        report = clinic.run()
        shown = "\n".join([*report.lines(), repr(report.problems), *map(repr, report.cohorts[0].checks)])
        assert "unexpected" not in shown, _error(clinic)
        assert adds_up(report)
        assert POISON not in shown
        for table in schemas.LAKE_TABLES:
            frame = clinic.table(table)
            assert POISON not in frame.write_csv(), table
            if table in schemas.TABLES:
                assert frame.join(clinic.table("patients"), on="patient_id", how="anti").is_empty()
        counted = clinic.table("deliveries").filter(pl.col("rows_rejected") > 0)
        assert counted.height == clinic.table("rejected_rows").select("delivery_id", "sheet").unique().height


def _error(clinic: Clinic) -> str:
    return "\n".join(path.read_text()[-3000:] for path in (clinic.private / "errors").glob("*"))


HARD = {
    "deadline": None,
    "phases": [Phase.explicit, Phase.generate],
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


CASES = (damaged(), st.booleans(), st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-8-sig"]))


@settings(max_examples=15, derandomize=True, **HARD)
@given(*CASES)
def test_damage(sheets, as_csv, encoding):
    check(sheets, as_csv=as_csv, encoding=encoding)


@settings(max_examples=15, derandomize=True, **HARD)
@given(*CASES)
def test_damage_in_memory(sheets, as_csv, encoding):
    check_in_memory(sheets, as_csv=as_csv, encoding=encoding)


@pytest.mark.long
@settings(max_examples=200, **HARD)
@given(*CASES)
def test_much_damage(sheets, as_csv, encoding):
    check(sheets, as_csv=as_csv, encoding=encoding)


@pytest.mark.long
@settings(max_examples=2000, **HARD)
@given(*CASES)
def test_much_damage_in_memory(sheets, as_csv, encoding):
    check_in_memory(sheets, as_csv=as_csv, encoding=encoding)
