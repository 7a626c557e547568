"""Invented protocols for tests of the evaluation: criteria and constraints as rows, written to a lake.

Only what reading text would give: no text is read here, so that a fault of the grammar fails its own tests and
not these.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipeline import lake

S, N, F, B = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()
CRITERIA: dict[str, pl.DataType] = {
    "nct_id": S, "criterion_id": S, "section": S, "ordinal": N, "text": S, "char_start": N, "char_end": N, "part": S,
    "group_id": S, "parent_group_id": S, "group_logic": S, "group_minimum": N, "group_depth": N, "parse_status": S,
    "is_subjective": B, "text_sha256": S, "origin": S, "constraint_count": N,
}  # fmt: skip
CONSTRAINTS: dict[str, pl.DataType] = {
    "nct_id": S, "criterion_id": S, "constraint_ordinal": N, "kind": S, "polarity": S, "min_value": F, "min_inclusive": B,
    "max_value": F, "max_inclusive": B, "unit": S, "measure": S, "window_value": F, "window_unit": S,
    "window_near_value": F, "window_near_unit": S, "window_anchor": S, "terms": pl.List(S), "term_logic": S,
    "exception_terms": pl.List(S), "exceptions": pl.List(S), "is_qualified": B, "on_therapy_value": F,
    "on_therapy_unit": S, "any_of_group": S, "all_of_group": S, "quote": S, "char_start": N, "char_end": N,
    "rule_id": S, "rule_version": N, "origin": S,
}  # fmt: skip
Row = dict[str, Any]


def need(
    kind: str, *terms: str, polarity: str = "require", window: tuple[float, str] | None = None, **more: Any
) -> Row:
    """A constraint; `low` and `high` are inclusive bounds, `window` a span before screening."""
    row: Row = {"kind": kind, "polarity": polarity, "terms": list(terms), "quote": f"{kind} as the text says"}
    if (low := more.pop("low", None)) is not None:
        row |= {"min_value": float(low), "min_inclusive": True}
    if (high := more.pop("high", None)) is not None:
        row |= {"max_value": float(high), "max_inclusive": True}
    if window:
        row |= {"window_value": float(window[0]), "window_unit": window[1]}
    return row | more


def criterion(section: str, *constraints: Row, status: str = "parsed", **more: Any) -> Row:
    """A criterion with its constraints."""
    return {"section": section, "parse_status": status, "constraints": list(constraints)} | more


def as_protocol(read: dict[str, pl.DataFrame]) -> list[Row]:
    """What eligibility.parse gives of one study, as `write_registry` takes it."""
    constraints: dict[str, list[Row]] = {}
    for row in read["criterion_constraints"].to_dicts():
        constraints.setdefault(row["criterion_id"], []).append(row)
    return [
        {name: row[name] for name in CRITERIA} | {"constraints": constraints.get(row["criterion_id"], [])}
        for row in read["criteria"].to_dicts()
    ]


def _rows(protocols: dict[str, list[Row]], **more: Any) -> tuple[list[Row], list[Row]]:
    """Criteria and constraints of protocols as rows of the lake; `more` stands in every row."""
    criteria: list[Row] = []
    constraints: list[Row] = []
    for nct_id, rows in protocols.items():
        for ordinal, row in enumerate(rows, start=1):
            criterion_id = row.get("criterion_id") or f"{nct_id}-{row['section'][0]}-{ordinal}"
            criteria.append(
                {"nct_id": nct_id, "criterion_id": criterion_id, "ordinal": ordinal, "text": f"sentence {ordinal}", "part": "",
                 "is_subjective": False, "origin": "text", "constraint_count": len(row["constraints"])}
                | {name: value for name, value in row.items() if name in CRITERIA} | more
            )  # fmt: skip
            for place, constraint in enumerate(row["constraints"], start=1):
                constraints.append(
                    {"nct_id": nct_id, "criterion_id": criterion_id, "constraint_ordinal": place, "term_logic": "any",
                     "exception_terms": [], "exceptions": [], "is_qualified": False, "rule_id": "test", "rule_version": 1,
                     "origin": "grammar"} | constraint | more
                )  # fmt: skip
    return criteria, constraints


def write_registry(
    base: Path,
    protocols: dict[str, list[Row]],
    condition: str = "Multiple Sclerosis",
    earlier: Sequence[dict[str, list[Row]]] = (),
) -> dict[str, pl.DataFrame]:
    """The registry's lake tables that the evaluation reads, below `base/registry`.

    `earlier`: protocols as they stood before their latest amendment, then before the one before it, and so on.
    """
    from pipeline.registry import schemas

    criteria, constraints = _rows(protocols)
    amendments: list[Row] = []
    earlier_criteria: list[Row] = []
    earlier_constraints: list[Row] = []
    for back, before in enumerate(earlier, start=1):
        rows = _rows(before, versions_back=back)
        earlier_criteria += rows[0]
        earlier_constraints += rows[1]
        amendments += [
            {"nct_id": nct_id, "versions_back": back, "version": f"v-{back}", "seen_at": datetime(2026, 11, 1 + back), "source": "snapshot"}
            for nct_id in before
        ]  # fmt: skip
    studies = [
        {
            "nct_id": nct_id,
            "brief_title": "Invented",
            "official_title": "Invented",
            "is_current": True,
            "source": "snapshot",
            "seen_at": datetime(2026, 11, 1),
            "document_sha256": "0",
        }
        for nct_id in protocols
    ]
    conditions = [{"nct_id": nct_id, "ordinal": 1, "condition": condition} for nct_id in protocols]
    given: dict[str, list[Row]] = {
        "criteria": criteria, "criterion_constraints": constraints, "studies": studies, "conditions": conditions,
        "amendments": amendments, "earlier_criteria": earlier_criteria,
        "earlier_criterion_constraints": earlier_constraints,
    }  # fmt: skip
    own = {
        "criteria": CRITERIA,
        "criterion_constraints": CONSTRAINTS,
        "earlier_criteria": {"versions_back": N} | CRITERIA,
        "earlier_criterion_constraints": {"versions_back": N} | CONSTRAINTS,
    }
    frames = {}
    for name in schemas.TABLES:
        columns = own.get(name) or schemas.lake_columns(name)
        rows = given.get(name, [])
        frames[name] = pl.DataFrame(rows, schema=columns)

    def write(folder: Path) -> None:
        for name, frame in frames.items():
            lake.write_table(folder, name, frame)

    lake.write_snapshot(base / "registry", "test", write)
    return frames
