"""What a canonical record must satisfy, in its own table (pandera) and across tables (polars).

Input is typed frames, one a table, each row numbered by `record`; output is faults: which record, which
field, which rule. No file, no sheet, no value in here: a fault says what is expected, never what was found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaError, SchemaErrors

from pipeline.cohort.schemas import LINEAGE, TABLES, Field, lake_columns
from pipeline.errors import CohortError

Level = Literal["error", "warning", "off"]


@dataclass(frozen=True)
class Rule:
    """One rule: how hard it is by default, what it expects, and whether a cohort may set its level."""

    level: Level
    expected: str
    is_settable: bool = True


def _hard(expected: str) -> Rule:
    return Rule("error", expected, is_settable=False)


RULES: dict[str, Rule] = {
    # reading
    "required": _hard("a value; this field must be filled"),
    "bad_date": _hard("a date such as 2014-03-02, 2014-03 or 2014"),
    "ambiguous_date": _hard("a date whose day and month cannot be confused; state date_order in cohort.yaml"),
    "impossible_date": _hard("a day that exists in the calendar"),
    "future_date": _hard("a date not after the day of delivery"),
    "bad_timestamp": _hard("a day and time such as 2014-03-02 09:30"),
    "bad_number": _hard("a number"),
    "number_became_date": _hard("a number; the spreadsheet made a date of it: set the column to text and type it again"),
    "wrong_unit": _hard("a number in the unit of this field, or without a unit"),
    "bad_boolean": _hard("yes or no"),
    "unknown_code": _hard("one of the codes of this field, or a code that cohort.yaml explains"),
    "out_of_range": _hard("a number within the range of this field"),
    "not_whole": _hard("a whole number"),
    "edss_step": _hard("0, 1.0, 1.5 … 10.0"),
    "text_too_long": _hard("a term, not free text: at most 200 characters"),
    "error_cell": _hard("a value; the spreadsheet holds an error such as #REF! here"),
    "edss_half": Rule("warning", "0, 1.0, 1.5 … 10.0; 0.5 is kept as it is"),
    "unknown_drug": Rule("warning", "a drug that Remit's list knows; add it to codes in cohort.yaml"),
    "drug_name_fuzzy": Rule("warning", "the drug's name as it is spelt; it was read as the nearest known one"),
    "text_withheld": Rule("warning", "a word that Remit knows; add it to codes or allowed_texts in cohort.yaml to publish it"),
    "not_delivered": Rule("warning", "a value; this clinic does not deliver the field"),
    "corrected": Rule("warning", "nothing: the corrections ledger changed this row"),
    # one table
    "duplicate_row": Rule("error", "each record once; this one repeats an earlier row"),
    "patient_conflict": _hard("one set of values for each patient; several rows of this patient differ"),
    "same_day_edss": Rule("warning", "one EDSS a day; another of the same day differs"),
    "conflicting_rows": Rule("warning", "one record a patient and day; another differs"),
    "end_before_start": Rule("error", "an end not before the start"),
    "progression_before_onset": Rule("warning", "a progressive phase that starts at or after the onset of MS"),
    "diagnosis_before_onset": Rule("warning", "a diagnosis at or after the first symptom"),
    "course_progression": Rule("warning", "a course SP, PP or PR where a progressive phase is dated"),
    "contact_after_death": Rule("warning", "a last contact not after death"),
    "edss_jump": Rule("warning", "a smaller step from the visit before; check both"),
    "course_order": Rule("warning", "the next course of alemtuzumab at least 12 months after the one before"),
    "dose_regimen": Rule("warning", "12 mg on 5 days, then 3 days; or the legacy 10/20/30 mg regimen"),
    "overlapping_treatments": Rule("warning", "one disease-modifying drug at a time"),
    # across tables
    "unknown_patient": _hard("a patient who stands in `patients`"),
    "patient_rejected": _hard("a patient whose own row is accepted; correct that row first"),
    "before_birth": Rule("error", "a date not before birth"),
    "after_death": Rule("error", "a date not after death"),
    "relapse_before_onset": Rule("error", "a relapse at or after the onset of MS"),
    "after_last_contact": Rule("warning", "a date not after the last contact"),
    "patient_derived": Rule("warning", "a `patients` table; patients were taken from the other tables"),
    # sheets and files
    "unmapped_sheet": _hard("a sheet that cohort.yaml maps: run `remit map FILE`, or mark it `is_legend: true`"),
    "column_drift": _hard("the columns of the map: run `remit check FILE`, then correct cohort.yaml or the sheet"),
    "cohort_stopped": _hard("a delivery without structural faults; nothing of this cohort was loaded"),
    "withdrawn_patient": _hard("no row of a patient who was withdrawn; delete it in the spreadsheet"),
}  # fmt: skip

# Rules of reading whose cell has a value all the same.
KEPT = ("edss_half", "unknown_drug", "drug_name_fuzzy", "text_withheld")

FAULTS: dict[str, pl.DataType] = {
    "table": pl.String(),
    "record": pl.Int64(),
    "column": pl.String(),
    "rule": pl.String(),
}

# Days: domain.md, courses of the index therapy.
COURSE_GAP_DAYS = 14
COURSE_INTERVAL_DAYS = 365 - 30
MAX_TEXT = 200

# What makes two records of a table one and the same event.
_KEYS: dict[str, tuple[str, ...]] = {
    "relapses": ("onset_date",),
    "treatments": ("drug", "start_date"),
    "infusions": ("drug", "infusion_date"),
    "mri_scans": ("scan_date", "region"),
    "assessments": ("assessed_on", "instrument", "scale", "item", "respondent"),
    "laboratory": ("sampled_on", "test"),
    "pk_samples": ("first_dose_at", "time_h"),
}
_STARTS = {
    "relapses": "onset_date",
    "treatments": "start_date",
    "adverse_events": "onset_date",
    "medical_history": "onset_date",
}


def no_faults() -> pl.DataFrame:
    """An empty frame of faults: table, record, column, rule."""
    return pl.DataFrame(schema=FAULTS)


def dates_of(table: str) -> tuple[str, ...]:
    """The date fields of a table."""
    return tuple(f.name for f in TABLES[table] if f.kind == "date")


def main_date(table: str) -> str | None:
    """The field that dates a record of this table: its first required date."""
    return next((f.name for f in TABLES[table] if f.kind == "date" and f.required), None)


def expected(rule: str, table: str | None = None, column: str | None = None) -> str:
    """What a rule expects, for a field where it depends on one. Safe to show anywhere."""
    field = next((f for f in TABLES.get(table or "", ()) if f.name == column), None)
    if field is not None and rule == "unknown_code" and field.codes:
        return f"one of: {', '.join(field.codes)}"
    if field is not None and rule == "out_of_range":
        low, high = (None if x is None else f"{x:g}" for x in (field.minimum, field.maximum))
        unit = f" {field.unit}" if field.unit else ""
        if high is None:
            return f"a number of at least {low}{unit}"
        return f"a number from {low} to {high}{unit}"
    return RULES[rule].expected if rule in RULES else "a value that this field allows"


def level(rule: str, levels: Mapping[str, Level]) -> Level:
    """The level of a rule in a cohort that set some of them."""
    return levels.get(rule, RULES[rule].level if rule in RULES else "error")


# --- one table --------------------------------------------------------------------------------------------


def _check(rule: str, expression) -> pa.Check:
    return pa.Check(
        lambda data: data.lazyframe.select(expression(pl.col(data.key))), name=rule, ignore_na=True
    )


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The pandera schema of a table's lake columns. Check names are rule ids."""
    columns: dict[str, pa.Column] = {}
    fields = {f.name: f for f in TABLES[table]}
    for name, dtype in lake_columns(table).items():
        field = fields.get(name)
        checks = _field_checks(field) if field is not None else []
        required = name in ("patient_id", "cohort") or (field is not None and field.required)
        if name.endswith("_earliest") and (owner := fields.get(name.removesuffix("_earliest"))):
            required = owner.required
        columns[name] = pa.Column(dtype, checks, nullable=not required)
    return pa.DataFrameSchema(columns, strict=True, ordered=True)


