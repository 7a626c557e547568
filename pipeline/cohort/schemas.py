"""The canonical cohort tables: fields with kind, unit, sensitivity and meaning, and the lake columns they become.

This is the dictionary of the cohort side: the template, the mapping, the pandera schemas, dbt's YAML and
the data dictionary are generated from it or tested against it. No reading and no rules across rows here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["id", "text", "code", "date", "timestamp", "number", "integer", "boolean"]
Sensitivity = Literal["identifier", "personal", "clinical"]


@dataclass(frozen=True)
class Field:
    """One canonical column.

    `kind` decides how text becomes a value and which lake columns appear: a date `x` becomes
    `x_earliest`, `x_latest` (the possible days), `x_precision` (`day`, `month`, `year`) and `x_text`.
    """

    name: str
    kind: Kind
    description: str
    required: bool = False
    unit: str | None = None
    codes: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    sensitivity: Sensitivity = "clinical"
    published: str | None = None  # what a release shows of a text, where that is not what was delivered


def _f(name: str, kind: Kind, description: str, **options) -> Field:
    return Field(name, kind, description, **options)


_LISTED = "Published in the words that Remit knows; any other text is `withheld` and a code."
_DRUG = "Published as the brand or INN that was recognised; any other text is `unmapped drug` and a code."

PATIENT = _f("patient_id", "id", "Patient identifier as the clinic knows it; leaves landing only as a pseudonym.",
             required=True, sensitivity="identifier")  # fmt: skip

TABLES: dict[str, tuple[Field, ...]] = {
    "patients": (
        PATIENT,
        _f("sex", "code", "Sex.", required=True, codes=("female", "male", "unknown"), sensitivity="personal"),
        _f("birth_date", "date", "Date of birth; marts show the year alone.", required=True, sensitivity="personal"),
        _f("onset_date", "date", "Date of the first MS symptom."),
        _f("diagnosis_date", "date", "Date on which MS was diagnosed."),
        _f("course", "code", "Disease course.", codes=("CIS", "RR", "SP", "PP", "PR", "RIS", "unknown")),
        _f("progression_onset_date", "date", "Start of the progressive phase."),
        _f("enrolment_date", "date", "Enrolment into the group's prospective cohort."),
        _f("history_from", "date", "From this day on relapses and treatments are completely recorded."),
        _f("last_contact_date", "date", "Last day on which the patient was known to be under observation."),
        _f("death_date", "date", "Date of death.", sensitivity="personal"),
        _f("regular_corticosteroids", "boolean", "Regular (pulsed or continuous) corticosteroids at baseline."),
        _f("is_nmo", "boolean", "Neuromyelitis optica instead of MS."),
    ),
    "edss": (
        PATIENT,
        _f("visit_date", "date", "Date of the visit.", required=True),
        _f("edss", "number", "Expanded Disability Status Scale.", required=True, unit="points", minimum=0, maximum=10),
        _f("in_relapse", "boolean", "The visit was made during a relapse."),
        _f("is_valid_confirmation", "boolean", "May confirm a disability event; blank counts as yes."),
        _f("msss_recorded", "number", "MSSS as the clinic computed it.", unit="points", minimum=0, maximum=10),
        _f("fs_visual", "integer", "Functional system: visual.", unit="points", minimum=0, maximum=6),
        _f("fs_brainstem", "integer", "Functional system: brainstem.", unit="points", minimum=0, maximum=5),
        _f("fs_pyramidal", "integer", "Functional system: pyramidal.", unit="points", minimum=0, maximum=6),
        _f("fs_cerebellar", "integer", "Functional system: cerebellar.", unit="points", minimum=0, maximum=5),
        _f("fs_sensory", "integer", "Functional system: sensory.", unit="points", minimum=0, maximum=6),
        _f("fs_bowel_bladder", "integer", "Functional system: bowel and bladder.", unit="points", minimum=0, maximum=6),
        _f("fs_cerebral", "integer", "Functional system: cerebral.", unit="points", minimum=0, maximum=5),
        _f("ambulation", "integer", "Ambulation score (Neurostatus).", unit="points", minimum=0, maximum=16),
    ),
    "relapses": (
        PATIENT,
        _f("onset_date", "date", "First day of the relapse.", required=True),
        _f("relapse_id", "text", "The clinic's own number of the relapse.",
           published="Published as its number within the patient, in the order of the clinic's own numbers."),
        _f("end_date", "date", "Last day of the relapse."),
        _f("severity", "code", "Severity.", codes=("mild", "moderate", "severe")),
        _f("recovery", "code", "Recovery.", codes=("full", "partial", "none")),
        _f("steroids", "boolean", "Treated with corticosteroids."),
        _f("is_pseudo_relapse", "boolean", "Worsening by fever or infection: kept, never counted."),
    ),
    "treatments": (
        PATIENT,
        _f("drug", "text", "Drug as written by the clinic.", required=True, published=_DRUG),
        _f("start_date", "date", "First day of treatment.", required=True),
        _f("end_date", "date", "Last day of treatment; blank while it goes on."),
        _f("stop_reason", "code", "Why it was stopped.",
           codes=("inefficacy", "intolerance", "safety", "pregnancy", "switch", "other")),
        _f("dose", "number", "Dose.", minimum=0),
        _f("dose_unit", "text", "Unit of the dose.", published=_LISTED),
    ),
    "infusions": (
        PATIENT,
        _f("drug", "text", "Drug as written by the clinic.", required=True, published=_DRUG),
        _f("infusion_date", "date", "Day of the infusion.", required=True),
        _f("dose_mg", "number", "Dose given on this day.", required=True, unit="mg", minimum=0),
        _f("reason", "code", "Why the course was given.", codes=("first", "scheduled", "relapse", "mri", "other")),
    ),
    "mri_scans": (
        PATIENT,
        _f("scan_date", "date", "Date of the scan.", required=True),
        _f("region", "code", "Region.", codes=("brain", "cervical_cord", "thoracic_cord", "whole_spinal_cord")),
        _f("new_or_enlarging_t2", "integer", "New or enlarging T2 lesions against the scan before.", unit="lesions", minimum=0),
        _f("gd_lesions", "integer", "Gadolinium-enhancing T1 lesions.", unit="lesions", minimum=0),
        _f("t2_lesions", "integer", "T2 lesions in all.", unit="lesions", minimum=0),
    ),
    "assessments": (
        PATIENT,
        _f("assessed_on", "date", "Date of the assessment.", required=True),
        _f("instrument", "code", "Instrument.", required=True,
           codes=("SDMT", "BVMT-R", "PedsQL", "NeuroQoL", "T25FW", "9HPT", "PASAT", "OCT")),
        _f("scale", "text", "Scale of the instrument (total_recall, physical …).", required=True, published=_LISTED),
        _f("value", "number", "Score in the instrument's own unit.", required=True),
        _f("item", "text", "Item, where single items are delivered.", published=_LISTED),
        _f("respondent", "code", "Who answered.", codes=("patient", "child", "parent")),
    ),
    "adverse_events": (
        PATIENT,
        _f("term", "text", "Adverse event as reported or coded.", required=True, published=_LISTED),
        _f("onset_date", "date", "First day.", required=True),
        _f("end_date", "date", "Last day."),
        _f("is_serious", "boolean", "Serious by the ICH definition."),
        _f("grade", "integer", "CTCAE grade.", minimum=1, maximum=5),
        _f("is_related", "boolean", "Related to the index therapy in the clinic's judgement."),
    ),
    "laboratory": (
        PATIENT,
        _f("sampled_on", "date", "Day of the sample.", required=True),
        _f("test", "text", "Test (lymphocytes, cd4, cd19, alt, creatinine, antidrug_antibodies …).", required=True, published=_LISTED),
        _f("value", "number", "Result.", required=True),
        _f("comparator", "code", "Comparator of a censored result.", codes=("<", "<=", ">", ">=")),
        _f("unit", "text", "Unit.", published=_LISTED),
    ),
    "medical_history": (
        PATIENT,
        _f("category", "code", "Kind of condition.", required=True,
           codes=("malignancy", "hiv", "hepatitis_b", "hepatitis_c", "tuberculosis", "infection", "autoimmunity",
                  "thyroid", "pregnancy", "breastfeeding", "contraception", "psychiatric", "cardiovascular",
                  "epilepsy", "bleeding", "hepatic", "renal", "mri_contraindication", "hypersensitivity",
                  "transplant", "substance_abuse", "other")),
        _f("status", "code", "Whether it is there.", required=True, codes=("present", "absent", "past", "unknown")),
        _f("onset_date", "date", "Since when."),
        _f("end_date", "date", "Until when."),
    ),
    "pk_samples": (
        PATIENT,
        _f("first_dose_at", "timestamp", "First dose of the profile that the sample belongs to.", required=True),
        _f("time_h", "number", "Time since the first dose.", required=True, unit="h"),
        _f("concentration", "number", "Serum concentration.", required=True, minimum=0),
        _f("unit", "text", "Unit of the concentration.", published=_LISTED),
        _f("is_below_quantification", "boolean", "Below the lower limit of quantification."),
        _f("lower_limit", "number", "Lower limit of quantification.", minimum=0),
    ),
}  # fmt: skip

# What every accepted row carries beside its fields. `source_file` is the delivery, never a file name.
LINEAGE: dict[str, pl.DataType] = {
    "cohort": pl.String(),
    "patient_id": pl.String(),  # the pseudonym
    "source_file": pl.String(),  # delivery_id: cohort + number
    "file_sha256": pl.String(),
    "source_sheet": pl.String(),  # canonical table, declared sheet name, or `sheet 3`
    "source_row": pl.Int64(),  # row number in the sheet as a person sees it, from 1
    "warnings": pl.String(),  # rule ids of kept-and-flagged faults, comma-separated; null: none
    "is_invented": pl.Boolean(),
}

# Columns that reading adds to what was delivered: name → (type, meaning).
DERIVED: dict[str, dict[str, tuple[pl.DataType, str]]] = {
    table: {
        "drug_inn": (
            pl.String(),
            "International nonproprietary name; null where the drug is not known (UNMAPPED).",
        )
    }
    for table in ("treatments", "infusions")
} | {
    "patients": {
        "incomplete_tables": (
            pl.String(),
            "Tables of which a row of this patient was set aside, comma-separated; null where none. What is not found "
            "there is not shown to be absent.",
        )
    }
}

# Lake tables about the deliveries themselves, in every cohort's snapshot.
DELIVERIES: dict[str, pl.DataType] = {
    "cohort": pl.String(),
    "delivery_id": pl.String(),
    "file_sha256": pl.String(),
    "received_at": pl.Datetime("us"),
    "sheet": pl.String(),
    "table_name": pl.String(),
    "rows_in": pl.Int64(),
    "rows_accepted": pl.Int64(),
    "rows_rejected": pl.Int64(),
    "rows_not_data": pl.Int64(),
}
REJECTED_ROWS: dict[str, pl.DataType] = {
    "cohort": pl.String(),
    "delivery_id": pl.String(),
    "sheet": pl.String(),
    "row_number": pl.Int64(),
    "column_name": pl.String(),  # canonical, or `column 7`
    "rule": pl.String(),
    "message": pl.String(),  # what is expected; never a value
}
DELIVERED_COLUMNS: dict[str, pl.DataType] = {
    "cohort": pl.String(),
    "delivery_id": pl.String(),
    "sheet": pl.String(),
    "table_name": pl.String(),
    "column_name": pl.String(),  # canonical field
    "column_letter": pl.String(),  # `E`: with source_row the cell `E12`
}
COHORTS: dict[str, pl.DataType] = {
    "cohort": pl.String(),
    "is_invented": pl.Boolean(),
    "delivered_tables": pl.String(),  # comma-separated: absence proves something only in a delivered table
}

_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "code": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "timestamp": pl.Datetime("us"),
}


def lake_columns(table: str) -> dict[str, pl.DataType]:
    """Names and types of a table's Parquet in the lake, in order."""
    if table in META_TABLES:
        return META_TABLES[table]
    columns = {name: kind for name, kind in LINEAGE.items() if name in ("cohort", "patient_id")}
    for field in TABLES[table]:
        if field.kind == "id":
            continue
        if field.kind == "date":
            columns[f"{field.name}_earliest"] = pl.Date()
            columns[f"{field.name}_latest"] = pl.Date()
            columns[f"{field.name}_precision"] = pl.String()
            columns[f"{field.name}_text"] = pl.String()
        else:
            columns[field.name] = _TYPES[field.kind]
    columns |= {name: kind for name, (kind, _) in DERIVED.get(table, {}).items()}
    return columns | {name: kind for name, kind in LINEAGE.items() if name not in columns}


