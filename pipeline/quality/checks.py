"""The record of checks: what ran, with counts and without values. Frames with the columns of quality.checks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

COLUMNS = {
    "check_name": pl.String(),
    "kind": pl.String(),
    "table_name": pl.String(),
    "severity": pl.String(),
    "status": pl.String(),
    "failures": pl.Int64(),
    "message": pl.String(),
}
STATUS = {"pass": "pass", "success": "pass", "warn": "warn", "fail": "fail", "error": "fail"}


def check(
    name: str,
    *,
    kind: str,
    table: str,
    failures: int = 0,
    severity: str = "error",
    message: str | None = None,
) -> dict[str, Any]:
    """One check as a row: it passes with no failures, else warns or fails by its severity."""
    status = "pass" if not failures else ("fail" if severity == "error" else "warn")
    values = (name, kind, table, severity, status, failures, message if failures else None)
    return dict(zip(COLUMNS, values, strict=True))


def of_dbt(run_results: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tests of one dbt run. dbt's messages are left out: they may quote a row."""
    found = []
    for result in run_results.get("results", ()):
        node = manifest["nodes"].get(result["unique_id"])
        if node is None or node["resource_type"] != "test" or result["status"] not in STATUS:
            continue
        on = manifest["nodes"].get(node.get("attached_node") or "")
        table = (
            f"{on['schema']}.{on['alias']}"
            if on
            else ", ".join(node.get("depends_on", {}).get("nodes", ())[:2])
        )
        status = STATUS[result["status"]]
        found.append(
            {
                "check_name": node["name"],
                "kind": "dbt",
                "table_name": table,
                "severity": str(node["config"].get("severity", "error")).lower(),
                "status": status,
                "failures": int(result.get("failures") or 0),
                "message": None
                if status == "pass"
                else "Query the failing rows: run this test with `dbt test --select`.",
            }
        )
    return found


def told(unique_id: str, manifest: Mapping[str, Any]) -> str:
    """What failed, in words of the person who edits a seed; a name where it is no rule of a seed. Never a value."""
    node = manifest["nodes"].get(unique_id, {})
    name = node.get("name") or unique_id.split(".")[2]
    seed = manifest["nodes"].get(node.get("attached_node") or "", {})
    rule = node.get("test_metadata") or {}
    if seed.get("resource_type") != "seed":
        return node.get("config", {}).get("meta", {}).get("told") or name
    allowed = rule.get("kwargs", {}).get("values", ())
    said = {
        "accepted_values": f"must be one of {', '.join(map(str, allowed))}",
        "not_null": "must be filled in every row",
        "unique": "must not repeat",
    }.get(rule.get("name"), f"breaks {rule.get('name')}")
    return f"{seed['original_file_path']}, column {node.get('column_name')}: {said}"


def write(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep one step's checks for the release step."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.write_text(json.dumps(list(rows)), "utf-8")


def read(folder: Path) -> pl.DataFrame:
    """The checks of all steps of this build."""
    rows = [row for file in sorted(folder.glob("*.json")) for row in json.loads(file.read_text("utf-8"))]
    return pl.DataFrame(rows, schema=COLUMNS)
