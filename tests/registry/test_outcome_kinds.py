"""What an outcome measures, and by which words."""

from __future__ import annotations

import re

import polars as pl
import pytest

from pipeline.registry import outcome_kinds


def kind(measure: str | None, description: str | None = None) -> tuple[str, str | None]:
    frame = pl.DataFrame(
        {"measure": [measure], "description": [description]},
        schema={"measure": pl.String, "description": pl.String},
    )
    return outcome_kinds.classify(frame).select("outcome_kind", "outcome_kind_words").row(0)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("Annualized Relapse Rate (ARR)", "arr"),
        ("Adjusted Annualised Protocol-Defined Relapse Rate at 96 Weeks", "arr"),
        ("Number of relapses per patient-year", "arr"),
        ("Time to First Relapse", "relapses"),
        ("Percentage of participants who were relapse-free at Year 2", "relapses"),
        (
            "Change From Baseline in Expanded Disability Status Scale (EDSS) Score at Months 4 and 8",
            "edss_change",
        ),
        ("EDSS: change from baseline", "edss_change"),
        ("Expanded Disability Status Scale (EDSS)", "edss"),
        ("Time to Sustained Accumulation of Disability (SAD)", "cdw"),
        ("Percentage of Participants With 6-Month Confirmed Disability Progression", "cdw"),
        ("Time to onset of disability progression confirmed for at least 12 weeks", "cdw"),
        ("Confirmed EDSS worsening", "cdw"),
        (
            "Percentage of Participants With Confirmed Disability Improvement (CDI) for at Least 12 Weeks",
            "cdi",
        ),
        ("Change in depression as measured by Children's Depression Inventory (CDI)", "depression_anxiety"),
        ("Proportion of patients with no evidence of disease activity (NEDA-3)", "neda"),
        ("Number of New or Enlarged T2 Lesions Per MRI Scan", "t2_lesions"),
        ("Percent change in T2 lesion volume", "t2_lesion_volume"),
        ("Total Number of T1 Gadolinium-Enhancing Lesions per Brain MRI Scan", "gd_lesions"),
        ("Number of Gd+ lesions", "gd_lesions"),
        ("Combined unique active lesions", "mri_activity"),
        ("Symbol Digit Modalities Test", "sdmt"),
        ("Brief Visuospatial Memory Test - Revised (BVMT-R)", "bvmt_r"),
        ("Pediatric Quality of Life (PedsQL) Questionnaire Score", "pedsql"),
        ("Pediatric Quality of Life in Neurological Disorders (NeuroQoL) Questionnaire Score", "neuroqol"),
        ("Multiple Sclerosis Severity Score", "msss"),
        ("Change in MSFC z-score", "msfc"),
        ("Timed 25-Foot Walk", "t25fw"),
        ("Retinal nerve fibre layer thickness", "oct"),
        ("Treatment-emergent Adverse Events (TEAE)", "adverse_events"),
        ("Maximum Serum Concentration Observed (Cmax) of Alemtuzumab", "pharmacokinetics"),
        ("Terminal Half-life (T1/2z) of Alemtuzumab", "pharmacokinetics"),
        ("AUC0-last", "pharmacokinetics"),
        ("Assessment of Lymphocyte Phenotyping", "lymphocytes"),
        ("Percentage of Participants With Incidence of Antidrug Antibodies (ADA)", "antidrug_antibodies"),
        ("Anti-alemtuzumab antibodies", "antidrug_antibodies"),
        ("36-Item Short Form (SF-36) quality of life", "quality_of_life"),
        ("Relapse-free survival", "survival"),
        ("Overall Survival (OS)", "survival"),
        ("Response in patients with relapse/refractory leukemia", "other"),
        ("Number of falls", "other"),
        (None, "other"),
    ],
)
def test_kinds(measure: str | None, expected: str) -> None:
    found, words = kind(measure)
    assert found == expected
    if expected == "other":
        assert words is None
    else:
        assert words
        assert words in measure


def test_the_title_decides_before_the_description() -> None:
    assert kind("Number of falls", "Annualized relapse rate is reported elsewhere")[0] == "arr"
    assert kind("Time to death", "EDSS is measured too") == ("mortality", "death")
    assert kind("Number of falls", "Any adverse event counts")[0] == "other"


def test_rows_keep_their_order_and_columns() -> None:
    frame = pl.DataFrame(
        {"nct_id": ["a", "b", "a", "c"], "measure": ["EDSS", "x", "EDSS", None]},
    )
    found = outcome_kinds.classify(frame)
    assert found.columns == ["nct_id", "measure", "outcome_kind", "outcome_kind_words"]
    assert found.get_column("outcome_kind").to_list() == ["edss", "other", "edss", "other"]
    assert found.get_column("nct_id").to_list() == ["a", "b", "a", "c"]
    assert outcome_kinds.classify(found).equals(found)
    assert outcome_kinds.classify(frame.clear()).schema["outcome_kind"] == pl.String


def test_every_rule_can_match_and_every_kind_is_listed() -> None:
    assert set(outcome_kinds.KINDS) == {kind for kind, _ in outcome_kinds.RULES} | {"other"}
    for name, pattern in outcome_kinds.RULES:
        # The patterns are Rust's: an unknown one would raise here.
        pl.Series([name]).str.contains(f"(?i){pattern}")


def test_the_mirror_page(shared) -> None:
    page = (shared / "seeds" / "mirror_NCT03368664.md").read_text("utf-8")
    measures = re.findall(r"^- \*\*(.+?)\*\* _\(time frame", page, re.M)
    found = outcome_kinds.classify(pl.DataFrame({"measure": measures}))
    assert found.get_column("outcome_kind").to_list() == [
        *["t2_lesions"] * 2, "edss_change", "adverse_events", "arr", "bvmt_r", "sdmt", "pedsql", "neuroqol",
        *["pharmacokinetics"] * 6, "lymphocytes", "antidrug_antibodies",
    ]  # fmt: skip
