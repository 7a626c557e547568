"""What the clinic is asked to correct: query lists with values, below `private/` alone; and `remit check`.

Everything in here may hold values, sheet names and headers, so it is written 0600 and never logged. Cells
become text in xlsx and escaped text in HTML: no formula, no link, no markup.
"""

from __future__ import annotations

import csv
import hashlib
import html
import io
import os
import secrets
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from pipeline.cohort import corrections, mapping, pseudonyms, records, validation, workbook
from pipeline.errors import BrokenWorkbook, HomeError
from pipeline.settings import CohortSettings

XLSX_ROWS = 50_000  # more queries than a person will read; all of them stand in rejected/<cohort>.parquet
HTML_ROWS = 200  # of one rule in one sheet
_CSP = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2430}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .6rem;border-bottom:1px solid #d9dee6}"
    "th{background:#f2f4f8}h2{margin-top:2rem}td.c{font-family:ui-monospace,monospace;white-space:nowrap}"
    ".error{color:#a3161f}.warning{color:#8a5a00}"
)

ITEMS = {
    "sheet_key": pl.Int64(),
    "source_row": pl.Int64(),
    "cell": pl.String(),
    "table": pl.String(),
    "column": pl.String(),
    "rule": pl.String(),
    "level": pl.String(),
    "expected": pl.String(),
    "value": pl.String(),
    "cells": pl.Int64(),
}
# Rules about a word, not about a cell: each word is listed once, with its first cell.
_OF_WORDS = ("text_withheld", "unknown_drug", "drug_name_fuzzy")


def items(states: Sequence[Any], result: records.Result) -> pl.DataFrame:
    """One row a cell and rule, with the value that stands there; one row a word where a rule is about words. Private.

    Columns as `ITEMS`. `corrected`, `not_delivered` and `cohort_stopped` ask nobody for anything.
    """
    silent = ["corrected", "not_delivered", "cohort_stopped", "patient_derived"]
    wanted = result.faults.filter(~pl.col("rule").is_in(silent))
    found: list[pl.DataFrame] = [pl.DataFrame(schema=ITEMS)]
    by_table = {name[0]: frame for name, frame in wanted.partition_by("table", as_dict=True).items()}
    for part in result.parts:
        faults = by_table.get(part.plan.table)
        if faults is None:
            continue
        here = faults.join(part.text.select("record", "source_row"), on="record", how="inner")
        for (column,), rows in here.partition_by("column", as_dict=True).items():
            source = part.plan.sources.get(column)
            letter = source.letter if source else None
            name = "_original" if column == "patient_id" else column
            if name in part.text.columns:
                rows = rows.join(part.text.select("record", pl.col(name).alias("value")), on="record")
            else:
                rows = rows.with_columns(value=pl.lit(None, dtype=pl.String))
            cell = (
                pl.format("{}{}", pl.lit(letter), "source_row")
                if letter
                else pl.format("row {}", "source_row")
            )
            found.append(
                rows.select(
                    pl.lit(part.sheet_key, dtype=pl.Int64).alias("sheet_key"),
                    "source_row",
                    cell.alias("cell"),
                    "table",
                    "column",
                    "rule",
                    "level",
                    pl.lit(None, dtype=pl.String).alias("expected"),
                    "value",
                    pl.lit(1, dtype=pl.Int64).alias("cells"),
                )
            )
    listed = pl.concat(found).unique(
        subset=["sheet_key", "cell", "rule", "column"], keep="first", maintain_order=True
    )
    is_word = pl.col("rule").is_in(list(_OF_WORDS))
    words = (
        listed.filter(is_word)
        .sort("source_row", maintain_order=True)
        .group_by("sheet_key", "table", "column", "rule", "value", maintain_order=True)
        .agg(pl.exclude("cells").first(), pl.col("cells").sum())
        .with_columns(
            pl.when(pl.col("cells") > 1)
            .then(pl.format("{} and {} more", "cell", pl.col("cells") - 1))
            .otherwise("cell")
            .alias("cell")
        )
    )
    listed = pl.concat([listed.filter(~is_word), words.select(listed.columns)])
    kinds = listed.select("table", "column", "rule").unique()
    texts = [validation.expected(rule, table, column) for table, column, rule in kinds.iter_rows()]
    kinds = kinds.with_columns(expected=pl.Series(texts, dtype=pl.String))
    return (
        listed.drop("expected")
        .join(kinds, on=["table", "column", "rule"], how="left", nulls_equal=True)
        .select(list(ITEMS))
        .sort("sheet_key", "level", "rule", "source_row", "cell")
    )


