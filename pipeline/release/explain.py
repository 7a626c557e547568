"""Why a patient is eligible for a trial or not, criterion by criterion, from a release.

Reads the marts only and makes plain text that a study nurse can check against chart and protocol. Printing it,
and finding the release, belong to the command line.
"""

from __future__ import annotations

import textwrap
from typing import Any

import duckdb

from pipeline.errors import ReleaseError

WIDTH = 100
LEFT_OUT = (
    "So large a release shows the answers of the patients nearest to each trial alone (variable patient_criteria_rows in "
    "dbt_project.yml); this patient's values are not among them."
)
_MARKS = {True: "yes", False: "NO", None: " ? "}
VERDICTS = {
    "eligible": "eligible: every condition is satisfied",
    "eligible_on_evaluable": "eligible on what can be evaluated: nothing fails; what is marked ? must be asked",
    "ineligible": "ineligible",
    "indeterminate": "cannot be decided: data that could exclude the patient are missing",
}


def explain(connection: duckdb.DuckDBPyConnection, patient: str, trial: str) -> str:
    """The verdict and every criterion with both sides' evidence.

    Args:
        connection: an open release (`marts.duckdb`).
        patient: pseudonym, or `cohort/pseudonym` where two cohorts share one.
        trial: NCT id.

    Raises:
        ReleaseError: no such patient, trial or pair in this release, or the patient is not unique.
    """
    cohort, _, pseudonym = patient.rpartition("/")
    trial = trial.strip().upper()
    found = _rows(
        connection,
        "select * from trials.patient_eligibility where patient_id = $patient and nct_id = $trial "
        "and ($cohort = '' or lower(cohort) = lower($cohort)) order by cohort",
        {"patient": pseudonym.strip(), "trial": trial, "cohort": cohort.strip()},
    )
    if not found:
        raise ReleaseError(_not_found(connection, pseudonym.strip(), trial))
    if len(found) > 1:
        raise ReleaseError(
            "This pseudonym is in more than one cohort; name it as COHORT/PATIENT. Cohorts: "
            + ", ".join(row["cohort"] for row in found)
            + "."
        )
    verdict = found[0]
    criteria = _rows(
        connection,
        "select a.*, c.text from trials.patient_criteria a left join registry.criteria c "
        "on a.nct_id = c.nct_id and a.criterion_id = c.criterion_id "
        "where a.cohort = $cohort and a.patient_id = $patient and a.nct_id = $trial order by a.position_in_text",
        {"cohort": verdict["cohort"], "patient": verdict["patient_id"], "trial": trial},
    )
    title = connection.execute(
        "select brief_title from registry.studies where nct_id = $1", [trial]
    ).fetchone()
    lines = [*_head(verdict, title[0] if title else None), *_body(verdict, criteria)]
    if not criteria:
        lines += _sentences(connection, verdict)
    return "\n".join([*lines, ""])


def _sentences(connection: duckdb.DuckDBPyConnection, verdict: dict[str, Any]) -> list[str]:
    """What excludes, or is open, in the words of the protocol: for pairs whose answers the release leaves out."""
    texts = dict(
        connection.execute(
            "select criterion_id, text from registry.criteria where nct_id = $1", [verdict["nct_id"]]
        ).fetchall()
    )
    lines: list[str] = []
    for heading, ids in (
        ("Excluded by", [verdict["first_failing_criterion"]]),
        ("What would decide it", verdict["deciding_unknowns"] or []),
    ):
        found = [_plain(texts.get(criterion)) for criterion in ids if criterion]
        if found:
            lines += ["", heading, *(line for text in found for line in _wrapped(text, "  - "))]
    return lines


def _head(verdict: dict[str, Any], title: str | None) -> list[str]:
    basis = (
        "the day of index"
        if verdict["screening_basis"] == "index"
        else "the last day seen, for there is no index therapy"
    )
    lines = [f"Patient {verdict['patient_id']} of cohort {verdict['cohort']}, trial {verdict['nct_id']}"]
    lines += textwrap.wrap(_plain(title), WIDTH) if title else []
    lines += [
        f"Verdict: {VERDICTS[verdict['verdict']]}",
        f"As of {verdict['screened_on'] or 'no known day'} ({basis})",
        f"Criteria: {verdict['criteria_met']} satisfied, {verdict['criteria_not_met']} violated, "
        f"{verdict['criteria_unknown']} unknown",
    ]
    return lines


def _body(verdict: dict[str, Any], criteria: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    heading = None
    open_questions = list(verdict["deciding_unknowns"] or ())
    for row in criteria:
        part = f", {_plain(row['part'])}" if row["part"] else ""
        if heading != (row["section"], row["part"]):
            heading = (row["section"], row["part"])
            rule = "all must be met" if row["section"] == "inclusion" else "none may be met"
            lines += ["", f"{row['section'].capitalize()} criteria ({rule}){part}"]
        lines += _criterion(row, row["criterion_id"] == verdict["first_failing_criterion"])
    counted = verdict["criteria_met"] + verdict["criteria_not_met"] + verdict["criteria_unknown"]
    if len(criteria) < counted:
        lines += ["", *_wrapped(LEFT_OUT, "")]
    missing = [
        row
        for row in criteria
        if row["criterion_id"] in open_questions and row["unknown_kind"] in ("missing", "imprecise")
    ]
    if missing:
        lines += ["", "What would decide it"]
        for row in sorted(missing, key=lambda row: open_questions.index(row["criterion_id"])):
            lines += _wrapped(f"criterion {row['position_in_text']}: {_plain(row['reason'])}", "  - ")
    return lines


def _criterion(row: dict[str, Any], is_first_failing: bool) -> list[str]:
    note = " (one of several alternatives)" if row["is_alternative"] else ""
    note += "  <- excludes" if is_first_failing else ""
    lines = _wrapped(
        _plain(row["text"]) + note, f"  [{_MARKS[row['is_satisfied']]:^3}] {row['position_in_text']:>2}  "
    )
    indent = " " * 12
    lines += _wrapped(_plain(row["reason"]), indent)
    if row["patient_value"]:
        value = f"patient: {_plain(row['patient_value'])}"
        if row["patient_value_date"] and row["unknown_kind"] is None:
            value += f" ({row['patient_value_date']})"
        lines += _wrapped(value, indent)
    if row["source_file"]:
        cell = (
            f"row {row['source_row']}"
            if not row["source_column"]
            else f"cell {row['source_column']}{row['source_row']}"
        )
        lines += _wrapped(
            f"from delivery {row['source_file']}, sheet {_plain(row['source_sheet'])}, {cell}", indent
        )
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent)) or [indent]


def _plain(text: str | None) -> str:
    """Text from outside without control characters: a registry's text must not steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text or "").strip()


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _not_found(connection: duckdb.DuckDBPyConnection, patient: str, trial: str) -> str:
    study = connection.execute(
        "select is_current from registry.studies where nct_id = $1", [trial]
    ).fetchone()
    if study is None:
        return f"{trial} is not in this release: check the id, or pull a registry that has it."
    known = connection.execute(
        "select count(*) from cohort.patients where patient_id = $1", [patient]
    ).fetchone()
    if not known or known[0] == 0:
        return "No patient of this release has that pseudonym: look it up in cohort.patients."
    return (
        f"{trial} was not put to the patients: it is no longer current or not about their disease "
        "(variable screened_conditions in dbt_project.yml)."
    )
