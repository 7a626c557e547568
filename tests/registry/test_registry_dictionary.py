"""Schemas, dbt's YAML and the SQL name the same columns."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.registry import schemas

# What design.md promises analysts, table by table; `lead` of every other table is nct_id and ordinal.
PROMISED = {
    "studies": "nct_id, brief_title, official_title, acronym, overall_status, why_stopped, phase, study_type, "
    "enrollment_count, enrollment_type, lead_sponsor, sponsor_class, start_date, start_date_precision, "
    "primary_completion_date, completion_date, last_update_posted_date, minimum_age_years, maximum_age_years, sex, "
    "accepts_healthy_volunteers, has_results, source, is_current",
    "outcomes": "nct_id, outcome_type, ordinal, measure, description, time_frame, outcome_kind, outcome_kind_words",
    "outcome_epochs": "nct_id, outcome_type, ordinal, epoch_label, anchor, start_offset, end_offset, offset_unit, "
    "quote, parse_status",
    "criteria": "nct_id, criterion_id, section, ordinal, text, char_start, char_end, group_id, group_logic, "
    "parse_status",
    "criterion_constraints": "nct_id, criterion_id, kind, polarity, min_value, min_inclusive, max_value, "
    "max_inclusive, unit, window_value, window_unit, window_anchor, terms, quote, rule_id, rule_version, origin",
    "outcome_results": "nct_id, outcome_ordinal, outcome_kind, arm_title, class_title, category, time_point, "
    "param_type, value, dispersion_type, dispersion_value, lower_limit, upper_limit, unit, participants, raw_value, "
    "comment",
    "field_changes": "nct_id, field_path, change_kind, old_value, new_value, version, seen_at, "
    "is_primary_outcome_change, is_eligibility_change",
    "source_conflicts": "nct_id, field, left_source, left_value, right_source, right_value",
    **dict.fromkeys(
        ("conditions", "arms", "interventions", "locations", "sponsors", "identifiers", "study_references"),
        "nct_id, ordinal",
    ),
    **dict.fromkeys(("result_analyses", "baseline_measures", "participant_flow", "adverse_events"), "nct_id"),
}


def models(project: Path, folder: str) -> dict[str, dict]:
    file = project / "dbt_project" / "models" / folder / "registry" / "_registry__models.yml"
    return {model["name"]: model for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]}


@pytest.mark.parametrize("table", schemas.LAKE_TABLES)
def test_dbt_names_the_columns_of_the_lake(project: Path, table: str) -> None:
    partial_dates = [field.name for field in schemas.TABLES[table].fields if field.kind == "date"]
    staged = {column["name"] for column in models(project, "staging")[f"stg_registry__{table}"]["columns"]}
    assert staged == set(schemas.lake_columns(table)) | set(partial_dates)
    sql = (project / f"dbt_project/models/staging/registry/stg_registry__{table}.sql").read_text()
    assert f"source('lake_registry', '{table}')" in sql
    mart = {column["name"]: column for column in models(project, "marts")[f"registry__{table}"]["columns"]}
    bounds = {f"{name}_{bound}" for name in partial_dates for bound in ("earliest", "latest")}
    assert set(mart) == staged - bounds
    for field in schemas.TABLES[table].fields:
        if field.kind != "date":
            not_null = {"type": "not_null"} in mart[field.name].get("constraints", [])
            assert not_null == field.required, field.name


@pytest.mark.parametrize("table", PROMISED)
def test_promised_columns_are_there(project: Path, table: str) -> None:
    mart = {column["name"] for column in models(project, "marts")[f"registry__{table}"]["columns"]}
    assert set(PROMISED[table].split(", ")) <= mart


def test_every_table_and_column_is_described() -> None:
    for table in schemas.TABLES.values():
        assert table.description.endswith(".")
        assert table.grain
        for column in table.columns:
            assert column.description.strip().endswith("."), f"{table.name}.{column.name}"