def write(
    private: Path,
    cohort: str,
    states: Sequence[Any],
    broken: Sequence[tuple[Any, str]],
    result: records.Result,
    problems: Sequence[Any],
) -> None:
    """`queries/<cohort>/<delivery_id>.{xlsx,html}` for each delivery, and all rejected rows with values.

    Lists of deliveries that are no longer in force are removed.
    """
    from pipeline.cohort.load import tally

    folder = _folder(_folder(private / "queries") / cohort)
    listed = items(states, result)
    ids = {state.delivery.delivery_id: state.delivery for state in states}
    ids |= {delivery.delivery_id: delivery for delivery, _ in broken}
    for old in folder.iterdir():
        if old.suffix in (".xlsx", ".html") and old.stem not in ids:
            old.unlink()
    general = [str(p.message) for p in problems if p.delivery_id is None]
    by_sheet = {key[0]: frame for key, frame in listed.partition_by("sheet_key", as_dict=True).items()}
    for delivery_id, delivery in ids.items():
        own = [state for state in states if state.delivery.delivery_id == delivery_id]
        notes = list(general)
        notes += [f"{s.sheet.name}: {s.plan.named_problem}" for s in own if s.plan.named_problem]
        notes += [reason for d, reason in broken if d.delivery_id == delivery_id]
        notes += [
            p.message
            for p in problems
            if p.delivery_id == delivery_id and not any(s.plan.problem and s.plan.problem in p.message for s in own)
            and p.message not in notes
        ]  # fmt: skip
        frames = [by_sheet[s.key] for s in own if s.key in by_sheet]
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=ITEMS)
        sheets = {s.key: (s.sheet.name, s.rows_in, *tally(s, result)) for s in own}
        title = f"{delivery_id} – {delivery.name}"
        write_private(folder / f"{delivery_id}.xlsx", _xlsx(title, notes, frame, sheets))
        write_private(folder / f"{delivery_id}.html", _html(title, notes, frame, sheets).encode())
    _write_rejected(private, cohort, states, result)


def _write_rejected(private: Path, cohort: str, states: Sequence[Any], result: records.Result) -> None:
    """Every rejected row of this cohort with its cells as text."""
    keys = result._rejected_keys()
    rows = []
    for state in states:
        own = keys.filter(pl.col("sheet_key") == state.key)["source_row"]
        if not len(own):
            continue
        cells = [name for name in state.sheet.cells.columns if name != "row"]
        rows.append(
            state.sheet.cells.filter(pl.col("row").is_in(own.implode())).select(
                pl.lit(state.delivery.delivery_id).alias("delivery_id"),
                pl.lit(state.sheet.name).alias("sheet"),
                pl.col("row").cast(pl.Int64).alias("row_number"),
                pl.concat_list(cells).cast(pl.List(pl.String)).alias("cells"),
            )
        )
    schema = {
        "delivery_id": pl.String,
        "sheet": pl.String,
        "row_number": pl.Int64,
        "cells": pl.List(pl.String),
    }
    buffer = io.BytesIO()
    (pl.concat(rows) if rows else pl.DataFrame(schema=schema)).write_parquet(buffer)
    write_private(_folder(private / "rejected") / f"{cohort}.parquet", buffer.getvalue())


def write_withheld(private: Path, cohort: str, withheld: pl.DataFrame) -> None:
    """`withheld/<cohort>.xlsx`: which text stands behind each code that is published in its place."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        bold = book.add_format({"bold": True, "bg_color": "#F2F4F8"})
        sheet = book.add_worksheet("withheld texts")
        sheet.set_column(0, 3, 28)
        heads = ("table", "column", "published as", "what the clinic wrote", "rows")
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        sheet.freeze_panes(1, 0)
        for line, (*texts, rows) in enumerate(withheld.head(XLSX_ROWS).iter_rows(), start=1):
            for column, text in enumerate(texts):
                sheet.write_string(line, column, text)
            sheet.write_number(line, len(texts), rows)
    write_private(_folder(private / "withheld") / f"{cohort}.xlsx", buffer.getvalue())


def remove_others(private: Path, cohorts: Collection[str]) -> None:
    """Delete lists and rejected rows of cohorts that are no longer in the inbox: landing keeps their files."""
    for folder in _listing(private / "queries"):
        if folder.is_dir() and folder.name not in cohorts:
            shutil.rmtree(folder, ignore_errors=True)
    for file in (*_listing(private / "rejected"), *_listing(private / "withheld")):
        if file.stem not in cohorts:
            file.unlink(missing_ok=True)


def _listing(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def write_register(private: Path, register: Sequence[dict[str, Any]]) -> None:
    """`deliveries.csv`: delivery number, file name, hash and time of all files ever received."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["delivery_id", "file_name", "file_sha256", "received_at"])
    writer.writeheader()
    writer.writerows(register)
    write_private(_folder(private) / "deliveries.csv", text.getvalue().encode())


