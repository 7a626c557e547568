"""Criteria text to criteria and groups. The texts are invented."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.registry import eligibility
from pipeline.registry.eligibility.segmentation import segment


def criteria(text: str) -> pl.DataFrame:
    return segment(pl.DataFrame({"nct_id": ["NCT90000001"], "eligibility_text": [text]}))


def texts(text: str, section: str) -> list[str]:
    return criteria(text).filter(pl.col("section") == section)["text"].to_list()


@pytest.mark.parametrize(
    "bullet", ["* ", "- ", "• ", "1. ", "a) ", "(1) ", "1\\. ", "* 1\\. ", "· ", "o ", "– "]
)
def test_every_kind_of_bullet(bullet: str) -> None:
    text = f"Inclusion Criteria:\n\n{bullet}First one\n{bullet}Second one\n\nExclusion Criteria:\n\n{bullet}Third one"
    assert texts(text, "inclusion") == ["First one", "Second one"]
    assert texts(text, "exclusion") == ["Third one"]


@pytest.mark.parametrize(
    "header",
    ["Exclusion Criteria:", "Key exclusion criteria", "EXCLUSION CRITERIA", "## Exclusion criteria", "**Exclusion:**",
     "Main Exclusion Criteria (Part 1):", "4.2 Exclusion criteria", "List of exclusion criteria:", "Non-inclusion Criteria:",
     "Criteria for exclusion", "Participants' exclusion criteria:", "Not included:"],
)  # fmt: skip
def test_headers(header: str) -> None:
    assert texts(f"Inclusion Criteria\n\n* A thing\n\n{header}\n\n* Another thing", "exclusion") == [
        "Another thing"
    ]


def test_a_section_in_one_line() -> None:
    text = "Inclusion: MS, age 20-60\nExclusion:  pregnancy, steroids"
    assert texts(text, "inclusion") == ["MS, age 20-60"]
    assert texts(text, "exclusion") == ["pregnancy, steroids"]


def test_a_sentence_that_goes_on_below_is_no_header() -> None:
    text = "Exclusion Criteria:\n\n* A new drug less than 5 months (fingolimod 8 months before\n\ninclusion)\n\n* Another thing"
    assert texts(text, "exclusion") == [
        "A new drug less than 5 months (fingolimod 8 months before inclusion)",
        "Another thing",
    ]


def test_a_number_that_begins_a_line_is_no_bullet() -> None:
    text = "Exclusion Criteria:\n\n* Bilirubin of more than\n\n  2.5 times the upper limit of normal\n* 3.5 ≤ EDSS"
    assert texts(text, "exclusion") == [
        "Bilirubin of more than 2.5 times the upper limit of normal",
        "3.5 ≤ EDSS",
    ]


def test_a_criterion_that_mentions_exclusion_is_no_header() -> None:
    text = "Inclusion Criteria:\n\n* Fulfils none of the exclusion criteria of the run-in study and agrees to take part\n* B c"
    assert len(texts(text, "inclusion")) == 2


def test_text_without_headers_is_inclusion() -> None:
    assert texts("* Adults\n* With MS", "inclusion") == ["Adults", "With MS"]


def test_wrapped_lines_become_one_criterion_and_keep_their_span() -> None:
    text = (
        "\n        Inclusion Criteria:\r\n\r\n          -  Must have been treated with a drug for at least twelve consecutive months\r\n"
        "             prior to enrollment\r\n\r\n          -  Second\r\n"
    )
    rows = criteria(text)
    assert rows["text"].to_list()[0].endswith("consecutive months prior to enrollment")
    for row in rows.iter_rows(named=True):
        assert " ".join(text[row["char_start"] : row["char_end"]].split()) == row["text"]


def test_criteria_in_one_line_are_split() -> None:
    text = "Inclusion Criteria: 1. Age 18 to 55. 2. Relapsing MS. Exclusion Criteria: 1. Pregnancy."
    assert texts(text, "inclusion") == ["Age 18 to 55.", "Relapsing MS."]
    assert texts(text, "exclusion") == ["Pregnancy."]


def test_nested_alternatives_are_one_group() -> None:
    rows = criteria(
        "Inclusion Criteria:\n\n* One of the following:\n\n  * One relapse in the last year\n  * Two relapses in the last two years\n* EDSS 0-5"
    )
    assert rows["group_logic"].to_list() == ["all", "any", "any", "all"]
    assert rows["group_depth"].to_list() == [0, 1, 1, 0]
    assert rows["line_kind"].to_list() == ["intro", "item", "item", "item"]


def test_alternatives_on_the_level_of_their_introduction() -> None:
    rows = criteria(
        "Inclusion criteria :\n\n* At least 1 of the following:\n* A new lesion, or\n* Two relapses, or\n* Tried two drugs.\n* Signed consent."
    )
    assert rows["group_logic"].to_list() == ["all", "any", "any", "any", "all"]


def test_at_least_two_of_a_list() -> None:
    rows = criteria("Inclusion Criteria:\n\n* At least two of the following:\n  * A a\n  * B b\n  * C c")
    assert rows["group_minimum"].to_list() == [None, 2, 2, 2]


def test_exclusions_are_each_to_be_passed_unless_all_are_needed() -> None:
    each = criteria("Exclusion Criteria:\n\n* Any of the following:\n  * A a\n  * B b")
    assert each["group_logic"].to_list() == ["all", "all", "all"]
    both = criteria("Exclusion Criteria:\n\n* Both of the following:\n  * A a\n  * B b")
    assert both["group_logic"].to_list() == ["all", "any", "any"]


def test_a_negated_introduction_turns_its_list_into_exclusions() -> None:
    rows = criteria(
        "Inclusion Criteria:\n\n* No history of any of the following:\n  * Malignancy\n  * Hepatitis B"
    )
    assert rows["sense"].to_list() == ["require", "forbid", "forbid"]


def test_examples_are_not_conditions() -> None:
    rows = criteria("Inclusion Criteria:\n\n* Has a chronic disease, such as:\n  * Diabetes\n  * Asthma")
    assert rows["line_kind"].to_list() == ["intro", "note", "note"]


def test_parts_of_a_study() -> None:
    rows = criteria(
        "Inclusion Criteria (Part 1):\n\n* A a\n\nExclusion Criteria (Part 1):\n\n* B b\n\nInclusion Criteria (Part 2):\n\n* C c"
    )
    assert rows["part"].to_list() == ["part 1", "part 1", "part 2"]


def test_numbering_past_nine_does_not_nest() -> None:
    lines = "\n".join(f"{n}. Item number {n}:" if n == 9 else f"{n}. Item number {n}" for n in range(1, 12))
    assert set(criteria(f"Exclusion Criteria:\n\n{lines}")["group_depth"]) == {0}


def test_ids_survive_reordering_and_change_with_the_words() -> None:
    def ids(text: str) -> list[str]:
        return eligibility.parse(pl.DataFrame({"nct_id": ["NCT90000001"], "eligibility_text": [text]}))[
            "criteria"
        ]["criterion_id"].to_list()

    first = ids("Inclusion Criteria:\n\n* Age 18 to 55\n* EDSS 0 to 5.0")
    assert ids("Inclusion Criteria:\n\n1. EDSS 0 to  5.0\n2. age 18 to 55") == first[::-1]
    assert ids("Inclusion Criteria:\n\n* Age 18 to 60\n* EDSS 0 to 5.0")[0] != first[0]
    repeated = ids("Exclusion Criteria:\n\n* Pregnancy\n* Pregnancy")
    assert len(set(repeated)) == 2


@pytest.mark.parametrize(
    "text", ["", None, "   ", "\n\n", "***", "Inclusion Criteria:", "\\", "1.", "- ", "(((((", "≥" * 500]
)
def test_nothing_to_read_is_no_failure(text: str | None) -> None:
    frame = pl.DataFrame(
        {"nct_id": ["NCT90000001"], "eligibility_text": [text]},
        schema={"nct_id": pl.String, "eligibility_text": pl.String},
    )
    assert eligibility.parse(frame)["criterion_constraints"].is_empty()


def test_no_studies_give_typed_empty_tables() -> None:
    out = eligibility.parse(pl.DataFrame(schema={"nct_id": pl.String, "eligibility_text": pl.String}))
    assert out["criteria"].schema == eligibility.CRITERIA
    assert out["criterion_constraints"].schema == eligibility.CONSTRAINTS


def test_lines_broken_by_hand_hang_below_their_bullet() -> None:
    long = "x" * 130
    text = (
        f"Exclusion Criteria:\n\n   1. A very long one {long}\n   2. Treatment with interferon beta, azathioprine, methotrexate or\n"
        "      Betaseron within 30 days\n   3. Another thing"
    )
    assert texts(text, "exclusion")[1:] == [
        "Treatment with interferon beta, azathioprine, methotrexate or Betaseron within 30 days",
        "Another thing",
    ]


def test_numbers_in_one_paragraph_need_no_full_stop() -> None:
    text = (
        "Inclusion Criteria: 1) Diagnosis of MS 2) Age of 18 to 50 years 3) Able to walk 4) Willing to come"
    )
    assert texts(text, "inclusion") == [
        "Diagnosis of MS",
        "Age of 18 to 50 years",
        "Able to walk",
        "Willing to come",
    ]


def test_a_header_within_the_paragraph() -> None:
    text = "INCLUSION: 1) MS. 2) EDSS 1-5. EXCLUSION: 1) Relapse within 50 days. 2) Pregnancy."
    assert texts(text, "inclusion") == ["MS.", "EDSS 1-5."]
    assert texts(text, "exclusion") == ["Relapse within 50 days.", "Pregnancy."]


def test_what_subjects_must_not() -> None:
    text = "Subjects must:\n\n* have MS\n\nSubjects must not:\n\n* have used natalizumab"
    found = criteria(text).filter(pl.col("line_kind") == "item")
    assert found["sense"].to_list() == ["require", "forbid"]


def test_dashes_behind_headers_in_one_paragraph() -> None:
    text = "Inclusion Criteria: MS for 2 years - EDSS 0 - 5 - Two relapses - Age 18 - 50 Exclusion Criteria: - Steroids - Pregnancy"
    assert texts(text, "inclusion") == ["MS for 2 years", "EDSS 0 - 5", "Two relapses", "Age 18 - 50"]
    assert texts(text, "exclusion") == ["Steroids", "Pregnancy"]


def test_letters_below_numbers_on_one_column() -> None:
    text = (
        "Inclusion Criteria\n\n1. Active disease:\na. one relapse, or\nb. one lesion\n2. EDSS 1-5\n\n"
        "Exclusion Criteria\n\n1. Prior treatment with:\na. Alemtuzumab\nb. Cladribine\n2. Steroids"
    )
    found = criteria(text)
    assert found["parent"].to_list() == [None, 0, 0, None, None, 4, 4, None]
    assert found["group_logic"].to_list()[1:3] == ["any", "any"]
    assert found["context"].to_list()[5] == "Prior treatment with:"
