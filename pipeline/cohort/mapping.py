"""Which sheet is which canonical table, and which header which field: `cohort.yaml`, presets, drift.

Input is cells (`workbook.Sheet`) and the text of a `cohort.yaml`; output is a plan for each sheet. Nothing
here turns text into values, reads files or writes them. Two kinds of message exist side by side: public
ones, which name canonical fields and `column 7`, and named ones with headers as the clinic wrote them,
which only `remit check` and `remit map` print.
"""

from __future__ import annotations

import codecs
import fnmatch
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any, Literal

import polars as pl
import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from pipeline.cohort.schemas import TABLES
from pipeline.errors import MappingError

HEADER_SEARCH_ROWS = 60  # a header further down than this must be declared with header_row
EXAMPLE_ID = "EXAMPLE"  # patient_id of the template's example rows, which are no data
CODEBOOK = "codebook"  # the template's sheets of explanations and of drop-down lists, which are no data
CHOICES = "choices"
CODEBOOK_HEADERS = ("sheet", "column", "required", "what a cell holds", "meaning")

TableName = Literal[tuple(TABLES)]
TextColumn = Literal[
    tuple(f"{table}.{f.name}" for table in TABLES for f in TABLES[table] if f.kind == "text")
]
Preset = Literal["canonical", "msbase", "edmus", "none"]
DateOrder = Literal["ymd", "dmy", "mdy"]
Level = Literal["error", "warning", "off"]


# --- cohort.yaml ------------------------------------------------------------------------------------------


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reading(_Model):
    """How cells are read; a narrower place (column, sheet) wins over a wider one (cohort)."""

    date_order: DateOrder | None = Field(
        None, description="Order of day and month in dates such as 03/04/2014."
    )
    decimal: Literal[".", ","] | None = Field(None, description="Decimal sign of numbers kept as text.")
    missing: tuple[str, ...] | None = Field(
        None, description="Cells that mean 'not known', besides blanks, N/A, ? and -: e.g. 99, unk."
    )


def _encoding(name: str) -> str:
    try:
        return codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        raise ValueError("an encoding that is not known; use a name such as utf-8, utf-16, cp1252") from None


def _delimiter(sign: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(sign.casefold(), sign)
    if len(sign) != 1 or sign in '"\r\n':
        raise ValueError("a delimiter is one character such as ; or the word tab")
    return sign


class TextFile(_Model):
    """How text files (csv, tsv) are cut into cells, where that is detected wrongly; a sheet wins over the cohort."""

    encoding: Annotated[str, AfterValidator(_encoding)] | None = Field(
        None, description="Encoding of text files: utf-8, utf-16, cp1252 … Detected if not given."
    )
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = Field(
        None, description="What parts the cells of text files: one character, or tab. Detected if not given."
    )


class Column(Reading):
    """Where one canonical field comes from, and how its cells are read."""

    header: str | None = Field(None, description="Header of the column, as in the spreadsheet.")
    column: str | None = Field(
        None, description="Letter (E) or number (5) of the column, where a header is blank or stands twice."
    )
    constant: str | None = Field(
        None, description="One value for every row, where the sheet has no such column."
    )
    codes: dict[str, str] = Field(
        default_factory=dict, description="What the clinic's codes mean: '1': male, '2': female."
    )
    prefix: str = Field(
        "", description="patient_id only: put before every id, where two files number their patients alike."
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        if sum(x is not None for x in (self.header, self.column, self.constant)) != 1:
            raise ValueError("give exactly one of header, column, constant")
        return self


def _column(value: Any) -> Any:
    return {"header": value} if isinstance(value, str) else value


Origin = Annotated[Column, BeforeValidator(_column)]


class TableMap(_Model):
    """One canonical table read from a sheet. A wide sheet repeats a table in `repeat`."""

    table: TableName = Field(description="Canonical table.")
    columns: dict[str, Origin] = Field(
        default_factory=dict, description="Canonical field: header, or header with options."
    )
    repeat: tuple[dict[str, Origin], ...] = Field(
        (),
        description="Wide layout: each entry gives one record a row; {n} in a header stands for a number, "
        "so that 'EDSS {n}' reads 'EDSS 1', 'EDSS 2' …; groups whose cells are all blank give none.",
    )
    not_delivered: tuple[str, ...] = Field(
        (), description="Required fields that this clinic does not have; they stay empty and are flagged."
    )

    @model_validator(mode="after")
    def _known_fields(self) -> TableMap:
        known = {f.name for f in TABLES[self.table]}
        named = [*self.columns, *self.not_delivered, *(name for group in self.repeat for name in group)]
        for name in named:
            if name not in known:
                # The name is not repeated: it may be a header, and this message is shown everywhere.
                raise ValueError(
                    f"a name here is no field of {self.table}; its fields are {', '.join(sorted(known))}"
                )
        if "patient_id" in self.not_delivered:
            raise ValueError("patient_id must be delivered")
        return self


class NotData(_Model):
    """Which rows under the header are no data. Blank rows never are."""

    from_row: int | None = Field(None, ge=1, description="This row and all below are legend or totals.")
    rows: tuple[int, ...] = Field((), description="Single rows that are no data.")
    blank: tuple[str, ...] = Field(
        (), description="Headers: a row in which all of these cells are blank is no data."
    )
    starts_with: tuple[str, ...] = Field(
        (), description="A row whose first filled cell starts with one of these words (Total, Mean …)."
    )


class SheetMap(Reading, TextFile):
    """One sheet, found by name or number in the files that `file` matches."""

    file: str = Field("*", description="File name, * and ? as wildcards.")
    sheet: str | None = Field(
        None, description="The sheet's name or number; nothing: every sheet of the file."
    )
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,39}$",
        description="How Remit shows the sheet; without it the canonical table's name.",
    )
    header_row: int | None = Field(
        None, ge=1, description="Row of the (first) header line; found if not given."
    )
    header_rows: int = Field(1, ge=1, le=4, description="Header lines; two are joined as 'upper / lower'.")
    tables: tuple[TableMap, ...] = Field((), description="Canonical tables read from this sheet.")
    ignore: tuple[str, ...] = Field((), description="Headers that are not read; * and ? as wildcards.")
    ignore_columns: tuple[str, ...] = Field(
        (), description="Letters or numbers of columns that are not read."
    )
    not_data: NotData = NotData()
    is_legend: bool = Field(False, description="The whole sheet is no data.")
    optional: bool = Field(False, description="The sheet may be absent from a delivery.")