def write_private(path: Path, content: bytes) -> None:
    """A file that its owner alone can read; it appears whole, by rename."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(partial, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
            out.write(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise HomeError(
            f"cannot write below private/ ({error.strerror}): free some space under REMIT_HOME and run again."
        ) from None


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise HomeError(
            f"cannot write below private/ ({error.strerror}): check the rights of REMIT_HOME."
        ) from None
    return path


def _counts(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.group_by("sheet_key", "column", "rule", "level", "expected", maintain_order=True)
        .agg(pl.col("cells").sum().alias("count"))
        .sort("level", "count", descending=[False, True], maintain_order=True)
    )


# Of each sheet: name, rows in, accepted, rejected, not data.
Sheets = Mapping[int, tuple[str, int, int, int, int]]
_SHEET_HEADS = ("sheet", "rows", "accepted", "rejected", "not data")


def _xlsx(title: str, notes: list[str], frame: pl.DataFrame, sheets: Sheets) -> bytes:
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    # A fixed date: the same queries give the same bytes.
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        bold = book.add_format({"bold": True, "bg_color": "#F2F4F8"})
        summary = book.add_worksheet("summary")
        summary.set_column(0, 0, 28)
        summary.set_column(1, 5, 24)
        summary.write_string(0, 0, title[:32000], bold)
        row = 1
        for note in notes:
            summary.write_string(row, 0, note[:32000])
            row += 1
        for column, head in enumerate(_SHEET_HEADS):
            summary.write_string(row + 1, column, head, bold)
        for line, (name, *counts) in enumerate(sheets.values(), start=row + 2):
            summary.write_string(line, 0, name)
            for column, count in enumerate(counts, start=1):
                summary.write_number(line, column, count)
        row += len(sheets) + 2
        heads = ("sheet", "field", "rule", "level", "what is expected", "count")
        for column, head in enumerate(heads):
            summary.write_string(row + 1, column, head, bold)
        for line, entry in enumerate(_counts(frame).iter_rows(named=True), start=row + 2):
            texts = (
                sheets[entry["sheet_key"]][0],
                entry["column"],
                entry["rule"],
                entry["level"],
                entry["expected"],
            )
            for column, text in enumerate(texts):
                summary.write_string(line, column, text or "")
            summary.write_number(line, 5, entry["count"])
        sheet = book.add_worksheet("queries")
        heads = ("sheet", "cell", "field", "what stands there", "what is expected", "rule", "level")
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 6, 22)
        sheet.autofilter(0, 0, max(1, min(frame.height, XLSX_ROWS)), 6)
        for line, entry in enumerate(frame.head(XLSX_ROWS).iter_rows(named=True), start=1):
            texts = (
                sheets[entry["sheet_key"]][0], entry["cell"], entry["column"], entry["value"], entry["expected"],
                entry["rule"], entry["level"],
            )  # fmt: skip
            for column, text in enumerate(texts):
                sheet.write_string(line, column, (text or "")[:32000])
        if frame.height > XLSX_ROWS:
            sheet.write_string(XLSX_ROWS + 1, 0, f"… and {frame.height - XLSX_ROWS:,} more")
    return buffer.getvalue()


def _html(title: str, notes: list[str], frame: pl.DataFrame, sheets: Sheets) -> str:
    e = html.escape
    lines = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        f'<meta http-equiv="Content-Security-Policy" content="{_CSP}">',
        f"<title>{e(title)}</title><style>{_STYLE}</style></head><body><h1>{e(title)}</h1>",
        "<p>Private: this page holds patients' values. Correct the spreadsheet and deliver it again.</p>",
    ]
    if notes:
        lines.append("<ul>" + "".join(f"<li class=error>{e(note)}</li>" for note in notes) + "</ul>")
    if sheets:
        lines.append("<table><tr>" + "".join(f"<th>{head}" for head in _SHEET_HEADS) + "</tr>")
        for name, *numbers in sheets.values():
            cells = "".join(f"<td>{number:,}" for number in numbers)
            lines.append(f"<tr><td>{e(name)}{cells}</tr>")
        lines.append("</table>")
    counts = _counts(frame)
    if not counts.height and not notes:
        lines.append("<p>Nothing to correct.</p>")
    for key, (name, *_) in sheets.items():
        own = counts.filter(pl.col("sheet_key") == key)
        if not own.height:
            continue
        lines.append(f"<h2>Sheet {e(name)}</h2>")
        for group in own.iter_rows(named=True):
            rows = frame.filter(
                pl.col("sheet_key") == key,
                pl.col("rule") == group["rule"],
                pl.col("column").eq_missing(pl.lit(group["column"], dtype=pl.String)),
            )
            lines.append(
                f"<h3 class={e(group['level'])}>{group['count']:,} × {e(group['column'] or 'row')}: "
                f"expected {e(group['expected'] or '')} <small>({e(group['rule'])}, {e(group['level'])})</small></h3>"
                "<table><tr><th>cell<th>what stands there</tr>"
            )
            for row in rows.head(HTML_ROWS).iter_rows(named=True):
                shown = e((row["value"] or "")[:500]) or "<i>blank</i>"
                lines.append(f"<tr><td class=c>{e(row['cell'])}<td>{shown}</tr>")
            lines.append("</table>")
            if rows.height > HTML_ROWS:
                lines.append(f"<p>… and {rows.height - HTML_ROWS:,} more in the xlsx.</p>")
    lines.append("</body></html>")
    return "\n".join(lines)


# --- remit check ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SheetCheck:
    """One sheet as `remit check` read it; `name` is the clinic's own."""

    name: str
    tables: tuple[str, ...]
    status: str
    rows_in: int
    rows_accepted: int
    rows_rejected: int
    rows_not_data: int
    problem: str


