"""The empty canonical workbook: one sheet a table, drop-downs, example rows, a codebook. Writing only."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from pipeline.cohort.mapping import CHOICES, CODEBOOK, CODEBOOK_HEADERS, EXAMPLE_ID
from pipeline.cohort.schemas import TABLES, Field
from pipeline.errors import SettingsError

LAST_ROW = 20_000  # drop-downs reach this far down

_EXAMPLES: dict[str, str] = {
    "sex": "female", "birth_date": "1981-04-23", "onset_date": "2008-03", "diagnosis_date": "2008-11-02",
    "course": "RR", "enrolment_date": "2014-06-30", "history_from": "2008-03-01", "last_contact_date": "2020-01-15",
    "regular_corticosteroids": "no", "is_nmo": "no", "visit_date": "2014-06-30", "edss": "3.5", "in_relapse": "no",
    "end_date": "2014-04-02", "severity": "moderate", "recovery": "partial", "steroids": "yes", "drug": "Lemtrada",
    "start_date": "2014-07-01", "infusion_date": "2014-07-01", "dose_mg": "12", "scan_date": "2014-06-20",
    "region": "brain", "assessed_on": "2014-06-30", "instrument": "SDMT", "scale": "total_correct", "value": "52",
    "term": "Headache", "is_serious": "no", "grade": "1", "sampled_on": "2014-06-30", "test": "lymphocytes",
    "unit": "10^9/L", "category": "malignancy", "status": "absent", "first_dose_at": "2014-07-01 09:00",
    "time_h": "4", "concentration": "812",
}  # fmt: skip


def kind_text(field: Field) -> str:
    """What a cell of this field may hold, in words."""
    unit = f", in {field.unit}" if field.unit else ""
    if field.codes:
        return "one of: " + ", ".join(field.codes)
    if field.minimum is not None and field.maximum is not None:
        span = f" from {field.minimum:g} to {field.maximum:g}"
    else:
        span = f" of at least {field.minimum:g}" if field.minimum is not None else ""
    return {
        "id": "text; the clinic's own number of the patient",
        "text": "text",
        "date": "date: 2014-03-02, or 2014-03, or 2014",
        "timestamp": "day and time: 2014-03-02 09:30",
        "number": f"number{span}{unit}",
        "integer": f"whole number{span}{unit}",
        "boolean": "yes or no",
    }[field.kind]


def write_template(path: Path) -> Path:
    """Write the empty canonical workbook.

    Every table has its sheet with a header, a row of examples (patient `EXAMPLE`, which loading passes over)
    and drop-downs; the sheet `codebook` explains all columns. Date cells are text, so that a year typed as 2014
    stays a year.

    Raises:
        SettingsError: the file exists or cannot be written.
    """
    if path.suffix.casefold() != ".xlsx":
        raise SettingsError("the template is an xlsx: give a name that ends in .xlsx.")
    if path.exists():
        raise SettingsError(f"{path} exists already: give another name.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(template())
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}): give another folder.") from None
    return path


def template() -> bytes:
    """The empty canonical workbook as xlsx."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties(
            {"title": "Remit canonical workbook", "created": datetime(2000, 1, 1, tzinfo=UTC)}
        )
        required = book.add_format({"bold": True, "bg_color": "#DCE6F5", "border": 1})
        optional = book.add_format({"italic": True, "bg_color": "#F2F4F8", "border": 1})
        example = book.add_format({"font_color": "#7A8699", "italic": True, "num_format": "@"})
        example_number = book.add_format({"font_color": "#7A8699", "italic": True})
        text = book.add_format({"num_format": "@"})
        for table, fields in TABLES.items():
            sheet = book.add_worksheet(table)
            sheet.freeze_panes(1, 1)
            for column, field in enumerate(fields):
                is_number = field.kind in ("number", "integer")
                sheet.set_column(column, column, max(12, len(field.name) + 3), None if is_number else text)
                sheet.write_string(0, column, field.name, required if field.required else optional)
                shown = EXAMPLE_ID if field.kind == "id" else _EXAMPLES.get(field.name, "")
                if is_number and shown:
                    sheet.write_number(1, column, float(shown), example_number)
                else:
                    sheet.write_string(1, column, shown, example)
                sheet.write_comment(0, column, f"{field.description}\n{kind_text(field)}", {"x_scale": 2})
                choices = list(field.codes) or (["yes", "no"] if field.kind == "boolean" else [])
                if choices and len(",".join(choices)) <= 255:
                    # A warning, not a stop: a clinic's own codes can be explained in cohort.yaml.
                    rule = {"validate": "list", "source": choices, "error_type": "warning"}
                elif choices:
                    first, last = _choices(book, field.name, choices)
                    rule = {
                        "validate": "list",
                        "source": f"={CHOICES}!{first}:{last}",
                        "error_type": "warning",
                    }
                elif field.kind in ("number", "integer") and field.minimum is not None:
                    rule = _range(field)
                else:
                    continue
                sheet.data_validation(1, column, LAST_ROW, column, rule)
        _codebook(book)
    return buffer.getvalue()


def _choices(book: xlsxwriter.Workbook, name: str, choices: list[str]) -> tuple[str, str]:
    """A long list goes to a hidden sheet: Excel takes 255 characters in a rule."""
    sheet = book.get_worksheet_by_name(CHOICES)
    if sheet is None:
        sheet = book.add_worksheet(CHOICES)
        sheet.hide()
        sheet.written = 0  # columns in use
    column = sheet.written
    sheet.written += 1
    letter = chr(65 + column)
    sheet.write_string(0, column, name)
    for row, choice in enumerate(choices, start=1):
        sheet.write_string(row, column, choice)
    return f"${letter}$2", f"${letter}${len(choices) + 1}"


def _range(field: Field) -> dict[str, object]:
    kind = "integer" if field.kind == "integer" else "decimal"
    rule: dict[str, object] = {"validate": kind, "error_type": "warning", "minimum": field.minimum}
    if field.maximum is None:
        return {"validate": kind, "criteria": ">=", "value": field.minimum, "error_type": "warning"}
    return rule | {"criteria": "between", "maximum": field.maximum}


def _codebook(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet(CODEBOOK)
    head = book.add_format({"bold": True, "bg_color": "#DCE6F5", "border": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    for column, (title, width) in enumerate(zip(CODEBOOK_HEADERS, (18, 26, 10, 48, 70), strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    row = 1
    for table, fields in TABLES.items():
        for field in fields:
            texts = (
                table, field.name, "yes" if field.required else "no", kind_text(field),
                " ".join(part for part in (field.description, field.published) if part),
            )  # fmt: skip
            for column, shown in enumerate(texts):
                sheet.write_string(row, column, shown, wrap)
            row += 1
    sheet.freeze_panes(1, 2)