class Thresholds(_Model):
    """When a value is doubted and when a sheet stops its cohort."""

    rejected_share_limit: float | None = Field(
        None, ge=0, le=1, description="Share of rejected rows that stops."
    )
    rejected_share_from_rows: int | None = Field(None, ge=1, description="Judged from this many rows up.")
    edss_jump_points: float = Field(
        3.0, gt=0, description="Step between neighbouring visits that is doubted."
    )
    treatment_overlap_days: int = Field(30, ge=0, description="Overlap of exclusive drugs that is tolerated.")


class CohortMap(Reading, TextFile):
    """cohort.yaml: how the workbooks of one cohort are read."""

    preset: Preset = Field("canonical", description="How sheets that are not listed are recognised.")
    sheets: tuple[SheetMap, ...] = ()
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Code lists by canonical field, for all sheets."
    )
    allowed_texts: dict[TextColumn, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Words that a text column may publish beside those that Remit knows, by table.column: "
        "adverse_events.term: [Optic disc pallor].",
    )
    texts: dict[TextColumn, Literal["listed", "as_delivered"]] = Field(
        default_factory=dict,
        description="What a text column publishes: known words alone (listed, the default), or every cell as the "
        "clinic wrote it (as_delivered): only where no cell can name a person.",
    )
    ignore: tuple[str, ...] = Field((), description="Headers that no sheet reads; * and ? as wildcards.")
    rules: dict[str, Level] = Field(default_factory=dict, description="Level of a rule: error, warning, off.")
    thresholds: Thresholds = Thresholds()
    date_shift: bool = Field(
        False, description="Shift all dates of a patient by one secret number of days; intervals stay."
    )

    @model_validator(mode="after")
    def _known(self) -> CohortMap:
        from pipeline.cohort.validation import RULES

        fields = {f.name for table in TABLES.values() for f in table}
        for name in self.codes:
            if name not in fields:
                raise ValueError("codes: a name here is no canonical field")
        for rule in self.rules:
            if rule not in RULES or not RULES[rule].is_settable:
                settable = ", ".join(sorted(r for r, x in RULES.items() if x.is_settable))
                raise ValueError(f"rules: a rule here cannot be set; these can: {settable}")
        return self


def parse(text: str) -> CohortMap:
    """The map that a `cohort.yaml` states.

    Raises:
        MappingError: not YAML, a key given twice, or something the schema does not allow; the message names
            the line and what is allowed. It repeats keys of the file, never its header names or codes.
    """
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        raise MappingError(
            f"cohort.yaml, {line}: this is not YAML. Check indentation and quotes there."
        ) from None
    if node is None:
        return CohortMap()
    lines: dict[tuple, int] = {}
    # Every scalar stays text: YAML would read `no` as false, 1 as a number and 2014-03-02 as a date.
    values = _plain(node, (), lines)
    if not isinstance(values, dict):
        raise MappingError(
            "cohort.yaml, line 1: expected settings such as `preset: canonical`. See docs/spreadsheets.md."
        )
    try:
        return CohortMap.model_validate(values)
    except ValidationError as error:
        # A misspelt key also leaves the right one missing: the key is what to correct.
        found = error.errors(include_input=False, include_url=False)
        first = min(found, key=lambda e: e["type"] != "extra_forbidden")
        place = tuple(first["loc"])
        line = next((lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in lines), 1)
        known = {
            name
            for model in (CohortMap, SheetMap, TableMap, Column, NotData, Thresholds)
            for name in model.model_fields
        }
        known |= {f.name for table in TABLES.values() for f in table}
        shown = ".".join(str(x) for x in place if isinstance(x, int) or x in known) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = "this key is not known; see the list of keys in docs/spreadsheets.md"
        raise MappingError(f"cohort.yaml, line {line} ({shown}): {message}. Correct that line.") from None