@dataclass(frozen=True)
class CheckReport:
    """What loading these files would give. For the person who asked: holds names and values."""

    sheets: tuple[SheetCheck, ...]
    problems: tuple[str, ...]
    items: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Something would be loaded, and nothing is broken or rejected (warnings may stand)."""
        errors = self.items.filter(pl.col("level") == "error").height
        return self.has_tables and not (
            self.problems or errors or any(sheet.rows_rejected for sheet in self.sheets)
        )

    @property
    def has_tables(self) -> bool:
        """Some sheet is a table that Remit knows."""
        return any(sheet.tables for sheet in self.sheets)

    def lines(self, limit: int = 20) -> list[str]:
        """The report for a terminal: sheets, problems, then faults grouped and counted, `limit` cells each."""
        lines = [f"note: {note}" for note in self.notes]
        for sheet in self.sheets:
            tables = ", ".join(sheet.tables) or {"legend": "no data"}.get(sheet.status, "not mapped")
            lines.append(
                f"sheet {sheet.name!r} → {tables}: {sheet.rows_in:,} rows = {sheet.rows_accepted:,} accepted "
                f"+ {sheet.rows_rejected:,} rejected + {sheet.rows_not_data:,} not data"
            )
            if sheet.problem:
                lines.append(f"  {sheet.problem}")
        lines += [f"problem: {problem}" for problem in self.problems]
        names = {number: sheet.name for number, sheet in enumerate(self.sheets)}
        for group in _counts(self.items).iter_rows(named=True):
            lines.append(
                f"{group['level']}: sheet {names[group['sheet_key']]!r}, {group['column'] or 'row'}: {group['count']:,} × "
                f"{group['rule']}, expected {group['expected']}"
            )
            rows = self.items.filter(
                pl.col("sheet_key") == group["sheet_key"],
                pl.col("rule") == group["rule"],
                pl.col("column").eq_missing(pl.lit(group["column"], dtype=pl.String)),
            )
            for row in rows.head(limit).iter_rows(named=True):
                lines.append(f"    {row['cell']}: {row['value'] if row['value'] is not None else '(blank)'}")
            if rows.height > limit:
                lines.append(f"    … and {rows.height - limit:,} more")
        if self.is_clean:
            lines.append("Nothing is rejected.")
        elif not self.has_tables and not self.problems:
            lines.append(
                "Nothing would be loaded: no sheet holds a table that Remit knows. Fill the sheets, or run `remit map FILE` "
                "and correct the draft."
            )
        return lines


def check_file(
    *paths: Path, map_path: Path | None = None, settings: CohortSettings | None = None
) -> CheckReport:
    """Read files as loading would, as one cohort, without landing or loading anything.

    Args:
        paths: spreadsheets, or a cohort's folder. `cohort.yaml` and `corrections.csv` in it, or beside the
            first file, apply.
        map_path: another cohort.yaml to try.

    Raises:
        BrokenWorkbook: the one file cannot be read. MappingError: cohort.yaml is wrong.
    """
    from pipeline.cohort import load

    settings = settings or CohortSettings()
    if len(paths) == 1 and paths[0].name.casefold() in load.MAP_NAMES and paths[0].is_file():
        mapping.parse(paths[0].read_text("utf-8-sig"))
        return CheckReport((), (), pl.DataFrame(schema=ITEMS), (f"{paths[0].name} can be read.",))
    folder, files = load.asked_for(paths)
    cohort_map = mapping.parse(map_path.read_text("utf-8-sig")) if map_path else load.map_of(folder)
    ledger = corrections.Ledger(())
    problems: list[str] = []
    if (folder / load.LEDGER_NAME).is_file():
        parsed, refused = corrections.parse((folder / load.LEDGER_NAME).read_bytes())
        ledger = corrections.Ledger(parsed)
        problems += [r.message for r in refused]
    today = datetime.now(UTC).replace(tzinfo=None)
    first: dict[str, str] = {}
    twice: list[str] = []
    for name, file in sorted(files.items()):
        with file.open("rb") as stream:
            same = first.setdefault(hashlib.file_digest(stream, "sha256").hexdigest(), name)
        if same != name:
            # Loading takes the same content under two names as one delivery.
            twice.append(f"{name} has the content of {same} and counts once")
            del files[name]
    deliveries = [load.Delivery(f"check-{n}", name, "", today) for n, name in enumerate(files, start=1)]
    states, broken, absent = load.read_sheets(deliveries, lambda d: files[d.name], cohort_map, settings)
    if broken and len(files) == 1:
        raise BrokenWorkbook(broken[0][1])
    problems += [f"{delivery.name}: {reason}" for delivery, reason in broken]
    # A key of the moment: nothing of it is kept, and nothing is written.
    result = records.build(
        cohort="check",
        states=states,
        cohort_map=cohort_map,
        ledger=ledger,
        key=pseudonyms.Key(secrets.token_bytes(32)),
    )
    problems += [message for _, message in load.too_many(result, states, cohort_map, settings)]
    if any(path.is_dir() for path in paths):
        # Of single files nobody says that they are the whole cohort.
        problems += [*absent, *(refused.message for refused in ledger.refused())]
    several = len(files) > 1
    sheets = []
    for state in states:
        accepted, rejected, not_data = load.tally(state, result)
        name = state.sheet.name
        if several:
            name = state.delivery.name if state.book.is_text else f"{state.delivery.name}: {name}"
        sheets.append(
            SheetCheck(
                name, state.plan.tables, state.plan.status, state.rows_in, accepted, rejected,
                not_data, state.plan.named_problem,
            )
        )  # fmt: skip
    books = {state.delivery.name: state.book for state in states}
    notes = [f"{name}: {note}" if several else note for name, book in books.items() for note in _notes(book)]
    return CheckReport(tuple(sheets), tuple(problems), items(states, result), (*twice, *notes))


def _notes(book: workbook.Workbook) -> tuple[str, ...]:
    """What was detected in a file and what a person may not see in it."""
    notes = list(book.notes)
    if book.is_text:
        guessed = " (guessed)" if book.is_encoding_guessed else ""
        delimiter = {"\t": "tab"}.get(book.delimiter or "", f"{book.delimiter!r}")
        decimal = f", decimal sign {book.decimal!r}" if book.decimal else ""
        notes.append(f"read as {book.encoding}{guessed}, delimiter {delimiter}{decimal}")
    if book.is_1904:
        notes.append("dates count from 1904")
    for sheet in book.sheets:
        found = [
            text
            for text, is_so in (
                ("is hidden", sheet.is_hidden),
                (f"has {len(sheet.hidden_rows):,} hidden rows", sheet.hidden_rows),
                (f"has {len(sheet.hidden_columns):,} hidden columns", sheet.hidden_columns),
                (f"has {sheet.formulas:,} formulas", sheet.formulas),
                (f"has {sheet.errors:,} error cells", sheet.errors),
                (f"has {len(sheet.merged):,} merged ranges", sheet.merged),
            )
            if is_so
        ]
        if found:
            notes.append(f"sheet {sheet.name!r} {', '.join(found)}; all of it is read")
    return tuple(notes)