def _field_checks(field: Field) -> list[pa.Check]:
    checks = []
    if field.codes:
        checks.append(_check("unknown_code", lambda c, codes=field.codes: c.is_in(list(codes))))
    if field.minimum is not None or field.maximum is not None:
        low = -math.inf if field.minimum is None else field.minimum
        high = math.inf if field.maximum is None else field.maximum
        checks.append(_check("out_of_range", lambda c, low=low, high=high: c.is_between(low, high)))
    if field.name == "edss":
        # 0.5 does not exist on the scale but stands in real data: kept, flagged by edss_half.
        checks.append(_check("edss_step", lambda c: (c * 2).round() == c * 2))
    if field.kind == "text":
        checks.append(_check("text_too_long", lambda c: c.str.len_chars() <= MAX_TEXT))
    return checks


def check_table(table: str, frame: pl.DataFrame, not_delivered: pl.DataFrame | None = None) -> pl.DataFrame:
    """Faults of single records: nulls where a value is required, codes, ranges.

    Args:
        frame: lake columns and `record`.
        not_delivered: `record`, `column` of required fields that a clinic declared not to have.
    """
    # Pandera names the row by position: keep the position's record beside it.
    records = frame["record"]
    try:
        schema(table).validate(frame.select(list(lake_columns(table))), lazy=True)
        found = no_faults()
    except SchemaErrors as error:
        cases = error.failure_cases
        structural = cases.filter(pl.col("index").is_null())
        if structural.height:
            raise CohortError(
                f"internal: table {table} was built with wrong columns. Please report this with the version of Remit."
            ) from None
        found = cases.select(
            pl.lit(table).alias("table"),
            records.gather(cases["index"].cast(pl.Int64)).cast(pl.Int64).alias("record"),
            pl.col("column").str.strip_suffix("_earliest").alias("column"),
            pl.when(pl.col("check") == "not_nullable")
            .then(pl.lit("required"))
            .otherwise("check")
            .alias("rule"),
        )
    except SchemaError:
        raise CohortError(
            f"internal: table {table} was built with wrong columns. Please report this with the version of Remit."
        ) from None
    if not_delivered is not None and not_delivered.height:
        keys = ["record", "column"]
        flagged = not_delivered.select(
            pl.lit(table).alias("table"), "record", "column", pl.lit("not_delivered").alias("rule")
        )
        found = found.join(not_delivered.select(keys), on=keys, how="anti")
        found = pl.concat([found, flagged.select(list(FAULTS))])
    if table == "edss":
        found = pl.concat([found, _faults(table, frame, pl.col("edss") == 0.5, "edss", "edss_half")])
    return found.select(list(FAULTS)).cast(FAULTS)


