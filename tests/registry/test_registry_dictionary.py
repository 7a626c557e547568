"""Schemas, dbt's YAML and the SQL name the same columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.registry import schemas, structure

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


# Values of the mapping that are constants of the other warehouse and no paths.
CONSTANTS = {
    "Outcome", "Baseline", "Reported Event", "Participant Flow", "Measure", "Overall", "primary", "secondary", "other",
    "lead", "collaborator", "serious", "mesh-list", "mesh-ancestor", "org_study_id", "secondary_id", "nct_alias",
    "overall", "deaths", "nct_id", "Total, all-cause mortality", "Total, other adverse events",
    "Total, serious adverse events",
}  # fmt: skip


def mapped_paths(node: dict, base: list[str], stack: list[list[str]]) -> Iterator[tuple[str, str, str]]:
    """Table, column and record path of everything that a mapping of the other warehouse reads."""
    levels = [[*base, *(node.get("root") or [])]]
    for name in node.get("flatten") or []:
        levels.append([*levels[-1], name])
    here = [*stack, *levels]
    for column in node.get("columns", []):
        value = column.get("value")
        if isinstance(value, (dict, bool)):  # a look-up or a function that the JSON does not show
            continue
        names = value if isinstance(value, list) else [value] if value else []
        up = sum(name == "$parent" for name in names)
        names = names[up:]
        if not (names and set(names) <= CONSTANTS):
            yield node["table"], column["name"], ".".join([*here[len(here) - 1 - up], *names])
    for child in node.get("children") or []:
        yield from mapped_paths(child, levels[-1], here)


def test_nothing_that_another_warehouse_has_is_missing(shared: Path) -> None:
    mapping = json.loads((shared / "registry" / "aact" / "aactv2_mapping.json").read_text(encoding="utf-8"))
    theirs = {entry for node in mapping for entry in mapped_paths(node, [], [])}
    assert len(theirs) > 250
    ours = {
        path
        for table in schemas.LAKE_TABLES
        for paths in schemas.record_paths(table).values()
        for path in paths
    }
    missing = {f"{table}.{column}" for table, column, path in theirs if path not in ours}
    assert missing == set(schemas.LEFT_OUT)


def test_every_path_of_the_registrys_own_metadata_is_declared_and_read(shared: Path) -> None:
    metadata = json.loads(
        (shared / "registry" / "openapi" / "studies_metadata.json").read_text(encoding="utf-8")
    )

    def leaves(node: dict, prefix: str) -> Iterator[str]:
        path = f"{prefix}.{node['name']}" if prefix else node["name"]
        if not node.get("children"):
            yield path
        for child in node.get("children", []):
            yield from leaves(child, path)

    registry = {leaf for node in metadata for leaf in leaves(node, "")}
    assert registry - {"protocolSection.contactsLocationsModule.locations.geoPoint"} <= set(structure.paths())
    ours = {
        path
        for table in schemas.LAKE_TABLES
        for paths in schemas.record_paths(table).values()
        for path in paths
    }
    assert registry - ours - set(NOT_A_COLUMN) == set()


# Leaves of the record that are no column of their own, and how they are used instead.
NOT_A_COLUMN = {
    "protocolSection.identificationModule.nctId": "The key of every table.",
    "protocolSection.contactsLocationsModule.locations.geoPoint": "Latitude and longitude.",
}