def _plain(node: yaml.Node, path: tuple, lines: dict[tuple, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise MappingError(
                    f"cohort.yaml, line {key.start_mark.line + 1}: a key must be one word or text. Put it in quotes."
                )
            if key.value in result:
                raise MappingError(
                    f"cohort.yaml, line {key.start_mark.line + 1}: this key stands twice. Remove one of the two."
                )
            result[key.value] = _plain(value, (*path, key.value), lines)
            lines[(*path, key.value)] = key.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value, (*path, n), lines) for n, value in enumerate(node.value)]
    is_bare_null = node.style is None and node.value in ("", "~", "null")
    return None if is_bare_null else node.value


def json_schema() -> dict[str, Any]:
    """JSON schema of `cohort.yaml` for editors; shipped as docs/cohort.schema.json and tested against this."""
    schema = CohortMap.model_json_schema(mode="validation")
    # A header alone is short for {header: …}; numbers may be written bare, they are read as text.
    text = {"type": ["string", "number", "boolean"]}
    column = schema["$defs"]["Column"]
    for name in ("column", "constant"):
        column["properties"][name]["anyOf"] = [text, {"type": "null"}]
    column["properties"]["codes"]["additionalProperties"] = text
    _loosen(schema)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Remit cohort.yaml"
    return schema


def _loosen(node: Any) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("columns",) and "additionalProperties" in (value or {}):
                value["additionalProperties"] = {"anyOf": [{"$ref": "#/$defs/Column"}, {"type": "string"}]}
            if key == "repeat" and "items" in (value or {}):
                value["items"]["additionalProperties"] = {
                    "anyOf": [{"$ref": "#/$defs/Column"}, {"type": "string"}]
                }
            if key in ("missing", "ignore", "ignore_columns"):
                _any_scalar(value)
            if key == "allowed_texts":
                _any_scalar(value["additionalProperties"])
            if key == "sheet" and isinstance(value, dict) and "anyOf" in value:
                value["anyOf"] = [{"type": ["string", "integer"]}, {"type": "null"}]
            _loosen(value)
    elif isinstance(node, list):
        for value in node:
            _loosen(value)


def _any_scalar(value: Any) -> None:
    for branch in [value, *value.get("anyOf", [])] if isinstance(value, dict) else []:
        if isinstance(branch, dict) and branch.get("items"):
            branch["items"] = {"type": ["string", "number", "boolean"]}


# --- presets ----------------------------------------------------------------------------------------------

# Header names of two exports, as seen in code that reads them (canonical_fields.tsv). Functional systems of
# MSBase (KFS_1 … KFS_7) stand in an order that no source states: they are left unread rather than guessed.
_PRESETS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "msbase": {
        "patients": {
            "patient_id": ("PATIENT_ID",), "sex": ("gender", "sex"), "birth_date": ("BIRTH_DATE",),
            "onset_date": ("SYMPTOMS_DATE", "ms_onset_reformat"), "diagnosis_date": ("MS_DIAGNOSIS_DATE",),
            "course": ("MSCOURSE_2", "FIRST_MSCOURSE"),
            "progression_onset_date": ("START_OF_PROGRESSION", "MSCOURSE_2_DATE"), "is_nmo": ("IS_NMO",),
        },
        "edss": {
            "patient_id": ("PATIENT_ID",), "visit_date": ("DATE_OF_VISIT",), "edss": ("EDSS",),
            "ambulation": ("KFS_AMBULATION",),
        },
        "relapses": {"patient_id": ("PATIENT_ID",), "onset_date": ("DATE_OF_ONSET",)},
        "treatments": {
            "patient_id": ("PATIENT_ID",), "drug": ("TREATMENT", "DMT"), "start_date": ("START_DATE",),
            "end_date": ("END_DATE",),
        },
        "mri_scans": {
            "patient_id": ("PATIENT_ID",), "scan_date": ("EXAM_DATE",), "region": ("EXAM_TYPE",),
            "new_or_enlarging_t2": ("NEW_LESION",), "gd_lesions": ("T1_GADOLINIUM_LESION",),
            "t2_lesions": ("T2_LESION",),
        },
    },
    "edmus": {
        "patients": {
            "patient_id": ("Patient ID",), "sex": ("Gender",), "birth_date": ("Date of birth",),
            "onset_date": ("MS Onset", "ms_onset"), "course": ("Disease Course",),
            "progression_onset_date": ("Progression Onset",), "death_date": ("decease date",),
        },
        "edss": {
            "patient_id": ("Patient ID",), "visit_date": ("Date", "Assessment date"),
            "edss": ("EDSS (entered)",), "in_relapse": ("Concurrent relapse",),
        },
        "relapses": {"patient_id": ("Patient ID",), "onset_date": ("Date", "Episode date"), "relapse_id": ("Episode ID",)},
        "treatments": {
            "patient_id": ("Patient ID",), "drug": ("inn",), "start_date": ("onset_date",), "end_date": ("end_date",),
        },
    },
}  # fmt: skip
_PRESET_IGNORE = {
    "canonical": (),
    "none": (),
    "msbase": ("VISIT_FK", "KFS_?", "MSCOURSE_AT_VISIT", "MCDONALD_T2_HYPERTENSIVE_LESION", "T2_RESULT"),
    "edmus": (
        "Local identifier",
        "Other identifier",
        "Assessment ID",
        "Vital status*",
        "status",
        "latest_date",
    ),
}
_PRESET_ORDER: dict[str, DateOrder | None] = {
    "canonical": "ymd",
    "none": None,
    "msbase": "dmy",
    "edmus": "dmy",
}
_PRESET_CODES: dict[str, dict[str, dict[str, str]]] = {
    "edmus": {
        # EDMUS: 1, 2 = RR, 3 = SP without, 4 = with relapses, 5 = PP without, 6, 7 = PP with relapses.
        "course": {"1": "RR", "2": "RR", "3": "SP", "4": "SP", "5": "PP", "6": "PP", "7": "PP"}
    },
    "msbase": {"region": {"WHOLE_SPINAL_CORD": "whole_spinal_cord", "CERVICAL_CORD": "cervical_cord"}},
}
# Fields whose absence an export of that kind does not make wrong.
_PRESET_MAY_LACK = {
    "msbase": ("sex", "birth_date"),
    "edmus": ("sex", "birth_date"),
    "canonical": (),
    "none": (),
}