META_TABLES: dict[str, dict[str, pl.DataType]] = {
    "deliveries": DELIVERIES,
    "rejected_rows": REJECTED_ROWS,
    "delivered_columns": DELIVERED_COLUMNS,
    "cohorts": COHORTS,
}

LAKE_TABLES: tuple[str, ...] = (*TABLES, *META_TABLES)


def empty(table: str) -> pl.DataFrame:
    """An empty frame with the lake types of `table`."""
    return pl.DataFrame(schema=lake_columns(table))


LINEAGE_DESCRIPTIONS: dict[str, str] = {
    "cohort": "The cohort: its folder's name in the inbox.",
    "patient_id": "Keyed pseudonym of the patient; unique with `cohort`.",
    "source_file": "Delivery that the row came with.",
    "file_sha256": "Hash of the delivered file.",
    "source_sheet": "Sheet of the delivered file.",
    "source_row": "Row in that sheet, from 1 as the spreadsheet shows it.",
    "warnings": "Rules that flagged the row but kept it, comma-separated; null where none.",
    "is_invented": "True for the sample cohort that ships with Remit.",
    "delivery_id": "The delivery: cohort and number.",
    "received_at": "When the file was landed (UTC).",
    "sheet": "Sheet of the delivered file.",
    "table_name": "Canonical table that the sheet was read as.",
    "rows_in": "Rows of the sheet under its header.",
    "rows_accepted": "Rows that became canonical records.",
    "rows_rejected": "Rows set aside.",
    "rows_not_data": "Blank rows, legends and totals declared as not data.",
    "row_number": "Row in the sheet, from 1.",
    "column_name": "Canonical column, or `column 7` for an unmapped header.",
    "rule": "Rule that the row broke.",
    "message": "What was expected; never the value.",
    "column_letter": "Letter of the column in the sheet.",
    "delivered_tables": "Canonical tables delivered, comma-separated.",
}
DATE_PARTS = {
    "earliest": "First day that the delivered date allows.",
    "latest": "Last day that the delivered date allows.",
    "precision": "What was delivered: day, month or year.",
    "text": "The date as it was read.",
}


def description(table: str, column: str) -> str:
    """What a lake column means."""
    if column in LINEAGE_DESCRIPTIONS:
        return LINEAGE_DESCRIPTIONS[column]
    if column in DERIVED.get(table, {}):
        return DERIVED[table][column][1]
    for field in TABLES.get(table, ()):
        if field.name == column:
            parts = (field.description, f"Unit: {field.unit}." if field.unit else None, field.published)
            return " ".join(part for part in parts if part)
        if field.kind == "date" and column.startswith(f"{field.name}_"):
            return f"{field.description} {DATE_PARTS[column.removeprefix(field.name + '_')]}"
    raise KeyError(column)
