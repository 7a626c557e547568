"""Counts-only checks: what failed how often, never a value. Anybody may see these results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipeline.quality.accounting import adds_up


@dataclass(frozen=True)
class Check:
    """One check of one table: how many rows broke a rule, and whether that may be published.

    `passed` is false for a rule of level `error` that let rows through; rows that were set aside are
    counted, and their check passes, because they are not published.
    """

    rule: str
    table: str
    count: int
    level: Literal["error", "warning"]
    passed: bool


def of_rows(rejected: pl.DataFrame, accepted: dict[str, pl.DataFrame], warnings: bool = True) -> list[Check]:
    """Checks by table and rule from rejected rows (`table`, `rule`) and from the flags of accepted ones."""
    checks = [
        Check(row["rule"], row["table"], row["len"], "error", True)
        for row in rejected.group_by("table", "rule").len().sort("table", "rule").iter_rows(named=True)
    ]
    if warnings:
        for table, frame in sorted(accepted.items()):
            flags = (
                frame.select(pl.col("warnings").drop_nulls().str.split(","))
                .explode("warnings")
                .group_by("warnings")
                .len()
                .sort("warnings")
            )
            checks += [Check(rule, table, count, "warning", True) for rule, count in flags.iter_rows()]
    return checks


def of_deliveries(deliveries: pl.DataFrame) -> Check:
    """Blocking: every sheet's rows in are accepted + rejected + not data."""
    off = adds_up(deliveries).height
    return Check("rows_add_up", "deliveries", off, "error", off == 0)


def of_keys(patients: pl.DataFrame, events: Iterable[tuple[str, pl.DataFrame]]) -> list[Check]:
    """Blocking: one row a patient, and no event without its patient."""
    keys = ["cohort", "patient_id"]
    twice = patients.height - patients.select(keys).unique().height
    checks = [Check("one_row_a_patient", "patients", twice, "error", twice == 0)]
    for table, frame in events:
        orphans = frame.join(patients.select(keys), on=keys, how="anti").height
        checks.append(Check("patient_exists", table, orphans, "error", orphans == 0))
    return checks