@cache
def _aliases(preset: str, table: str) -> dict[str, str]:
    """Normalised header → field, of one table under one preset."""
    if preset == "canonical":
        return {normal(f.name): f.name for f in TABLES[table]}
    fields = _PRESETS.get(preset, {}).get(table, {})
    return {normal(alias): name for name, aliases in fields.items() for alias in aliases}


# --- plans ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """Where one field of a record comes from: column `c5`, or a constant; and how its cells are read."""

    column: int | None  # 1-based; None for a constant
    constant: str | None = None
    codes: tuple[tuple[str, str], ...] = ()
    date_order: DateOrder | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def letter(self) -> str | None:
        return None if self.column is None else letter(self.column)


@dataclass(frozen=True)
class RecordPlan:
    """One record of a table from each data row of a sheet."""

    table: str
    sources: dict[str, Source]
    # Fields of a repeated group: where all are blank in a row, the row holds no such record.
    only_if_any: tuple[str, ...] = ()
    not_delivered: tuple[str, ...] = ()


Status = Literal["mapped", "legend", "unmapped", "drift"]


@dataclass(frozen=True)
class SheetPlan:
    """What one sheet means.

    `first_row` is the first row under the header; `is_data` says of each row from there whether it is data.
    `problem` is safe to show anywhere, `named_problem` holds headers as the clinic wrote them.
    """

    status: Status
    label: str
    first_row: int
    records: tuple[RecordPlan, ...] = ()
    is_data: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.Boolean))
    problem: str = ""
    named_problem: str = ""
    declared: int | None = None  # which entry of cohort.yaml it is
    unread: int | None = None  # first column that is not in the map

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(record.table for record in self.records))


def normal(header: str) -> str:
    """A header as it is compared: NFKC, lower case, blanks, `_` and `-` alike."""
    folded = unicodedata.normalize("NFKC", header).casefold()
    return re.sub(r"[\s_\-]+", " ", folded).strip()


def _matches(text: str, pattern: str) -> bool:
    """`*` and `?` are wildcards; brackets, which stand in many headers, are not."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(c, re.escape(c)) for c in pattern), text) is not None


def letter(column: int) -> str:
    """5 → `E`."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def column_number(text: str) -> int | None:
    """`E` or `5` → 5; None if it is neither."""
    text = text.strip().upper()
    if text.isascii() and text.isdigit():
        return int(text) or None
    if not re.fullmatch(r"[A-Z]{1,3}", text):
        return None
    number = 0
    for char in text:
        number = number * 26 + ord(char) - 64
    return number


def plan(file_name: str, sheet: Any, cohort: CohortMap, *, is_csv: bool) -> SheetPlan:
    """The plan of one sheet (`workbook.Sheet`: name, number, cells with `row` and `c1` … `cN`).

    A sheet that `cohort.yaml` lists is read as it says; any other by the preset.
    """
    cells = sheet.cells
    label = f"sheet {sheet.number}"
    entry = _entry(file_name, sheet, cohort)
    if entry is not None:
        number, declared = entry
        label = declared.name or label
        if declared.is_legend:
            return SheetPlan("legend", label, _first_filled(cells), declared=number)
        if declared.tables:
            return replace(_plan_declared(cells, declared, cohort, label), declared=number)
        return replace(
            _plan_by_preset(cells, sheet, cohort, label, declared=declared, is_csv=is_csv), declared=number
        )
    return _plan_by_preset(cells, sheet, cohort, label, declared=None, is_csv=is_csv)


