"""Time frames → epochs: the language of protocols, said and unsaid."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.registry import timeframes


def read(*texts: str | None) -> pl.DataFrame:
    return timeframes.parse(
        pl.DataFrame(
            {
                "nct_id": ["NCT90000001"] * len(texts),
                "outcome_type": ["primary"] * len(texts),
                "ordinal": list(range(1, len(texts) + 1)),
                "measure": ["m"] * len(texts),
                "description": [None] * len(texts),
                "time_frame": list(texts),
            },
            schema_overrides={"time_frame": pl.String, "description": pl.String},
        )
    )


def offsets(text: str) -> list[tuple[str, str, float | None, float | None, str | None]]:
    columns = ["epoch_kind", "anchor", "start_offset", "end_offset", "offset_unit"]
    return read(text).select(columns).rows()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Baseline, Months 4 and 8",
            [
                ("point", "baseline", 0, 0, "day"),
                ("point", "baseline", 4, 4, "month"),
                ("point", "baseline", 8, 8, "month"),
            ],
        ),
        (
            "Period 1: Month -4 up to Month 0, Period 2: Month 4 to Month 8",
            [("range", "unstated", -4, 0, "month"), ("range", "unstated", 4, 8, "month")],
        ),
        ("Up to 5 years", [("range", "unstated", 0, 5, "year")]),
        ("Week 96", [("point", "unstated", 96, 96, "week")]),
        ("Day 1 to Month 24", [("range", "unstated", 0, 24, "month")]),
        ("12 weeks", [("length", "unstated", None, 12, "week")]),
        ("3 months, 6 months", [("point", "unstated", 3, 3, "month"), ("point", "unstated", 6, 6, "month")]),
        ("within 30 days after last dose", [("range", "last_dose", 0, 30, "day")]),
        ("12 months prior to baseline", [("point", "baseline", -12, -12, "month")]),
        (
            "4weeks, 8weeks after starting treatment",
            [("point", "treatment_start", 4, 4, "week"), ("point", "treatment_start", 8, 8, "week")],
        ),
        ("1-6 months after collecting last sample", [("range", "other", 1, 6, "month")]),
        ("Up to 3 years 5 months", [("range", "unstated", 0, 41, "month")]),
        ("Baseline and Day 90±2", [("point", "baseline", 0, 0, "day"), ("point", "baseline", 90, 90, "day")]),
        ("15 ± 3 days after the start of the therapy", [("point", "treatment_start", 15, 15, "day")]),
        ("Day 9+48 hours", [("point", "unstated", 11, 11, "day")]),
        ("Cycle 12 Day 1", [("point", "cycle_12", 1, 1, "day")]),
        ("0-５ years", [("range", "unstated", 0, 5, "year")]),
        ("From Week 1 to Week 8 (End of Treatment), Week 12 (Follow-up)",
         [("range", "unstated", 1, 8, "week"), ("point", "unstated", 12, 12, "week")]),
        ("2 months: from baseline to 14 days after the surgery",
         [("length", "unstated", None, 2, "month"), ("range", "baseline", 0, 14, "day")]),
        ("2023-2024", [("range", "calendar", 2023, 2024, "calendar_year")]),
        (">1 year post stent implantation", [("range", "implantation", 1, None, "year")]),
        ("Day 1 pre-dose", [("point", "unstated", 1, 1, "day")]),
        ("Change from Baseline to 1-Month Follow-up at 12 weeks", [("range", "baseline", 0, 12, "week")]),
        ("12 weeks, not completed due to COVID", [("length", "unstated", None, 12, "week")]),
        ("[Time Frame: 8 week core study]", [("length", "unstated", None, 8, "week")]),
        ("During intervention period", [("range", "unstated", 0, None, "day")]),
        ("for the duration of the treatment, with an expected average of 3 months", [("range", "unstated", 0, 3, "month")]),
        ("From date of complete response (CR), or remission until the date of relapse, assessed up to 2 years",
         [("range", "response", 0, 2, "year")]),
        ("From date of dosing (day 1) up to 50 weeks", [("range", "first_dose", 0, 50, "week")]),
        ("from first dose to within 30 days for the last dose", [("range", "first_dose", 0, 30, "day")]),
        ("At 28 days, 3 months and 6 months after infusion",
         [("point", "infusion", 28, 28, "day"), ("point", "infusion", 3, 3, "month"), ("point", "infusion", 6, 6, "month")]),
        ("Baseline to 3 months post treatment (20 weeks from baseline)", [("range", "baseline", 0, 3, "month")]),
        ("Baseline (Day 1) to Week 6", [("range", "baseline", 0, 6, "week")]),
        ("Post-treatment (8 weeks from baseline)", [("point", "baseline", 8, 8, "week")]),
        ("Day 1 through up to 30 days after last dose", [("range", "unstated", 1, 30, "day")]),
        ("From first infusion (Baseline, Day 0) to 4 weeks", [("range", "first_dose", 0, 4, "week")]),
        ("2 years, 11 months", [("length", "unstated", None, 35, "month")]),
        ("12 weeks, designed to collect data", [("length", "unstated", None, 12, "week")]),
        # The range's start is given in the unit of its end.
        ("At the inclusion visit (- 48 hours to Day 0)",
         [("point", "enrolment", 0, 0, "day"), ("range", "unstated", -2, 0, "day")]),
    ],
)  # fmt: skip
def test_protocol_language(text: str, expected: list[tuple[object, ...]]) -> None:
    assert offsets(text) == expected


def test_a_list_of_ends_shares_its_start() -> None:
    assert offsets("Baseline to Weeks 4, 8 and 12") == [
        ("range", "baseline", 0, 4, "week"),
        ("range", "baseline", 0, 8, "week"),
        ("range", "baseline", 0, 12, "week"),
    ]


def test_an_event_ends_the_range_and_the_bound_is_kept() -> None:
    row = read("From randomization until progression or death, assessed up to 60 months").row(0, named=True)
    assert (row["anchor"], row["start_offset"], row["end_offset"], row["offset_unit"]) == (
        "randomization",
        0,
        60,
        "month",
    )
    assert row["end_event"] == "progression or death"
    assert row["parse_status"] == "parsed"


def test_an_earlier_number_in_the_event_does_not_bound_it() -> None:
    text = (
        "From date of randomization until date of first Drug-Related Hypotension within 10 minutes of each flush, "
        "assessed up to 60 days"
    )
    assert offsets(text) == [("range", "randomization", 0, 60, "day")]


def test_two_anchors() -> None:
    row = read("From the first dose to 90 days after the last dose").row(0, named=True)
    assert (row["anchor"], row["end_anchor"], row["end_offset"]) == ("first_dose", "last_dose", 90)


def test_an_end_that_is_only_an_event_has_no_offset() -> None:
    row = read("From baseline to hospital discharge").row(0, named=True)
    assert (row["start_offset"], row["end_offset"], row["end_anchor"]) == (0, None, "discharge")


def test_units_that_differ_are_converted_and_say_so() -> None:
    row = read("Day 29 to Month 6").row(0, named=True)
    assert row["is_unit_converted"]
    assert row["start_offset"] == pytest.approx(29 / 30.436875, abs=1e-4)
    assert not read("Day 1 to Month 24").row(0, named=True)["is_unit_converted"]


def test_repetition_and_approximation() -> None:
    row = read("Every 8 weeks for approximately 2 years").row(0, named=True)
    assert row["repeats"] == "Every 8 weeks"
    assert row["is_approximate"]
    assert (row["start_offset"], row["end_offset"]) == (0, 2)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (None, "empty"),
        ("   ", "empty"),
        ("Matched period", "unparsed"),
        ("280", "unparsed"),
        ("N/A", "unparsed"),
        ("Measured before and after 6 weeks of use", "partial"),
        ("24 months before and 24 months after alemtuzumab start", "partial"),
        ("Week 96", "parsed"),
    ],
)
def test_what_is_not_understood_says_so(text: str | None, status: str) -> None:
    found = read(text)
    assert found.get_column("parse_status").unique().to_list() == [status]
    if status in ("empty", "unparsed"):
        assert found.height == 1
        assert found.row(0, named=True)["end_offset"] is None
        assert found.row(0, named=True)["quote"] == (text if status == "unparsed" else None)


def test_labels_and_quotes() -> None:
    found = read("Period 1: Month -4 up to Month 0, Period 2: Month 4 to Month 8")
    assert found.get_column("epoch_label").to_list() == ["Period 1", "Period 2"]
    assert found.get_column("quote").to_list() == ["Month -4 up to Month 0", "Month 4 to Month 8"]
    assert read("Months 4 and 8").get_column("epoch_label").to_list() == ["Month 4", "Month 8"]


def test_every_outcome_has_a_row_in_order() -> None:
    found = read("Week 4", None, "Week 4", "nothing said", "Baseline, Week 2")
    assert found.get_column("ordinal").to_list() == [1, 2, 3, 4, 5, 5]
    assert found.get_column("epoch_number").to_list() == [1, 1, 1, 1, 1, 2]
    assert dict(found.schema) == timeframes.COLUMNS
    assert read().height == 0
    assert dict(read().schema) == timeframes.COLUMNS


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from("0123456789 .,;:()±-–+/~abdehiklmnoprstuwyWDM\nİß５"),
        max_size=60,
    )
    | st.lists(
        st.sampled_from(
            ["week", "Day 1", "12 months", "to", "baseline", "(", ")", "up to", "until", "death", "after", "pre-",
             "last dose", ",", "and", "every", "between", "±", "average of", "cycle 2", "-", "3", "from"]
        ),
        max_size=12,
    ).map(" ".join)
)  # fmt: skip
def test_any_text_is_read_without_a_fault(text: str) -> None:
    found = read(text)
    assert found.height >= 1
    stripped = text.strip()
    for row in found.iter_rows(named=True):
        assert row["parse_status"] in timeframes.PARSE_STATUSES
        assert row["quote"] is None or row["quote"] in stripped
        assert row["epoch_kind"] is None or row["epoch_kind"] in timeframes.EPOCH_KINDS
        if row["epoch_kind"] is not None:
            # An epoch is never claimed out of nothing.
            assert row["quote"]
            assert row["end_offset"] is None or re.search(r"\d|[a-z]", row["quote"].lower())


def test_real_time_frames(shared) -> None:
    outcomes = []
    for file in sorted((shared / "registry" / "studies").iterdir()):
        text = file.read_text("utf-8")
        documents = (
            [json.loads(line) for line in text.splitlines()] if file.suffix == ".jsonl" else json.loads(text)
        )
        for study in _studies(documents):
            module = study["protocolSection"].get("outcomesModule", {})
            for kind in ("primary", "secondary", "other"):
                for ordinal, outcome in enumerate(module.get(f"{kind}Outcomes", []), start=1):
                    outcomes.append(
                        (
                            study["protocolSection"]["identificationModule"]["nctId"],
                            kind,
                            ordinal,
                            outcome.get("timeFrame"),
                        )
                    )
    frame = pl.DataFrame(
        outcomes,
        schema=["nct_id", "outcome_type", "ordinal", "time_frame"],
        orient="row",
        infer_schema_length=None,
    ).unique(maintain_order=True)
    share = timeframes.share_parsed(timeframes.parse(frame))
    # 2026-11: 97.6 % of the outcomes with a time frame, 98 % of the distinct texts. Below 95 % something broke.
    assert frame.height > 1500
    assert share["share_parsed"] >= 0.95, share


def test_the_mirror_page(shared) -> None:
    page = (shared / "seeds" / "mirror_NCT03368664.md").read_text("utf-8")
    texts = re.findall(r"_\(time frame: (.+?)\)_", page)
    assert len(texts) == 17
    found = read(*texts)
    assert found.get_column("parse_status").unique().to_list() == ["parsed"]
    assert found.filter(pl.col("ordinal") == 3).get_column("end_offset").to_list() == [0, 4, 8]


def _studies(documents):
    if isinstance(documents, dict):
        if "protocolSection" in documents:
            yield documents
            return
        documents = list(documents.values())
    if isinstance(documents, list):
        for document in documents:
            yield from _studies(document)