def _faults(
    table: str, frame: pl.DataFrame, is_fault: pl.Expr | None, column: str, rule: str
) -> pl.DataFrame:
    """The rows where `is_fault` holds (None: all of them) as faults."""
    rows = frame if is_fault is None else frame.filter(is_fault.fill_null(False))
    return rows.select(
        pl.lit(table).alias("table"),
        pl.col("record").cast(pl.Int64),
        pl.lit(column).alias("column"),
        pl.lit(rule).alias("rule"),
    )


# --- rows of one table against each other -------------------------------------------------------------------


def _content(table: str) -> list[str]:
    return [name for name in lake_columns(table) if name not in LINEAGE or name == "patient_id"]


def check_rows(table: str, frame: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """Faults of records against the other records of their table, and of fields against each other."""
    found: list[pl.DataFrame] = []
    known = frame.filter(pl.col("patient_id").is_not_null())
    content = _content(table)
    # `_text` differs for 2014-3-2 and 2014-03-02: the same day all the same.
    values = [name for name in content if not name.endswith("_text")]
    if table == "patients":
        distinct = known.select(values).unique().group_by("patient_id").len().filter(pl.col("len") > 1)
        in_conflict = known.join(distinct.select("patient_id"), on="patient_id", how="semi")
        found.append(_faults(table, in_conflict, None, "patient_id", "patient_conflict"))
        known = known.join(distinct.select("patient_id"), on="patient_id", how="anti")
        found.append(
            _faults(table, known, ~pl.col("patient_id").is_first_distinct(), "patient_id", "duplicate_row")
        )
        found += _patient_dates(frame)
        return pl.concat(found)
    date = main_date(table)
    dated = known.filter(pl.col(f"{date}_earliest").is_not_null()) if date else known
    first = dated.unique(subset=values, keep="first", maintain_order=True)
    repeated = dated.join(first.select("record"), on="record", how="anti")
    found.append(_faults(table, repeated, None, date or "patient_id", "duplicate_row"))
    if table == "edss":
        days = first.filter(pl.col("visit_date_precision") == "day", pl.col("edss").is_not_null())
        several = pl.col("edss").n_unique().over("patient_id", "visit_date_earliest") > 1
        found.append(_faults(table, days, several, "edss", "same_day_edss"))
        found.append(_jumps(days, thresholds.edss_jump_points))
    elif table in _KEYS:
        keys = [
            "patient_id",
            *(f"{k}_earliest" if f"{k}_earliest" in first.columns else k for k in _KEYS[table]),
        ]
        exact = first
        if date:
            exact = first.filter(pl.col(f"{date}_precision") == "day")
        several = pl.len().over(keys) > 1
        found.append(_faults(table, exact, several, date or "patient_id", "conflicting_rows"))
    if table == "infusions":
        found += _courses(first)
    return pl.concat(found)


def check_ends(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Records that end before they start; each record by itself, whatever else is wrong with it."""
    if table not in _STARTS or "end_date_latest" not in frame.columns:
        return no_faults()
    late = pl.col("end_date_latest") < pl.col(f"{_STARTS[table]}_earliest")
    return _faults(table, frame, late, "end_date", "end_before_start")


def _patient_dates(frame: pl.DataFrame) -> list[pl.DataFrame]:
    def before(date: str, other: str) -> pl.Expr:
        return pl.col(f"{date}_latest") < pl.col(f"{other}_earliest")

    found = [
        _faults("patients", frame, before(date, "birth_date"), date, "before_birth")
        for date in dates_of("patients")
        if date not in ("birth_date", "history_from")
    ]
    found += [
        _faults("patients", frame, before("death_date", date), date, "after_death")
        for date in ("onset_date", "diagnosis_date", "progression_onset_date", "enrolment_date")
    ]
    return [
        *found,
        _faults("patients", frame, before("death_date", "last_contact_date"), "last_contact_date", "contact_after_death"),
        _faults("patients", frame, before("diagnosis_date", "onset_date"), "diagnosis_date", "diagnosis_before_onset"),
        _faults("patients", frame, before("progression_onset_date", "onset_date"), "progression_onset_date",
                "progression_before_onset"),
        _faults("patients", frame,
                pl.col("course").is_in(["CIS", "RR", "RIS"]) & pl.col("progression_onset_date_earliest").is_not_null(),
                "course", "course_progression"),
    ]  # fmt: skip


def _jumps(days: pl.DataFrame, points: float) -> pl.DataFrame:
    # The highest of a day stands for the day, so that the rows' order decides nothing.
    visits = (
        days.group_by("patient_id", "visit_date_earliest")
        .agg(pl.col("edss").max(), pl.col("record"))
        .sort("patient_id", "visit_date_earliest")
        .with_columns((pl.col("edss") - pl.col("edss").shift(1).over("patient_id")).abs().alias("step"))
        .filter(pl.col("step") >= points)
        .explode("record")
    )
    return _faults("edss", visits, None, "edss", "edss_jump")


def _courses(infusions: pl.DataFrame) -> list[pl.DataFrame]:
    """Courses of alemtuzumab: their distance and their doses (domain.md)."""
    days = infusions.filter(
        pl.col("drug_inn") == "alemtuzumab", pl.col("infusion_date_precision") == "day"
    ).sort("patient_id", "infusion_date_earliest")
    day = pl.col("infusion_date_earliest")
    gap = (day - day.shift(1)).dt.total_days().over("patient_id")
    courses = (
        days.with_columns((gap.fill_null(COURSE_GAP_DAYS + 1) > COURSE_GAP_DAYS).alias("is_first"))
        .with_columns(pl.col("is_first").cast(pl.Int64).cum_sum().over("patient_id").alias("course"))
        .with_columns(
            day.min().over("patient_id", "course").alias("began"),
            day.n_unique().over("patient_id", "course").alias("days"),
            pl.col("dose_mg").min().over("patient_id", "course").alias("low"),
            pl.col("dose_mg").max().over("patient_id", "course").alias("high"),
        )
    )
    starts = courses.filter("is_first").with_columns(
        (pl.col("began") - pl.col("began").shift(1)).dt.total_days().over("patient_id").alias("interval")
    )
    early = courses.join(
        starts.filter(pl.col("interval") < COURSE_INTERVAL_DAYS).select("patient_id", "course"),
        on=["patient_id", "course"],
        how="semi",
    )
    is_label = (
        (pl.col("low") == 12)
        & (pl.col("high") == 12)
        & (pl.col("days") == pl.when(pl.col("course") == 1).then(5).otherwise(3))
    )
    is_legacy = pl.col("low").is_in([10.0]) & pl.when(pl.col("course") == 1).then(
        pl.col("high").is_in([10.0, 30.0])
    ).otherwise(pl.col("high") == 10)
    return [
        _faults("infusions", early, None, "infusion_date", "course_order"),
        _faults("infusions", courses, ~(is_label | is_legacy), "dose_mg", "dose_regimen"),
    ]


# --- across tables ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thresholds:
    """Where doubt begins; settable in cohort.yaml."""

    edss_jump_points: float = 3.0
    treatment_overlap_days: int = 30


def check_patients(
    frames: Mapping[str, pl.DataFrame], accepted: pl.DataFrame, *, has_patients: bool
) -> pl.DataFrame:
    """Faults of events against their patients.

    Args:
        frames: typed frames of all tables.
        accepted: accepted rows of `patients`, one a patient.
        has_patients: whether the cohort delivered that table; without it nobody is unknown.
    """
    if not has_patients:
        return no_faults()
    known = accepted.select(
        "patient_id",
        pl.lit(True).alias("_known"),
        pl.col("birth_date_earliest").alias("_birth"),
        pl.col("death_date_latest").alias("_death"),
        pl.col("last_contact_date_latest").alias("_contact"),
        pl.col("onset_date_earliest").alias("_onset"),
    )
    listed = frames["patients"].select("patient_id").drop_nulls().unique().with_columns(_listed=pl.lit(True))
    found = []
    for table, frame in frames.items():
        if table == "patients" or not frame.height:
            continue
        rows = (
            frame.filter(pl.col("patient_id").is_not_null())
            .join(known, on="patient_id", how="left")
            .join(listed, on="patient_id", how="left")
        )
        is_known, is_listed = pl.col("_known").is_not_null(), pl.col("_listed").is_not_null()
        found.append(_faults(table, rows, ~is_known & is_listed, "patient_id", "patient_rejected"))
        found.append(_faults(table, rows, ~is_known & ~is_listed, "patient_id", "unknown_patient"))
        date = main_date(table)
        for name in dates_of(table):
            found.append(
                _faults(table, rows, pl.col(f"{name}_latest") < pl.col("_birth"), name, "before_birth")
            )
        if table == "pk_samples":
            first = pl.col("first_dose_at").cast(pl.Date)
            found.append(_faults(table, rows, first < pl.col("_birth"), "first_dose_at", "before_birth"))
            found.append(_faults(table, rows, first > pl.col("_death"), "first_dose_at", "after_death"))
        if date:
            starts = pl.col(f"{date}_earliest")
            found.append(_faults(table, rows, starts > pl.col("_death"), date, "after_death"))
            found.append(_faults(table, rows, starts > pl.col("_contact"), date, "after_last_contact"))
        if table == "relapses":
            early = pl.col("onset_date_latest") < pl.col("_onset")
            found.append(_faults(table, rows, early, "onset_date", "relapse_before_onset"))
    return pl.concat(found) if found else no_faults()


def check_overlaps(treatments: pl.DataFrame, exclusive: Iterable[str], tolerance_days: int) -> pl.DataFrame:
    """Disease-modifying drugs that a patient had at once for longer than the tolerance.

    A treatment is compared with the five that started before it: more at once would be a data fault that
    these five show already.
    """
    rows = treatments.filter(
        pl.col("drug_inn").is_in(list(exclusive)), pl.col("start_date_earliest").is_not_null()
    ).sort("patient_id", "start_date_earliest", "record")
    if not rows.height:
        return no_faults()
    # An open treatment may have ended on any day: it is taken to end when the next one starts.
    end, start, drug = pl.col("end_date_earliest"), pl.col("start_date_latest"), pl.col("drug_inn")
    overlap = pl.any_horizontal(
        (
            ((end.shift(n).over("patient_id") - start).dt.total_days() > tolerance_days)
            & (drug.shift(n).over("patient_id") != drug)
        ).fill_null(False)
        for n in range(1, 6)
    )
    return _faults("treatments", rows, overlap, "start_date", "overlapping_treatments")


def derive_patients(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Patients of a cohort without `patients`: one row each with unknown sex and birth, from accepted events.

    The source is the first record in which the patient appears.
    """
    columns = lake_columns("patients")
    lineage = [name for name in LINEAGE if name != "warnings"]
    parts = [frame.select(lineage) for table, frame in frames.items() if table != "patients" and frame.height]
    if not parts:
        return pl.DataFrame(schema=columns)
    first = pl.concat(parts).unique(subset=["patient_id"], keep="first", maintain_order=True)
    return first.with_columns(
        sex=pl.lit("unknown"),
        warnings=pl.lit("patient_derived"),
        **{
            name: pl.lit(None, dtype=dtype)
            for name, dtype in columns.items()
            if name not in LINEAGE and name != "sex"
        },
    ).select(pl.col(name).cast(dtype) for name, dtype in columns.items())