def text_file(file_name: str, cohort: CohortMap) -> dict[str, str | None]:
    """`encoding` and `delimiter` that cohort.yaml states for a file; None where they are to be detected."""
    entries = [entry for entry in cohort.sheets if _is_of(file_name, entry)]
    return {
        name: next((v for place in (*entries, cohort) if (v := getattr(place, name)) is not None), None)
        for name in TextFile.model_fields
    }


def absent_sheets(cohort: CohortMap, seen: set[int]) -> list[str]:
    """Public messages for sheets that cohort.yaml lists and no file of the delivery holds."""
    messages = []
    for number, entry in enumerate(cohort.sheets):
        if number not in seen and not entry.optional and not entry.is_legend:
            shown = f"`{entry.name}`" if entry.name else f"number {number + 1}"
            messages.append(
                f"sheet {shown} of cohort.yaml is in no delivered file: deliver it, correct its name, "
                "or mark it `optional: true`."
            )
    return messages


def _is_of(file_name: str, entry: SheetMap) -> bool:
    return fnmatch.fnmatchcase(file_name.casefold(), entry.file.casefold())


def _entry(file_name: str, sheet: Any, cohort: CohortMap) -> tuple[int, SheetMap] | None:
    for number, entry in enumerate(cohort.sheets):
        if not _is_of(file_name, entry):
            continue
        if (
            entry.sheet is None
            or normal(entry.sheet) == normal(sheet.name)
            or entry.sheet == str(sheet.number)
        ):
            return number, entry
    return None


def _first_filled(cells: pl.DataFrame) -> int:
    has_content = filled(cells)
    rows = cells["row"].filter(has_content)
    return int(rows[0]) if len(rows) else 1


def filled(cells: pl.DataFrame) -> pl.Series:
    """Of each row, whether any cell holds more than blanks."""
    names = [name for name in cells.columns if name != "row"]
    if not names or not cells.height:
        return pl.repeat(False, cells.height, dtype=pl.Boolean, eager=True)
    tests = [pl.col(name).is_not_null() & (pl.col(name).str.strip_chars() != "") for name in names]
    return cells.select(pl.any_horizontal(tests).alias("filled"))["filled"]


def _is_filled(text: str | None) -> bool:
    return text is not None and text.strip() != ""


def _headers(cells: pl.DataFrame, row: int, lines: int) -> dict[int, str]:
    """Column number → header. Two lines are joined; an upper one reaches right over its blanks (merged)."""
    found = cells.filter(pl.col("row").is_between(row, row + lines - 1)).sort("row")
    names = [name for name in cells.columns if name != "row"]
    rows = {r["row"]: r for r in found.iter_rows(named=True)}
    stacked: dict[int, list[str]] = {int(name[1:]): [] for name in names}
    for line in range(row, row + lines):
        carried = ""
        current = rows.get(line, {})
        lower = rows.get(line + 1, {}) if line < row + lines - 1 else {}
        for name in names:
            number, text = int(name[1:]), (current.get(name) or "").strip()
            if line < row + lines - 1:
                carried = text or (carried if _is_filled(lower.get(name)) else "")
                text = carried
            if text and (not stacked[number] or stacked[number][-1] != text):
                stacked[number].append(text)
    return {number: " / ".join(parts) for number, parts in stacked.items()}


def _find_header(cells: pl.DataFrame, known: set[str], lines: int) -> int | None:
    """Row whose cells match most known headers (normalised); None where no row matches at least one."""
    best, best_score = None, 0
    names = [name for name in cells.columns if name != "row"]
    top = cells.filter(filled(cells)).head(HEADER_SEARCH_ROWS)
    for number in top["row"]:
        if lines == 1:
            row = top.row(by_predicate=pl.col("row") == number, named=True)
            texts = [row[name] for name in names if row[name]]
        else:
            texts = list(_headers(cells, int(number), lines).values())
        score = len({normal(text) for text in texts} & known)
        if score > best_score:
            best, best_score = int(number), score
    return best


@dataclass
class _Columns:
    """The headers of one sheet while a plan takes them up."""

    headers: dict[int, str]
    has_values: set[int]
    used: set[int] = field(default_factory=set)
    absent: list[tuple[str, str]] = field(default_factory=list)  # field, header
    twice: list[tuple[str, list[int]]] = field(default_factory=list)

    def find(self, name: str, header: str) -> int | None:
        wanted = normal(header)
        exact = [n for n, text in self.headers.items() if text.strip() == header.strip()]
        matches = exact or [n for n, text in self.headers.items() if text and normal(text) == wanted]
        if not matches:
            self.absent.append((name, header))
            return None
        if len(matches) > 1:
            self.twice.append((name, matches))
        self.used.add(matches[0])
        return matches[0]

    def unread(self, ignore: tuple[str, ...], ignore_columns: tuple[str, ...]) -> list[int]:
        patterns = [normal(text) for text in ignore]
        numbers = {column_number(text) for text in ignore_columns}
        return [
            n
            for n, text in self.headers.items()
            if n not in self.used
            and n not in numbers
            and (_is_filled(text) or n in self.has_values)
            and not any(_matches(normal(text), pattern) for pattern in patterns)
        ]


def _columns(cells: pl.DataFrame, header_row: int, lines: int) -> _Columns:
    below = cells.filter(pl.col("row") >= header_row + lines)
    names = [name for name in cells.columns if name != "row"]
    has_values: set[int] = set()
    if names and below.height:
        counts = below.select(
            (pl.col(name).is_not_null() & (pl.col(name).str.strip_chars() != "")).any() for name in names
        ).row(0)
        has_values = {int(name[1:]) for name, any_value in zip(names, counts, strict=True) if any_value}
    return _Columns(_headers(cells, header_row, lines), has_values)


def _drift(
    columns: _Columns, unread: list[int], missing: list[tuple[str, str]], table: str
) -> tuple[str, str]:
    """The same finding twice: for everyone, and with the clinic's own names."""
    public, named = [], []
    if unread:
        one = len(unread) == 1
        shown = ", ".join(str(n) for n in unread[:20]) + (" …" if len(unread) > 20 else "")
        public.append(f"column{'' if one else 's'} {shown} {'is' if one else 'are'} not in the map")
        texts = ", ".join(
            f"{columns.headers[n]!r} ({letter(n)})"
            if columns.headers[n].strip()
            else f"a column without header ({letter(n)})"
            for n in unread
        )
        named.append(f"not in the map: {texts}")
    if missing:
        fields = ", ".join(dict.fromkeys(f"`{name}`" for name, _ in missing))
        public.append(f"no column for {fields} of `{table}`")
        named.append(
            "in the map but not in the sheet: "
            + ", ".join(dict.fromkeys(f"{header!r} for {name}" for name, header in missing))
        )
    for name, numbers in columns.twice:
        letters = " and ".join(letter(n) for n in numbers)
        public.append(f"the header of `{name}` stands in columns {letters}")
        named.append(
            f"header {columns.headers[numbers[0]]!r} stands in columns {letters}: name one by `column:`"
        )
    remedy = "Add them to cohort.yaml or list them under ignore"
    return (
        "; ".join(public) + f". Run `remit check FILE` to see the names. {remedy}.",
        "; ".join(named) + f". {remedy}.",
    )


def _reading(
    name: str, origin: Column, sheet: Reading | None, cohort: CohortMap, column: int | None
) -> Source:
    def first(attribute: str) -> Any:
        places = (origin, sheet, cohort) if sheet is not None else (origin, cohort)
        return next((v for p in places if (v := getattr(p, attribute)) is not None), None)

    codes = _PRESET_CODES.get(cohort.preset, {}).get(name, {}) | cohort.codes.get(name, {}) | origin.codes
    return Source(
        column=column,
        constant=origin.constant,
        codes=tuple(codes.items()),
        date_order=first("date_order") or _PRESET_ORDER[cohort.preset],
        decimal=first("decimal"),
        missing=tuple(first("missing") or ()),
        prefix=origin.prefix,
    )


def _resolve(
    fields: dict[str, Column], columns: _Columns, sheet: Reading | None, cohort: CohortMap
) -> dict[str, Source]:
    sources = {}
    for name, origin in fields.items():
        number: int | None = None
        if origin.header is not None:
            number = columns.find(name, origin.header)
            if number is None:
                continue
        elif origin.column is not None:
            number = column_number(origin.column)
            if number is None or number not in columns.headers:
                columns.absent.append((name, f"column {origin.column}"))
                continue
            columns.used.add(number)
        sources[name] = _reading(name, origin, sheet, cohort, number)
    return sources


def _expand(group: dict[str, Column], columns: _Columns) -> list[dict[str, Column]]:
    """A group with `{n}` in its headers, once for each number that any of them is found with."""
    patterned = {name: origin for name, origin in group.items() if origin.header and "{n}" in origin.header}
    if not patterned:
        return [group]
    found: dict[int, dict[str, Column]] = {}
    for name, origin in patterned.items():
        # The header is normalised around the placeholder only, so that {n} survives.
        before, after = (normal(part) if part.strip() else "" for part in origin.header.split("{n}", 1))
        pattern = re.compile(rf"{re.escape(before)}\s*(\d+)\s*{re.escape(after)}")
        for text in columns.headers.values():
            if match := pattern.fullmatch(normal(text)):
                found.setdefault(int(match[1]), {})[name] = origin.model_copy(update={"header": text})
    rest = {name: origin for name, origin in group.items() if name not in patterned}
    if not found:
        columns.absent.extend((name, origin.header or "") for name, origin in patterned.items())
    return [rest | found[number] for number in sorted(found)]


def _plan_declared(cells: pl.DataFrame, entry: SheetMap, cohort: CohortMap, label: str) -> SheetPlan:
    known = {
        normal(origin.header)
        for table in entry.tables
        for group in (table.columns, *table.repeat)
        for origin in group.values()
        if origin.header
    } | {normal(text) for text in entry.ignore}
    header_row = entry.header_row or _find_header(cells, known, entry.header_rows) or _first_filled(cells)
    columns = _columns(cells, header_row, entry.header_rows)
    if not entry.name:
        label = entry.tables[0].table
    records: list[RecordPlan] = []
    missing: list[tuple[str, str]] = []
    for table in entry.tables:
        fixed = _resolve(table.columns, columns, entry, cohort)
        groups = [group for each in table.repeat for group in _expand(each, columns)]
        required = {f.name for f in TABLES[table.table] if f.required} - set(table.not_delivered)
        for group in groups or [{}]:
            sources = fixed | _resolve(group, columns, entry, cohort)
            absent = {name for name, _ in columns.absent}
            missing += [(name, name) for name in sorted(required - set(sources) - absent)]
            if group:
                only = tuple(n for n in group if n in sources and sources[n].column is not None)
            else:
                only = _values_of(table, sources, entry)
            records.append(RecordPlan(table.table, sources, only, table.not_delivered))
    missing = list(dict.fromkeys(missing + columns.absent))
    unread = columns.unread((*entry.ignore, *cohort.ignore, *entry.not_data.blank), entry.ignore_columns)
    first_row = header_row + entry.header_rows
    if unread or missing or columns.twice:
        tables = "`, `".join(dict.fromkeys(t.table for t in entry.tables))
        public, named = _drift(columns, unread, missing, tables)
        return SheetPlan(
            "drift",
            label,
            first_row,
            tuple(records),
            problem=public,
            named_problem=named,
            unread=next(iter(unread), None),
        )
    is_data = _data_rows(cells, first_row, entry.not_data, columns, records)
    return SheetPlan("mapped", label, first_row, tuple(records), is_data)


def _values_of(table: TableMap, sources: dict[str, Source], entry: SheetMap) -> tuple[str, ...]:
    """Where one row feeds several tables, the fields without which it holds no record of this one.

    An empty SDMT cell beside an EDSS is no assessment; an empty patient row is a fault and stays one.
    """
    if len(entry.tables) < 2 or table.table == "patients":
        return ()
    keys = {"patient_id", _date_field(table.table)}
    own = tuple(n for n, s in sources.items() if s.column is not None and n not in keys)
    return own or tuple(n for n, s in sources.items() if s.column is not None and n != "patient_id")


def _date_field(table: str) -> str | None:
    return next((f.name for f in TABLES[table] if f.kind in ("date", "timestamp") and f.required), None)


def _plan_by_preset(
    cells: pl.DataFrame, sheet: Any, cohort: CohortMap, label: str, *, declared: SheetMap | None, is_csv: bool
) -> SheetPlan:
    name = normal(sheet.name)
    if cohort.preset == "canonical" and not is_csv and _is_of_template(sheet):
        return SheetPlan("legend", name, _first_filled(cells))
    tables = _PRESETS.get(cohort.preset, TABLES if cohort.preset == "canonical" else {})
    ignore = (*_PRESET_IGNORE[cohort.preset], *cohort.ignore, *(declared.ignore if declared else ()))
    named = next((t for t in TABLES if normal(t) == name), None) if cohort.preset == "canonical" else None
    lines = declared.header_rows if declared else 1
    lacks = _PRESET_MAY_LACK[cohort.preset]
    candidates: list[_Candidate] = []
    for table in [named] if named else tables:
        aliases = _aliases(cohort.preset, table)
        header_row = (declared.header_row if declared else None) or _find_header(cells, set(aliases), lines)
        if header_row is None:
            continue
        columns = _columns(cells, header_row, lines)
        taken: dict[str, list[int]] = {}
        for number, text in columns.headers.items():
            if (found := aliases.get(normal(text))) is not None:
                taken.setdefault(found, []).append(number)
        columns.used = {n for numbers in taken.values() for n in numbers}
        columns.twice = [(f, numbers) for f, numbers in taken.items() if len(numbers) > 1]
        required = [f.name for f in TABLES[table] if f.required]
        missing = [(f, f) for f in required if f not in taken and f not in lacks]
        unread = columns.unread(ignore, declared.ignore_columns if declared else ())
        candidates.append(_Candidate(table, header_row, columns, taken, missing, unread))
    if named:
        if not candidates:
            first = _first_filled(cells)
            if not filled(cells).any():
                return SheetPlan("mapped", named, first, ())
            columns = _columns(cells, first, lines)
            missing = [(f.name, f.name) for f in TABLES[named] if f.required]
            public, names = _drift(columns, columns.unread(ignore, ()), missing, named)
            return SheetPlan("drift", named, first + lines, problem=public, named_problem=names)
        best = candidates[0]
    else:
        # Headers alone decide a table only where they leave nothing required open and, in a workbook that
        # claims to be canonical, nothing unread.
        is_strict = cohort.preset == "canonical"
        whole = [c for c in candidates if not c.missing and not (is_strict and c.unread)]
        most = max((len(c.taken) for c in whole), default=0)
        fitting = [c for c in whole if len(c.taken) == most]
        if len(fitting) != 1:
            nearest = max(candidates, key=lambda c: (len(c.taken), -len(c.missing)), default=None)
            return _unmapped(cells, sheet, cohort, label, len(fitting), nearest, is_csv=is_csv)
        best = fitting[0]
    table, columns, taken = best.table, best.columns, best.taken
    label = (declared.name if declared else None) or table
    first_row = best.header_row + lines
    sources = {
        name: _reading(name, Column(column=str(numbers[0])), declared, cohort, numbers[0])
        for name, numbers in taken.items()
    }
    required = {f.name for f in TABLES[table] if f.required}
    record = RecordPlan(table, sources, (), tuple(f for f in lacks if f not in taken and f in required))
    if best.missing or best.unread or columns.twice:
        public, names = _drift(columns, best.unread, best.missing, table)
        return SheetPlan(
            "drift",
            label,
            first_row,
            (record,),
            problem=public,
            named_problem=names,
            unread=next(iter(best.unread), None),
        )
    rules = declared.not_data if declared else NotData()
    is_data = _data_rows(cells, first_row, rules, columns, [record])
    return SheetPlan("mapped", label, first_row, (record,), is_data)


@dataclass(frozen=True)
class _Candidate:
    """A table that a sheet's headers may mean: which fields they give, which they lack, what they leave over."""

    table: str
    header_row: int
    columns: _Columns
    taken: dict[str, list[int]]
    missing: list[tuple[str, str]]
    unread: list[int]


def _is_of_template(sheet: Any) -> bool:
    """The template's own codebook and its hidden lists: known by their form, not by their name alone."""
    if normal(sheet.name) == CHOICES:
        return sheet.is_hidden
    if normal(sheet.name) != CODEBOOK or not sheet.cells.height:
        return False
    return tuple((sheet.cells.row(0, named=True).get(f"c{n}") or "") for n in range(1, 6)) == CODEBOOK_HEADERS


def _unmapped(
    cells: pl.DataFrame,
    sheet: Any,
    cohort: CohortMap,
    label: str,
    fitting: int,
    nearest: _Candidate | None,
    *,
    is_csv: bool,
) -> SheetPlan:
    header_row = _first_filled(cells)
    columns = _columns(cells, header_row, 1)
    every = {alias for table in TABLES for alias in _aliases(cohort.preset, table)}
    unknown = [n for n, text in columns.headers.items() if _is_filled(text) and normal(text) not in every]
    if not filled(cells).any():
        # Nothing in it: nothing to map and nothing to lose.
        return SheetPlan("legend", label, 1)
    reason = "fits several tables" if fitting > 1 else "is no known table"
    if not fitting and nearest is not None and len(nearest.taken) > 1 and nearest.missing:
        lacking = ", ".join(f"`{name}`" for name, _ in nearest.missing)
        reason += f" (the nearest, `{nearest.table}`, also needs {lacking})"
    what = "file" if is_csv else "sheet"
    remedy = "Run `remit map FILE` to draft a cohort.yaml, correct it and put it beside the file."
    shown = (
        f"; columns not known: {', '.join(str(n) for n in unknown[:20])}{' …' if len(unknown) > 20 else ''}"
        if unknown
        else ""
    )
    names = f"; headers not known: {', '.join(repr(columns.headers[n]) for n in unknown)}" if unknown else ""
    return SheetPlan(
        "unmapped",
        label,
        header_row + 1,
        unread=next(iter(unknown), None),
        problem=f"this {what} {reason}{shown}. {remedy}",
        named_problem=f"this {what} ({sheet.name!r}) {reason}{names}. {remedy}",
    )


def _data_rows(
    cells: pl.DataFrame, first_row: int, rules: NotData, columns: _Columns, records: list[RecordPlan]
) -> pl.Series:
    """For each row from `first_row` on: is it data (not blank, not declared as no data, not the example)?"""
    body = cells.filter(pl.col("row") >= first_row)
    is_data = filled(body)
    if rules.from_row is not None:
        is_data &= body["row"] < rules.from_row
    if rules.rows:
        is_data &= ~body["row"].is_in(list(rules.rows))
    if rules.blank:
        numbers = [n for text in rules.blank if (n := columns.find("not_data", text)) is not None]
        if numbers:
            is_data &= filled(body.select("row", *(f"c{n}" for n in numbers)))
    if rules.starts_with:
        names = [name for name in body.columns if name != "row"]
        blank_to_null = [
            pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars())
            for name in names
        ]
        first = body.select(pl.coalesce(blank_to_null).str.to_lowercase().alias("first"))["first"].fill_null(
            ""
        )
        for word in rules.starts_with:
            is_data &= ~first.str.starts_with(word.casefold())
    for record in records:
        source = record.sources.get("patient_id")
        if source is not None and source.column is not None and f"c{source.column}" in body.columns:
            ids = body[f"c{source.column}"].str.strip_chars().str.to_uppercase()
            is_data &= ~(ids == EXAMPLE_ID).fill_null(False)
    return is_data


def header_counts(plans: list[SheetPlan]) -> Counter[str]:
    """How many sheets have which status."""
    return Counter(plan.status for plan in plans)
