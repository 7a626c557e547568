"""Time frames of registered outcomes → epochs: "Period 1: Month -4 up to Month 0" → anchor, offsets, unit, quote.

Here belong the language of time frames and the reading of it. What an epoch means for a patient (index,
clipping, exposure) is decided in dbt; the outcomes themselves come from the tables.

A text is cut into words that carry time (numbers with units, named moments such as "baseline" or "last
dose", "to", "after", "up to" …) and these are read from left to right. What the text does not say is not
made up: a bare "12 weeks" has a length and no start, an anchor that nobody names is `unstated`. Each
distinct text is read once; studies share most of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import polars as pl

COLUMNS: dict[str, pl.DataType] = {
    "nct_id": pl.String(),
    "outcome_type": pl.String(),
    "ordinal": pl.Int64(),
    "epoch_number": pl.Int64(),
    "epoch_label": pl.String(),
    "epoch_kind": pl.String(),
    "anchor": pl.String(),
    "anchor_words": pl.String(),
    "start_offset": pl.Float64(),
    "end_offset": pl.Float64(),
    "offset_unit": pl.String(),
    "end_anchor": pl.String(),
    "end_event": pl.String(),
    "repeats": pl.String(),
    "is_approximate": pl.Boolean(),
    "is_unit_converted": pl.Boolean(),
    "quote": pl.String(),
    "parse_status": pl.String(),
}

# What the parser may say; the schema of the lake table checks it.
EPOCH_KINDS = ("point", "range", "length")
PARSE_STATUSES = ("parsed", "partial", "unparsed", "empty")

# Mean Gregorian lengths, for a range whose ends are given in different units ("Day 29 to Month 6").
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.436875, "year": 365.2425}

# More plain words than this around the epochs and the text may say something that was not understood.
_WORDS_LIMIT = 12

_NUMBERS = {
    word: value
    for value, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        start=1,
    )
} | {"fifteen": 15, "eighteen": 18, "twenty": 20, "twenty-four": 24, "thirty": 30, "sixty": 60, "ninety": 90}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}

_N = r"(?:\d+(?:\.\d+)?(?![\d.]*[a-z]*\d)|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + r")"
_UNIT = (
    r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|mounths?|mths?|mos?|years?|yrs?|yr|cycles?|visits?)"
    r"(?![a-z])"
)
_SHORT = r"(?:h|d|w|wk|mo|m|y)(?![a-z])"
_TOLERANCE = rf"(?:\s*\(?\s*(?:±|\+\s?/\s?-|\+-|\+/−)\s*{_N}(?:\s*-?{_UNIT})?\s*\)?)"
_LIST = r"-?\s*(?:,\s*(?:and\b|or\b|&)?|;|\band\b|\bor\b|&|/|\bto\b|-)\s*"
_SIGNED = rf"(?:(?:(?<=\s)|(?<=\())[-+]\s?)?{_N}"

# Named moments. The first pattern that fits wins, so the longer phrases stand first.
_THERAPY = (
    r"(?:treatments?|therap(?:y|ies)|interventions?|drugs?|medications?|chemotherapy|dosing|training|program(?:me)?"
    r"|study drug|study treatment|administration|infusions?|study product|immunotherapy|radiotherapy|radiation)"
)
_MOMENTS: tuple[tuple[str, str], ...] = (
    (
        "study_end",
        r"(?:end|completion|conclusion|close|termination|finish) of (?:the )?(?:safety )?"
        r"(?:whole |entire |main |clinical )?(?:study|trial|follow[- ]?up|observation)"
        r"(?: (?:period|visit|follow[- ]?up|participation|extension period))*(?! (?:treatment|therapy|drug))"
        r"|(?:study|trial) (?:completion|end|conclusion|termination|closure)|end[- ]of[- ](?:study|trial)(?! (?:treatment|therapy|drug))"
        r"|(?:last|final) (?:study )?(?:follow[- ]?up|visit|assessment|contact)|data cut[- ]?off|last seen"
        r"|(?<=post )(?:study|trial)(?! (?:treatment|drug|medication|intervention|start))|(?<=post-)(?:study|trial)(?! (?:treatment|drug|medication|intervention|start))"
        r"|end of safety follow[- ]up(?: extension)?(?: period)?",
    ),
    (
        "last_dose",
        r"(?:last|final) (?:[a-z-]+ ){0,3}?(?:doses?|administration|injection|infusion|application|dosing|vaccination|treatment)"
        r"(?: of (?:study )?(?:drug|treatment|medication|intervention|vaccine))?",
    ),
    (
        "first_dose",
        r"(?:first|1st|initial) (?:[a-z0-9-]+ ){0,2}?(?:doses?|administration|injection|infusion|application|vaccination|dosing)"
        r"(?: of (?:study )?(?:drug|treatment|medication|intervention|vaccine))?|date of (?:first )?dosing",
    ),
    (
        "treatment_end",
        rf"(?:end|completion|completing|completed|conclusion|discontinuation|cessation|stopping|stop|withdrawal) (?:of )?"
        rf"(?:(?:the|all|study|trial|last|protocol|their|assigned|randomi[sz]ed|\d+-week) )*{_THERAPY}(?: (?:period|phase|visit|cycle|duration))?"
        rf"|end[- ]of[- ]{_THERAPY}|(?:study |trial )?{_THERAPY} (?:completion|end|discontinuation|cessation)|\beot\b"
        r"|duration of (?:the )?(?:treatment|therapy|intervention)",
    ),
    (
        "treatment_start",
        rf"(?:start|starting|initiation|initiating|beginning|commencement|commencing|onset|introduction) (?:of )?"
        rf"(?:(?:the|study|trial|of|their|a|any|new|first|acalabrutinib|protocol|assigned|experimental) )*{_THERAPY}"
        rf"|(?:study |trial )?{_THERAPY} (?:start|initiation|onset|commencement)|first prescription",
    ),
    (
        "study_start",
        r"(?:start|beginning|onset|initiation) of (?:the )?(?:study|trial)|(?:study|trial) (?:start|initiation)",
    ),
    ("randomization", r"randomi[sz]ation|randomi[sz]ed|randomi[sz]ing"),
    ("screening", r"screening|run-in"),
    (
        "enrolment",
        r"enrol?l?ment|enrol?led|inclusion(?: visit)?|study entry|entry into the (?:study|trial)|registration|recruitment"
        r"|(?:signing of )?(?:the )?informed consent|consent|intake|pre-?enrol?lment",
    ),
    ("baseline", r"base[- ]?lines?|basline|\bt0\b"),
    ("index_date", r"index (?:date|visit(?: date)?|event)|index"),
    ("remission", r"complete remission|(?:confirmation of )?remission(?: status)?"),
    ("response", r"(?:initial |objective |complete |partial |tumou?r )*response"),
    (
        "progression",
        r"(?:objective |radiological |radiographic |disease |tumou?r |clinical )*progression|\bpd\b",
    ),
    ("relapse", r"(?:disease[- ])?relapse|recurrence"),
    ("death", r"deaths?|mortality"),
    ("discharge", r"(?:hospital )?discharge|end of (?:the )?hospitali[sz]ation"),
    ("admission", r"(?:hospital )?admission|hospitali[sz]ation"),
    ("transplantation", r"transplant(?:ation)?s?"),
    (
        "surgery",
        r"(?:index )?(?:surger(?:y|ies)|(?:intra-?|peri-?)?operat(?:ion|ive(?:ly)?)|surgical procedure|op)",
    ),
    ("implantation", r"(?:stent |device )?implant(?:ation)?"),
    ("procedure", r"(?:index )?procedures?"),
    ("delivery", r"delivery|partum|birth|childbirth"),
    ("diagnosis", r"diagnosis"),
    ("vaccination", r"vaccinations?|immuni[sz]ations?"),
    ("infusion", r"(?:(?:intravenous|iv|car[- ]?t|cells?|drug|1st|first|[a-z]+\d+) )*infusions?"),
    ("injection", r"injections?"),
    ("dose", r"doses?|dosing|administration|application"),
    ("symptom_onset", r"(?:symptom|disease) onset|onset(?: of symptoms)?"),
    ("follow_up", r"follow[- ]?ups?(?: visits?)?(?: \d(?=\s*[(,]))?|safety follow[- ]?up"),
    ("treatment_middle", rf"mid[- ]?{_THERAPY}"),
    ("treatment", rf"(?:study )?{_THERAPY}"),
)
_MOMENT = "|".join(f"(?P<m_{name}>{pattern})" for name, pattern in _MOMENTS)
# Words that are moments only where they stand alone or behind "at", "from", "until" …
_WEAK = {
    "treatment",
    "dose",
    "relapse",
    "death",
    "progression",
    "response",
    "follow_up",
    "infusion",
    "injection",
    "procedure",
    "surgery",
    "vaccination",
    "transplantation",
    "diagnosis",
    "remission",
    "index_date",
    "delivery",
}
_PERIODS = {"treatment", "treatment_end", "follow_up", "admission", "discharge", "study_end"}
# Moments that their own "(Day 1)" or "(Week 0)" only repeats.
_STARTS = {
    "baseline",
    "screening",
    "enrolment",
    "randomization",
    "first_dose",
    "dose",
    "treatment_start",
    "treatment",
    "study_start",
    "infusion",
    "injection",
    "procedure",
    "surgery",
    "transplantation",
    "vaccination",
}
# "post-treatment" and "after treatment" look past its end, "pre-treatment" before its start.
_AFTER_OF = {"treatment": "treatment_end", "dose": "dose", "follow_up": "follow_up"}
_BEFORE_OF = {"treatment": "treatment_start"}

_GLUED = r"dos(?:e|ing)|partum|op(?:erative)?|treatment|therapy|intervention|infusion|injection|procedure|transplant|surg|vaccin|baseline|randomi"

_TOKEN = re.compile(
    "|".join(
        (
            r"\s+",
            # The length of a cycle, and how often something is done: no epochs of their own.
            rf"(?P<definition>(?:(?:each|every|one|a|1)\s+)?cycle\s*(?:length\s*)?(?:is|=|lasts|of|:|was)\s*(?:approximately )?{_N}[- ]*{_UNIT}"
            rf"(?:\s+in duration|\s+long)?|estimated completion duration of {_N} {_UNIT}|completion duration of {_N} {_UNIT})",
            rf"(?P<every>(?:(?:as of )?the (?:1st|first|last) day )?(?:of )?\b(?:each|every)\s+(?:~\s*|approximately )?(?:{_N}[- ]*(?:-\s*{_N}\s*)?)?(?:{_UNIT}|other day|{_N}-?day cycle|visit)(?:\s+cycle)?"
            rf"|\b(?:twice |once |three times )?(?:daily|weekly|monthly|yearly|annually|quarterly|biweekly|half[- ]annually|half[- ]yearly|semi-?annually|hourly)\b"
            rf"|(?:{_N}-{_N}|{_N}|once|twice) times? (?:a|per|each) (?:day|week|month|year)|once (?:a|per) (?:day|week|month|year))",
            r"(?P<date>(?:(?:19|20)\d\d\s*-\s*(?:19|20)\d\d(?!\d)|\d{1,2}/\d{1,2}/(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d"
            r"|(?:\d{1,2}\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[-,. ]+(?:\d{1,2},?\s+)?(?:19|20)\d\d|(?<=in )20\d\d))",
            rf"(?P<compound>{_N}\s*-?\s*(?:years?|yrs?),?\s*(?:and\s*)?(?:[1-9]|1[01]|one|two|three|four|five|six|seven|eight|nine|ten|eleven)\s*-?\s*months?(?![a-z]))",
            rf"(?P<lead>(?:{_UNIT}|\bday|\b[dwm](?=\d))\s*[#:]?\s*{_SIGNED}{_TOLERANCE}?"
            rf"(?:{_LIST}{_N}(?![.\d]*(?:\s*-?\s*(?:{_UNIT}|{_SHORT})|[a-z])){_TOLERANCE}?|\s+{_N}(?=\s*(?:and|,|&))(?!\s*-?\s*{_UNIT}))*"
            rf"(?:\s*\+\s*{_N}\s*{_UNIT})?)",
            rf"(?P<ordinal>(?:\d+(?:st|nd|rd|th)|{'|'.join(_ORDINALS)})\s+(?:day|week|month|year|cycle)(?![a-z]))",
            rf"(?P<trail>(?:(?:(?<=\()|(?<=from )|(?<=to )|^)-\s?)?{_N}{_TOLERANCE}?(?:(?:{_LIST}|\s+){_N}{_TOLERANCE}?)*\s*-?\s*(?:{_UNIT}|(?<=\d){_SHORT})(?:\s*±\s*{_N}\s*{_UNIT})?)",
            r"(?P<label>(?:(?:study )?(?:period|phase|part|stage|arm|group|cohort|point)\s*[0-9a-z]{1,3}\s*[.:](?=\s))"
            r"|(?:primary|secondary) endpoints?:|(?:^|(?<=[;,.] ))(?!time ?frame)[a-z][a-z-]{1,14}:(?=\s))",
            r"(?P<compared>compared (?:to|with)|relative to|versus|\bvs\b\.?)",
            r"(?P<upto>\b(?:up ?to(?: a)?(?: maximum(?: of)?)?|upto|ap to|within(?: the first)?|over(?: the first)?|maximum(?: of)?|at most|no more than"
            r"|for(?: up to)?|during(?: the first)?|throughout|in the first|first(?=\s*\d))\b|<\s*(?:or)?\s*=?|≤)",
            r"(?P<beyond>>\s*=?|≥|\bat least\b|\bmore than\b|\bafter at least\b)",
            r"(?P<until>\b(?:until|till|(?<!due )(?<!according )(?<!related )(?<!relative )to(?! be\b)|thru|through(?! study completion| completion)(?:out)?)\b(?:\s+up to\b)?)",
            r"(?P<completion>\bthrough(?:out)?(?: to)? (?:the )?(?:study (?:completion|conduct)|completion(?: of (?:the )?study)?|the study)\b)",
            r"(?P<between>\bbetween\b)",
            r"(?P<from>\b(?:from|since|(?:starting|beginning) (?:from|at|on))\b)",
            rf"(?P<after>\b(?:(?:after|following|post)\b-?|post(?={_GLUED})))",
            rf"(?P<before>\b(?:before|prior to|preceding)\b|\bpre(?:-|\b|(?={_GLUED})))",
            rf"(?P<moment>(?:\b|(?<=post)|(?<=pre))(?:{_MOMENT})(?![a-z]))",
            r"(?P<approx>~|≈|\b(?:approximately|approx\.?|about|around|circa|(?:an )?(?:expected |estimated )?(?:average|avarage|mean|median)(?:s)?"
            r"(?:\s+(?:study|follow[- ]?up|trial))?(?:\s+(?:duration|time ?frame|time|period))?(?:\s+of)?|estimated(?: to be)?|expected|anytime)\b)",
            r"(?P<at>\bat\b|\bon\b|\bby\b)",
            r"(?P<open>[(\[])",
            r"(?P<close>[)\]])",
            r"(?P<plus>\+)",
            r"(?P<colon>:)",
            r"(?P<dash>-)",
            r"(?P<and>\band\b|&|\bor\b|/)",
            r"(?P<stop>[,;|]|\.(?=\s|$)|\n)",
            r"(?P<named>(?:groups?|arms?|cohorts?|parts?|courses?|stage|grade|level|step|version|visit) \d+(?: and \d+)?(?![\da-z]))",
            r"(?P<number>\d[\d.,]*)",
            r"(?P<word>[^\W\d_][\w'’-]*)",
        )
    )
)
# Ends the phrase that names an event.
_PHRASE_ENDS = {
    "lead",
    "trail",
    "compound",
    "ordinal",
    "upto",
    "approx",
    "stop",
    "close",
    "until",
    "date",
    "open",
    "every",
    "colon",
}
_NUMBERED = {"lead", "trail", "compound", "ordinal"}
_QUIET = {
    *[
        "the",
        "of",
        "a",
        "an",
        "in",
        "is",
        "be",
        "as",
        "s",
        "which",
        "and",
        "or",
        "any",
        "its",
        "his",
        "her",
        "their",
        "then",
        "per",
        "only",
        "this",
        "that",
        "these",
        "those",
        "was",
        "were",
        "will",
        "time",
        "timeframe",
        "frame",
        "period",
        "study",
        "trial",
        "end",
        "date",
        "day",
        "visit",
        "measured",
        "assessed",
        "evaluated",
        "collected",
        "change",
        "changes",
        "difference",
        "follow",
        "followed",
        "duration",
        "post",
        "immediately",
        "each",
        "single",
        "timepoint",
        "timepoints",
        "points",
        "immediate",
        "first",
        "documented",
        "documentation",
        "occurrence",
        "initial",
        "initially",
        "patient",
        "patients",
        "subject",
        "subjects",
        "participant",
        "participants",
    ]
}
# Typographic variants, one character for one, so that positions in the text stay true.
_PLAIN = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\t\r", " ")
    | {"\u223c": "~", "\u2019": "'", "\u00d7": "x"}
    | {chr(0xFF10 + digit): str(digit) for digit in range(10)}
)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    moment: str | None = None


@dataclass
class _Moment:
    """A place in time: an offset from an anchor. `low` and `high` differ for "6-9 months"."""

    start: int
    end: int
    anchor: str = "unstated"
    words: str | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    is_point: bool = False  # "week 12" is a point; "12 weeks" may be a length
    is_approximate: bool = False
    label: str | None = None
    event: str | None = None

    @property
    def has_number(self) -> bool:
        return self.low is not None


@dataclass
class _Epoch:
    start: int
    end: int
    kind: str
    anchor: str
    anchor_words: str | None = None
    start_offset: float | None = None
    end_offset: float | None = None
    unit: str | None = None
    end_anchor: str | None = None
    end_event: str | None = None
    is_approximate: bool = False
    is_unit_converted: bool = False
    label: str | None = None


@dataclass
class _Reading:
    epochs: list[_Epoch] = field(default_factory=list)
    repeats: str | None = None
    status: str = "unparsed"


def parse(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Epochs of registered outcomes, one row for each time point or period that a time frame names.

    Args:
        outcomes: `nct_id, outcome_type, ordinal, time_frame` (other columns are ignored), one row an outcome.

    Returns:
        Columns `COLUMNS`. `epoch_kind` is `point` ("Week 12": both offsets are 12), `range` ("Day 1 to Month
        24") or `length` ("12 weeks": the start is not said and null). Offsets count in `offset_unit` (minute,
        hour, day, week, month, year, cycle, visit, calendar_year) from `anchor`, negative before it; the end
        counts from `end_anchor`, which differs from the anchor in "first dose to 30 days after last dose".
        A range that ends with an event has `end_event`, and an end offset only where the text bounds it.
        `quote` is the span of the text that the epoch was read from; for `unparsed` the whole text.
        `parse_status`: `parsed` (all that speaks of time was understood), `partial` (something was left over),
        `unparsed`, `empty` (no time frame registered). Every outcome has at least one row.
    """
    keyed = outcomes.select(
        pl.col("nct_id").cast(pl.String),
        pl.col("outcome_type").cast(pl.String),
        pl.col("ordinal").cast(pl.Int64),
        pl.col("time_frame").cast(pl.String).str.strip_chars().replace("", None),
    )
    texts = keyed.get_column("time_frame").drop_nulls().unique(maintain_order=True).to_list()
    rows = [row for text in texts for row in _rows(text)]
    epoch_columns = {
        name: kind for name, kind in COLUMNS.items() if name not in ("nct_id", "outcome_type", "ordinal")
    }
    epochs = pl.DataFrame(rows, schema={"time_frame": pl.String(), **epoch_columns}, orient="row")
    return (
        keyed.join(epochs, on="time_frame", how="left", maintain_order="left_right")
        .with_columns(
            pl.col("parse_status").fill_null("empty"),
            pl.col("epoch_number").fill_null(1),
            pl.col("is_approximate", "is_unit_converted").fill_null(False),
        )
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    )


def share_parsed(epochs: pl.DataFrame) -> dict[str, float | int]:
    """How well the time frames were understood: counts of outcomes by status and the share `parsed`.

    Outcomes without a registered time frame stand in no denominator.
    """
    outcomes = epochs.unique(["nct_id", "outcome_type", "ordinal"], keep="first")
    counts = dict(outcomes.group_by("parse_status").len().iter_rows())
    with_text = sum(count for status, count in counts.items() if status != "empty")
    return {
        **{status: counts.get(status, 0) for status in PARSE_STATUSES},
        "share_parsed": counts.get("parsed", 0) / with_text if with_text else 1.0,
    }


# Studies share most of their time frames; a load reads them batch by batch.
@lru_cache(maxsize=1 << 17)
def _rows(text: str) -> tuple[tuple[object, ...], ...]:
    reading = _read(text)
    if not reading.epochs:
        return ((text, 1, *(None,) * 9, reading.repeats, False, False, text, reading.status),)
    return tuple(
        (
            text,
            number,
            epoch.label or _squeeze(text[epoch.start : epoch.end]),
            epoch.kind,
            epoch.anchor,
            epoch.anchor_words,
            epoch.start_offset,
            epoch.end_offset,
            epoch.unit,
            epoch.end_anchor or epoch.anchor,
            epoch.end_event,
            reading.repeats,
            epoch.is_approximate,
            epoch.is_unit_converted,
            text[epoch.start : epoch.end],
            reading.status,
        )
        for number, epoch in enumerate(reading.epochs, start=1)
    )


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _read(text: str) -> _Reading:
    plain = text.translate(_PLAIN)
    lowered = plain.lower()
    # A few letters change length in lower case; then only ASCII ones are lowered, so that spans stay true.
    if len(lowered) != len(plain):
        lowered = "".join(letter.lower() if letter.isascii() else letter for letter in plain)
    tokens = [
        _Token(match.lastgroup or "", match.group(), match.start(), match.end())
        if not (match.lastgroup or "").startswith("m_") and match.lastgroup != "moment"
        else _Token("moment", match.group(), match.start(), match.end(), _moment_name(match))
        for match in _TOKEN.finditer(lowered)
        if match.lastgroup
    ]
    return _Reader(text, tokens).read()


def _moment_name(match: re.Match[str]) -> str:
    for name, _ in _MOMENTS:
        if match.group(f"m_{name}") is not None:
            return name
    return "other"


class _Reader:
    """Reads the tokens of one text from left to right."""

    def __init__(self, text: str, tokens: list[_Token]):
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.reading = _Reading()
        self.label: _Token | None = None
        self.left_over = 0
        self.words = 0
        self.between = False
        self.is_approximate = False
        self.is_from = False

    # --- the text

    def read(self) -> _Reading:
        while self.at < len(self.tokens):
            before = self.at
            self._clause()
            if self.at == before:
                self.at += 1
        self._share_anchor()
        self._inherit_anchor()
        self._number_lists()
        reading = self.reading
        if reading.epochs:
            is_whole = not self.left_over and self.words <= _WORDS_LIMIT
            reading.status = "parsed" if is_whole else "partial"
        elif reading.repeats and not self.left_over:
            reading.status = "partial"
        return reading

    def _clause(self) -> None:
        token = self.tokens[self.at]
        kind = token.kind
        if kind == "label":
            self.label = token
            self.at += 1
        elif kind in (
            "definition",
            "compared",
            "at",
            "and",
            "stop",
            "open",
            "close",
            "dash",
            "plus",
            "colon",
        ):
            self.at += 1
        elif kind == "every":
            self.reading.repeats = self.reading.repeats or _squeeze(
                self.text[token.start : token.end]
            ).removeprefix("of ")
            self.at += 1
        elif kind == "approx":
            self.is_approximate = True
            self.at += 1
        elif kind == "between":
            self.between = True
            self.at += 1
        elif kind == "date":
            self._dates()
        elif kind in ("upto", "beyond"):
            self._up_to()
        elif kind == "completion":
            self._open_range(self._nothing(token), token, event="study completion")
        elif kind == "until":
            self._until_without_start()
        elif kind in ("word", "named"):
            # "post course 1 and course 2": the second is an anchor that was not taken up.
            self.left_over += kind == "named" and token.text.startswith("course")
            self.words += token.text not in _QUIET
            self.at += 1
        elif kind == "number":
            self.left_over += 1
            self.at += 1
        else:
            self._moment_or_range()

    # --- epochs

    def _moment_or_range(self) -> None:
        self.is_from = self._token().kind == "from"
        moment = self._moment()
        if moment is None:
            return
        link = self._link()
        if link is None:
            self._emit(moment)
            return
        self.at = link
        self.between = False
        self._range(moment)

    def _link(self) -> int | None:
        """The place behind a "to" that follows here, past quiet words; None where no range goes on."""
        place = self.at
        while place < len(self.tokens):
            token = self.tokens[place]
            if token.kind in ("until", "completion"):
                return place if token.kind == "completion" else place + 1
            if token.kind == "dash":
                return place + 1 if self._kind(place + 1) in _NUMBERED | {"moment", "upto"} else None
            if token.kind == "upto" and token.text.startswith(("up", "ap")):
                return place + 1
            if token.kind == "and" and self.between:
                return place + 1
            if (
                token.kind == "stop"
                and token.text == ","
                and self._kind(place + 1) in ("until", "completion")
            ):
                place += 1
                continue
            if token.kind == "word" and token.text in _QUIET:
                place += 1
                continue
            return self._far_link(place) if self.is_from else None
        return None

    def _far_link(self, place: int) -> int | None:
        """The "until" of a "from" whose event has alternatives: "from response, or remission, until relapse"."""
        for further in range(place, len(self.tokens)):
            token = self.tokens[further]
            if token.kind == "until" and token.text != "to":
                return further + 1
            if token.kind in _NUMBERED | {"number", "date", "from", "label"} or token.text in (
                ";",
                ".",
                "\n",
            ):
                return None
        return None

    def _range(self, start: _Moment) -> None:
        token = self._token()
        if token is not None and token.kind == "completion":
            self._open_range(start, token, event="study completion")
            return
        # "Week 1 to Week 8, Week 12": only a named start has several ends.
        ends = self._list_of_moments(is_one=start.has_number)
        if ends and ends[0].has_number:
            for end in ends:
                self._emit_range(start, end)
            return
        if ends:
            self._open_range(
                start, None, event_start=ends[0].start, event_end=ends[0].end, end_anchor=ends[0].anchor
            )
        else:
            self._open_range(start, None, event_start=self._here())

    def _list_of_moments(self, is_one: bool = False) -> list[_Moment]:
        """The moments that end a range: "Weeks 4 and 8" are two ends of one start."""
        first = self._moment(as_end=True)
        if first is None:
            return []
        found = [first, *self._pending]
        self._pending = []
        if is_one:
            return found
        while self._kind(self.at) in ("and",) or (
            self._kind(self.at) == "stop"
            and self._token().text == ","
            and self._kind(self.at + 1) in ("lead", "trail", "and")
        ):
            place = self.at
            while self._kind(self.at) in ("and", "stop"):
                self.at += 1
            if self._kind(self.at) not in ("lead", "trail", "ordinal") or not first.has_number:
                self.at = place
                break
            following = self._moment(as_end=True)
            if following is None:
                self.at = place
                break
            if self._link() is not None:
                # "Week 1 to Week 2, Week 3 to Week 4": the next range begins here.
                self.at = place
                break
            found += [following, *self._pending]
            self._pending = []
        return found

    _pending: list[_Moment] = []  # noqa: RUF012 - replaced, never changed in place

    def _open_range(
        self,
        start: _Moment,
        token: _Token | None,
        event: str | None = None,
        event_start: int | None = None,
        event_end: int | None = None,
        end_anchor: str | None = None,
    ) -> None:
        """A range that ends with an event: "until progression or death, assessed up to 60 months"."""
        if token is not None:
            event_start, self.at = token.start, self.at + 1
        end_moment, event_end = None, token.end if token else event_end
        if token is not None:
            end_anchor = "study_end"
        if (
            token is not None
            and self._kind(self.at) in ("until", "upto")
            and self._kind(self.at + 1)
            not in (
                "lead",
                "trail",
                "compound",
            )
        ):
            self.at += 1
        strong, depth = self._later_bound(), 0
        while self.at < len(self.tokens):
            now = self._token()
            if now.kind == "stop" and now.text in (";", ".", "\n") and not self._bound_follows(self.at + 1):
                break
            if now.kind == "label":
                break
            if now.kind in ("lead", "trail", "compound", "ordinal") and (strong is None or self.at > strong):
                end_moment = self._moment(as_end=True)
                break
            if now.kind == "date" or now.kind in ("word", "moment"):
                event_end = now.end
            elif now.kind == "number":
                self.left_over += 1
            elif now.kind == "approx":
                self.is_approximate = True
            elif now.kind == "every":
                self.reading.repeats = self.reading.repeats or _squeeze(self.text[now.start : now.end])
            elif now.kind == "open":
                depth += 1
            elif now.kind == "close":
                depth -= 1
                if depth < 0 and not self._bound_follows(self.at + 1):
                    self.at += 1
                    break
            self.at += 1
        words = event
        if words is None and event_start is not None:
            words = _event_words(self.text[event_start : event_end or event_start])
        extra = self._pending
        self._pending = []
        if end_moment is None and not event_end and start.end == start.start:
            self.left_over += 1
            return
        if end_moment is None or not end_moment.has_number:
            self._add(
                _Epoch(
                    start.start,
                    max(event_end or 0, start.end, end_moment.end if end_moment else 0),
                    "range",
                    start.anchor,
                    start.words,
                    start.high if start.has_number else 0.0,
                    None,
                    start.unit or "day",
                    end_anchor=end_anchor if end_anchor != "other" else None,
                    end_event=words or None,
                    is_approximate=self._take_approximate(),
                )
            )
            return
        for end in (end_moment, *extra):
            self._emit_range(start, end, event=words or None)

    def _later_bound(self) -> int | None:
        """Where "assessed up to" stands further on in this sentence: its value bounds the range, not an earlier one."""
        for place in range(self.at, len(self.tokens)):
            token = self.tokens[place]
            if token.kind == "stop" and token.text in (";", "\n") and not self._bound_follows(place + 1):
                return None
            if (
                token.kind in ("upto", "until")
                and "up" in token.text
                and self._kind(place + 1) in ("trail", "lead", "compound", "approx")
            ):
                return place
        return None

    def _bound_follows(self, place: int) -> bool:
        while self._kind(place) in ("word", "stop", "open") and place < len(self.tokens):
            place += 1
        return self._kind(place) in ("upto", "approx") or (
            self._kind(place) == "until" and "up" in self.tokens[place].text
        )

    def _up_to(self) -> None:
        opening = self._token()
        self.at += 1
        self._skip("approx", "at", "and", quiet=True)
        if opening.kind == "beyond":
            moment = self._moment(as_end=True)
            if moment is None or not moment.has_number:
                return
            if (link := self._link()) is not None:
                self.at = link
                self._range(replace(moment, start=opening.start))
                return
            self._add(
                _Epoch(
                    opening.start,
                    moment.end,
                    "range",
                    moment.anchor,
                    moment.words,
                    moment.low,
                    None,
                    moment.unit,
                    is_approximate=self._take_approximate(),
                )
            )
            return
        moments = self._list_of_moments()
        if not moments:
            return
        if not moments[0].has_number:
            # "during the treatment", "throughout hospitalisation": a period that the text may bound.
            moment = moments[0]
            is_period = moment.anchor in _PERIODS and not opening.text.startswith("within")
            if self._bound_follows(self.at) or is_period:
                self._open_range(
                    self._nothing(opening),
                    None,
                    event_start=moment.start,
                    event_end=moment.end,
                    end_anchor=moment.anchor,
                )
            elif opening.text.startswith("within") and moment.anchor in _WEAK:
                self.words += 1
            else:
                self._emit(replace(moment, start=opening.start))
            return
        last = self.reading.epochs[-1] if self.reading.epochs else None
        if last is not None and last.end_offset is None and last.end_event and self._is_near(last, opening):
            end = moments[-1]
            last.end_offset, last.end, last.is_approximate = end.high, end.end, self._take_approximate()
            if not last.start_offset:
                last.unit = end.unit
            return
        for moment in moments:
            self._emit_range(self._nothing(opening), moment)

    def _is_near(self, epoch: _Epoch, token: _Token) -> bool:
        return not re.search(r"\d", self.text[epoch.end : token.start])

    def _until_without_start(self) -> None:
        token = self._token()
        self.at += 1
        place = self.at
        while self._kind(place) in ("approx", "upto", "at", "before", "after") or (
            self._kind(place) == "word" and self.tokens[place].text in _QUIET
        ):
            place += 1
        if token.text == "to" and self._kind(place) not in _NUMBERED | {"moment", "date", "completion"}:
            # "to collect data", "according to …": a word like others.
            self.words += 1
            return
        self._range(self._nothing(token))

    def _nothing(self, token: _Token) -> _Moment:
        return _Moment(token.start, token.start, low=0.0, high=0.0)

    def _dates(self) -> None:
        first = last = self._token()
        self.at += 1
        while self._kind(self.at) in ("date", "until", "and", "dash", "word") and any(
            token.kind == "date" for token in self.tokens[self.at : self.at + 3]
        ):
            if self._kind(self.at) == "date":
                last = self._token()
            self.at += 1
        years = re.findall(r"(?:19|20)\d\d", self.text[first.start : last.end])
        self._add(
            _Epoch(
                first.start,
                last.end,
                "range" if len(years) > 1 else "point",
                "calendar",
                None,
                float(years[0]),
                float(years[-1]),
                "calendar_year",
            )
        )

    def _emit(self, moment: _Moment) -> None:
        for one in (moment, *self._pending):
            kind, low, high, unit = "point", one.low, one.high, one.unit
            if not one.has_number:
                low, high, unit = 0.0, 0.0, "day"
            elif one.low != one.high:
                kind = "range"
            elif not one.is_point and one.anchor == "unstated":
                kind, low = "length", None
            self._add(
                _Epoch(
                    one.start,
                    one.end,
                    kind,
                    one.anchor,
                    one.words,
                    low,
                    high,
                    unit,
                    is_approximate=one.is_approximate or self._take_approximate(),
                ),
                one.label,
            )
        self._pending = []

    def _emit_range(self, start: _Moment, end: _Moment, event: str | None = None) -> None:
        unit, low, converted = end.unit, start.low if start.has_number else 0.0, False
        anchor, words = start.anchor, start.words
        end_anchor = end.anchor if end.anchor != "unstated" else anchor
        if anchor == "unstated" and end.anchor != "unstated" and not start.is_point and event is None:
            # "0 to 2 years after enrolment" counts both from enrolment; "Day 1 to 30 days after last dose" does not.
            anchor, words = end.anchor, end.words
        if start.unit and start.unit != end.unit and low:
            # Day 1 (or 0) opens the study: it is the zero of the longer unit.
            if start.unit == "day" and low == 1 and end.unit != "day":
                low = 0.0
            elif start.unit in _DAYS and end.unit in _DAYS:
                low, converted = round(low * _DAYS[start.unit] / _DAYS[end.unit], 4), True
            else:
                self.left_over += 1
        label = None
        if end.label is not None:
            label = (
                f"{_squeeze(self.text[start.start : start.end])} to {end.label}"
                if start.end > start.start
                else end.label
            )
        self._add(
            _Epoch(
                min(start.start, end.start),
                max(start.end, end.end),
                "range",
                anchor,
                words,
                low,
                end.high,
                unit,
                end_anchor,
                event or end.event,
                end.is_approximate or self._take_approximate(),
                converted,
            ),
            label,
        )

    def _add(self, epoch: _Epoch, label: str | None = None) -> None:
        epoch.label = label
        if self.label is not None:
            epoch.label = _squeeze(self.text[self.label.start : self.label.end].rstrip(" .:"))
            self.label = None
        self.reading.epochs.append(epoch)

    def _take_approximate(self) -> bool:
        taken, self.is_approximate = self.is_approximate, False
        return taken

    def _share_anchor(self) -> None:
        """In "4 weeks, 8 weeks after randomization" both count from randomization."""
        for first, second in reversed(list(pairwise(self.reading.epochs))):
            if (
                first.anchor == "unstated"
                and first.kind in ("length", "point")
                and self.text[first.start].isdigit()
                and second.kind == "point"
                and second.anchor not in ("unstated", "calendar")
                and second.end_offset
                and self.text[second.start].isdigit()
                and re.fullmatch(r"\s*(?:,|,?\s*and|&)\s*", self.text[first.end : second.start])
            ):
                first.kind, first.start_offset = "point", first.end_offset
                first.anchor, first.anchor_words, first.end_anchor = second.anchor, second.anchor_words, None

    def _inherit_anchor(self) -> None:
        """In "Baseline, Months 4 and 8" the months count from the one moment that the text names."""
        named = {epoch.anchor for epoch in self.reading.epochs} - {"unstated", "calendar"}
        if named == {"baseline"}:
            for epoch in self.reading.epochs:
                if epoch.anchor == "unstated" and not self._is_heading(epoch):
                    epoch.anchor = "baseline"
                    if epoch.end_anchor == "unstated":
                        epoch.end_anchor = "baseline"

    def _is_heading(self, epoch: _Epoch) -> bool:
        """ "2 months: from baseline to 14 days after surgery" opens with a length, which stays one."""
        return epoch.kind == "length" and self.text[epoch.end :].lstrip().startswith(":")

    def _number_lists(self) -> None:
        """ "3 months, 6 months": several lengths in one text can only be time points."""
        lengths = [
            epoch for epoch in self.reading.epochs if epoch.kind == "length" and not self._is_heading(epoch)
        ]
        if len(lengths) > 1 or (lengths and len(self.reading.epochs) > 1):
            for epoch in lengths:
                epoch.kind, epoch.start_offset = "point", epoch.end_offset

    # --- moments

    def _moment(self, as_end: bool = False) -> _Moment | None:
        """One moment from here on: a number with its anchor, or a named moment with what specifies it."""
        self._skip("approx", "at", "from", quiet=True)
        token = self._token()
        if token is None:
            return None
        if token.kind in ("lead", "trail", "compound", "ordinal"):
            return self._numbered(token)
        if token.kind in ("after", "before"):
            return self._around(token)
        if token.kind == "moment":
            if token.moment in _WEAK and not as_end and not self._stands_alone():
                self.words += 1
                self.at += 1
                return None
            self.at += 1
            moment = _Moment(
                token.start, token.end, token.moment or "other", self.text[token.start : token.end]
            )
            return self._specified(moment, as_end)
        if token.kind in ("from",) or (token.kind == "word" and self._came_from()):
            phrase = self._phrase()
            if phrase is None:
                return None
            return self._specified(
                _Moment(phrase[0], phrase[1], self._named_in(phrase), self.text[phrase[0] : phrase[1]]),
                as_end,
            )
        return None

    def _named_in(self, phrase: tuple[int, int]) -> str:
        """The moment that an unknown phrase is about, where it is plain: "data of enrollment"."""
        inside = [token for token in self.tokens if phrase[0] <= token.start < phrase[1]]
        named = {token.moment for token in inside if token.moment} - _WEAK
        is_others = any(token.text in ("last", "final", "patient", "participant") for token in inside)
        return named.pop() if len(named) == 1 and not is_others else "other"

    def _stands_alone(self) -> bool:
        """Whether a word such as "treatment" or "relapse" is a moment here, or one word of a sentence."""
        before, after = self._kind(self.at - 1), self._kind(self.at + 1)
        place = self.at - 1
        while self._kind(place) == "word" and self.tokens[place].text in _QUIET:
            place -= 1
        if self._kind(place) in ("at", "upto", "until", "from", "between"):
            return True
        return before in (None, "stop", "and", "label", "open", "colon", "at", "upto") and (
            after
            in (None, "stop", "and", "open", "close", "at", "plus", "until", "upto", "colon", "completion")
        )

    def _came_from(self) -> bool:
        place = self.at - 1
        while place >= 0 and self.tokens[place].kind == "word":
            place -= 1
        return place >= 0 and self.tokens[place].kind == "from"

    def _numbered(self, token: _Token) -> _Moment | None:
        values = _values(token)
        self.at += 1
        if not values:
            self.left_over += 1
            return None
        moments = [
            _Moment(
                token.start,
                token.end,
                low=low,
                high=high,
                unit=unit,
                is_point=token.kind in ("lead", "ordinal"),
            )
            for low, high, unit in values
        ]
        if len(moments) > 1:
            for moment in moments:
                moment.is_point = True
                moment.label = _list_label(moment)
        if self._kind(self.at - 2) == "at" or (token.kind == "trail" and self._kind(self.at - 2) == "after"):
            for moment in moments:
                moment.is_point = True
        if (
            moments[0].unit == "cycle"
            and self._kind(self.at) == "lead"
            and token.kind == "lead"
            and len(moments) == 1
        ):
            # "Cycle 12 Day 1": the day counts from the cycle.
            cycle = f"cycle_{moments[0].low:g}"
            inner = self._numbered(self._token())
            if inner is not None:
                return replace(
                    inner, start=token.start, anchor=cycle, words=self.text[token.start : token.end]
                )
        end = token.end
        approximate = self.is_approximate
        anchor, words, end, sign = self._anchor_after(token, end)
        if words == "" and self._kind(self.at) == "at" and self._kind(self.at + 1) in _NUMBERED:
            # "1-Month Follow-up at 12 weeks": the first number is its name.
            self.at += 2
            named = self._numbered(self.tokens[self.at - 1])
            return None if named is None else replace(named, start=token.start, is_point=True)
        for moment in moments:
            moment.is_point = moment.is_point or words == ""
            moment.end = end
            moment.is_approximate = approximate
            if anchor:
                moment.anchor, moment.words = anchor, words
                if sign < 0 and moment.low is not None and moment.low > 0:
                    moment.low, moment.high = -(moment.high or 0), -moment.low
        self._gloss(moments)
        self._pending = moments[1:]
        return moments[0]

    def _anchor_after(self, number: _Token, end: int) -> tuple[str | None, str | None, int, int]:
        """The anchor that stands behind a number: "after last dose", "post-randomization", "from baseline".

        Gives name, words, end of the span and direction; name None with empty words means a point without anchor.
        """
        place = self.at
        if (
            self._kind(place) == "word"
            and self.tokens[place].text == "of"
            and (number.kind == "lead" or self._within(place - 2))
        ):
            # "Day 1 of study drug", "within 24 hours of surgery"; "8 weeks of treatment" is a length.
            keep, self.at = self.at, place + 1
            self._skip(quiet=True)
            named = self._token()
            if named is not None and named.kind == "moment":
                self.at += 1
                anchor, last = self._same_phrase(named.moment or "other", named.end)
                return anchor, self.text[named.start : last], last, 1
            if named is not None and named.kind == "lead" and named.text.startswith("cycle"):
                self.at += 1
                cycle = _values(named)
                return f"cycle_{cycle[0][0]:g}" if cycle else None, named.text, named.end, 1
            phrase = self._phrase() if self._within(place - 2) else None
            if phrase is not None:
                return "other", self.text[phrase[0] : phrase[1]], phrase[1], 1
            self.at = keep
        while self._kind(place) == "dash" or (
            self._kind(place) == "word" and self.tokens[place].text in ("of", "in")
        ):
            place += 1
        token = self.tokens[place] if place < len(self.tokens) else None
        if token is None:
            return None, None, end, 1
        if token.text == "for" and self._within(self.at - 2):
            # "within 30 days for the last dose"
            keep, self.at = self.at, place + 1
            self._skip(quiet=True)
            named = self._token()
            if named is not None and named.kind == "moment":
                self.at += 1
                return named.moment, self.text[named.start : named.end], named.end, 1
            self.at = keep
        if token.kind == "before" and self._kind(place + 1) == "and":
            # "24 months before and 24 months after": the first half leans on the second.
            self.left_over += 1
        if token.kind == "before" and number.kind == "lead":
            # "Day 1 pre-dose" is a time on Day 1, not a day before it.
            if self._kind(place + 1) == "moment":
                self.at = place + 2
                return None, None, self.tokens[place + 1].end, 1
            return None, None, end, 1
        if token.kind in ("after", "before", "from"):
            if (
                token.kind == "from"
                and token.text.startswith("start")
                and self._kind(place + 1) not in ("moment",)
            ):
                return None, None, end, 1
            keep, self.at = self.at, place + 1
            sign = -1 if token.kind == "before" else 1
            self._skip(quiet=True)
            named = self._token()
            if named is not None and named.kind == "moment":
                self.at += 1
                anchor, last = named.moment or "other", named.end
                anchor, last = self._same_phrase(anchor, last)
                if token.kind == "after":
                    anchor = _AFTER_OF.get(anchor, anchor)
                elif token.kind == "before":
                    anchor = _BEFORE_OF.get(anchor, anchor)
                return anchor, self.text[named.start : last], last, sign
            phrase = self._phrase()
            if phrase is None:
                self.at = keep
                return None, None, end, 1
            return "other", self.text[phrase[0] : phrase[1]], phrase[1], sign
        if token.kind == "moment" and token.moment in ("follow_up", "delivery") and token.text != "delivery":
            self.at = place + 1
            if token.moment == "delivery":
                return "delivery", token.text, token.end, 1
            return None, "", token.end, 1
        return None, None, end, 1

    def _within(self, place: int) -> bool:
        return self._kind(place) == "upto" and self.tokens[place].text.startswith("within")

    def _same_phrase(self, anchor: str, last: int) -> tuple[str, int]:
        """Words that belong to a named moment: "treatment initiation of first cycle", "infusion visit"."""
        while self._kind(self.at) in ("word", "moment", "named") or (
            self._kind(self.at) == "from"
            and self._kind(self.at + 1) == "word"
            and self._kind(self.at + 2) in ("word", None)
        ):
            token = self._token()
            if token.kind == "word" and token.text in (
                "in",
                "with",
                "who",
                "which",
                "whichever",
                "if",
                "for",
            ):
                break
            last = token.end
            self.at += 1
        return anchor, last

    def _phrase(self) -> tuple[int, int] | None:
        start = end = None
        while self.at < len(self.tokens) and self._kind(self.at) not in _PHRASE_ENDS | {
            "and",
            "dash",
            "compared",
        }:
            token = self._token()
            if token.kind == "number":
                break
            start = token.start if start is None else start
            end = token.end
            self.at += 1
        return None if start is None or end is None else (start, end)

    def _around(self, token: _Token) -> _Moment | None:
        """ "Immediately after the intervention", "post-treatment", "pre-dose", "after 6 weeks"."""
        self.at += 1
        if self._kind(self.at) == "and" and self._kind(self.at + 1) in ("after", "before"):
            # "before and after surgery": one moment; "before and after 6 weeks" leaves the first half open.
            self.left_over += self._kind(self.at + 2) != "moment"
            self.at += 2
        self._skip("approx", quiet=True)
        named = self._token()
        if named is None:
            if token.text.rstrip("-") in ("post", "pre"):
                return _Moment(
                    token.start,
                    token.end,
                    "treatment_end" if token.kind == "after" else "treatment_start",
                    self.text[token.start : token.end],
                )
            return None
        if named.kind in ("lead", "trail", "compound", "ordinal"):
            moment = self._numbered(named)
            if moment is not None:
                moment.start, moment.is_point = token.start, True
            return moment
        if named.kind == "moment":
            self.at += 1
            anchor, last = self._same_phrase(named.moment or "other", named.end)
            anchor = (_AFTER_OF if token.kind == "after" else _BEFORE_OF).get(anchor, anchor)
            return self._specified(_Moment(token.start, last, anchor, self.text[named.start : last]), False)
        phrase = self._phrase()
        if phrase is None:
            if token.text.rstrip("-") not in ("post", "pre"):
                self.left_over += 1
            else:
                return _Moment(
                    token.start,
                    token.end,
                    "treatment_end" if token.kind == "after" else "treatment_start",
                    self.text[token.start : token.end],
                )
            return None
        return self._specified(
            _Moment(token.start, phrase[1], "other", self.text[phrase[0] : phrase[1]]), False
        )

    def _specified(self, moment: _Moment, as_end: bool) -> _Moment:
        """What a named moment is given as: "Post-treatment (8 weeks)", "T0 + 5 months", "Follow-up at 12 weeks"."""
        if self._kind(self.at) == "plus" and self._kind(self.at + 1) in ("trail", "lead"):
            self.at += 1
            number = _values(self._token())
            if number:
                low, high, unit = number[0]
                moment = replace(moment, low=low, high=high, unit=unit, is_point=True, end=self._token().end)
            self.at += 1
            return moment
        while self._kind(self.at) in ("moment", "word") and self._kind(self.at) and not self._ends_phrase():
            moment.end = self._token().end
            if self._token().kind == "moment" and self._token().moment in (
                "follow_up",
                "study_end",
                "treatment_end",
            ):
                pass
            self.at += 1
        place = self.at
        if self._kind(place) in ("open", "at", "dash") and not (
            self._kind(place) == "dash" and self._kind(place + 1) not in ("lead",)
        ):
            return self._given_as(moment, as_end)
        return moment

    def _ends_phrase(self) -> bool:
        token = self._token()
        if token.kind == "moment":
            return token.moment in ("baseline", "screening")
        return token.text in (
            "in",
            "with",
            "who",
            "which",
            "whichever",
            "if",
            "for",
            "assessed",
            "then",
            "average",
        )

    def _given_as(self, moment: _Moment, as_end: bool) -> _Moment:
        opening = self._token()
        depth_end = self._closing(self.at) if opening.kind == "open" else None
        if depth_end is not None and moment.anchor in _STARTS and self._only_repeats(depth_end):
            moment.end = self.tokens[min(depth_end, len(self.tokens) - 1)].end
            self.at = min(depth_end + 1, len(self.tokens))
            return moment
        place = self.at + 1
        is_bound, approximate = False, False
        while self._kind(place) in (
            "approx",
            "upto",
            "at",
            "word",
            "from",
            "moment",
            "after",
            "until",
            "open",
        ) and (depth_end is None or place < depth_end):
            if opening.kind in ("at", "dash") and self._kind(place) not in ("approx", "upto", "word"):
                return moment
            is_bound = is_bound or self._kind(place) in ("upto",)
            approximate = approximate or self._kind(place) == "approx"
            place += 1
        token = self.tokens[place] if place < len(self.tokens) else None
        if (
            token is None
            or token.kind not in ("lead", "trail", "compound", "ordinal")
            or (depth_end is not None and place > depth_end)
        ):
            if depth_end is not None and not any(
                inner.kind in ("lead", "trail", "compound", "number")
                for inner in self.tokens[self.at : depth_end]
            ):
                self.at = depth_end + 1
                moment.end = self.tokens[depth_end].end if depth_end < len(self.tokens) else moment.end
            return moment
        values = _values(token)
        if not values or (self._kind(place + 1) == "until" and self._kind(place + 2) in _NUMBERED):
            # A bracket with a range of its own is read as one, behind the moment.
            return moment
        self.at = place
        number = self._numbered(token)
        pending, self._pending = self._pending, []
        if number is None:
            return moment
        end = number.end
        if depth_end is not None:
            end = max(end, self.tokens[depth_end].end if depth_end < len(self.tokens) else end)
            self.at = max(self.at, min(depth_end + 1, len(self.tokens)))
        if moment.anchor in _STARTS and 0 <= (number.low or 0) <= 1 and number.anchor == "unstated":
            return replace(moment, end=end)
        anchor, words = (number.anchor, number.words) if number.anchor != "unstated" else ("unstated", None)
        low = 0.0 if is_bound and not as_end else number.low
        specified = replace(
            number,
            start=moment.start,
            end=end,
            anchor=anchor,
            words=words,
            low=low,
            is_point=True,
            is_approximate=approximate or number.is_approximate,
            event=_event_words(moment.words or "") if is_bound and as_end else None,
        )
        self._pending = [replace(other, start=moment.start, end=end, is_point=True) for other in pending]
        return specified

    def _only_repeats(self, closing: int) -> bool:
        """Whether a bracket behind a start names it again: "first infusion (Baseline, Day 0)"."""
        inside = self.tokens[self.at + 1 : closing]
        return len(inside) > 1 and all(
            token.kind in ("stop", "open", "close", "and")
            or (token.kind == "moment" and token.moment in _STARTS)
            or (token.kind == "lead" and all(0 <= low == high <= 1 for low, high, _ in _values(token)))
            for token in inside
        )

    def _closing(self, place: int) -> int:
        depth = 0
        for index in range(place, len(self.tokens)):
            depth += (self.tokens[index].kind == "open") - (self.tokens[index].kind == "close")
            if depth == 0:
                return index
        return len(self.tokens)

    def _gloss(self, moments: list[_Moment]) -> None:
        """A bracket behind a number explains it: "Week 8 (End of Treatment)", "20 weeks (from baseline)"."""
        if self._kind(self.at) != "open":
            return
        closing = self._closing(self.at)
        inside = self.tokens[self.at + 1 : closing]
        if any(token.kind in ("upto",) for token in inside) and moments[0].unit in ("cycle", "visit"):
            return
        anchor = None
        for index, token in enumerate(inside):
            if any(number.kind in _NUMBERED for number in inside):
                break
            if (
                token.kind in ("from", "after")
                and not token.text.startswith("post")
                and index + 1 < len(inside)
            ):
                anchor = next(
                    (following for following in inside[index + 1 :] if following.kind == "moment"), None
                )
                break
        last = (
            self.tokens[closing].end
            if closing < len(self.tokens)
            else inside[-1].end
            if inside
            else moments[0].end
        )
        for moment in moments:
            moment.end = last
            if (
                anchor is not None
                and moment.anchor == "unstated"
                and not any(t.kind == "until" for t in inside)
            ):
                moment.anchor, moment.words = anchor.moment or "other", self.text[anchor.start : anchor.end]
        self.at = min(closing + 1, len(self.tokens))

    # --- small steps

    def _token(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _here(self) -> int:
        token = self._token()
        return token.start if token else len(self.text)

    def _kind(self, place: int) -> str | None:
        return self.tokens[place].kind if 0 <= place < len(self.tokens) else None

    def _skip(self, *kinds: str, quiet: bool = False) -> None:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "approx":
                self.is_approximate = True
            if (
                token.kind in kinds
                or token.kind == "approx"
                or (quiet and token.kind == "word" and token.text in _QUIET)
            ):
                self.at += 1
                continue
            return


def _list_label(moment: _Moment) -> str:
    """The name of one member of a list: "Months 4 and 8" → "Month 8"."""
    span = f"{moment.low:g}" if moment.low == moment.high else f"{moment.low:g}-{moment.high:g}"
    return f"{(moment.unit or '').capitalize()} {span}"


_EVENT_TRIM = re.compile(
    r"^(?:until|till|to|through|the|date|of|first|a|an|at|up|end of the|documented|time|\s)+\s+|"
    r"[\s,;(.-]+(?:whichever.*|with|an?|assessed|and|or|for|as)?[\s,;(.-]*$",
    re.I,
)


def _event_words(words: str) -> str:
    return _squeeze(_EVENT_TRIM.sub("", words)).strip(" ,;.(-")


_UNIT_NAMES = (
    ("min", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("mt", "month"),
    ("m", "month"),
    ("y", "year"),
    ("c", "cycle"),
    ("v", "visit"),
)
_NUMBER = re.compile(_N)
_RANGE = re.compile(rf"({_N})\s*-?(?:{_UNIT})?\s*(?:-|\bto\b)\s*({_N})")
_LAST_UNIT = re.compile(rf"(?:{_UNIT}|{_SHORT})$")


def _unit(text: str) -> str:
    return next(name for prefix, name in _UNIT_NAMES if text.startswith(prefix))


def _number(text: str) -> float:
    return float(_NUMBERS[text]) if text in _NUMBERS else float(text)


_PLUS_MINUS = r"(?:±|\+\s?/\s?-|\+-|\+/−)"
_TOLERANCES = re.compile(
    rf"(?P<unit>{_UNIT})\s*{_PLUS_MINUS}\s*{_N}\s*-?{_UNIT}$|\s*\(\s*{_PLUS_MINUS}\s*{_N}(?:\s*-?{_UNIT})?\s*\)|\s*{_PLUS_MINUS}\s*{_N}"
)
_PLUS = re.compile(rf"\+\s*({_N})\s*({_UNIT})")


def _values(token: _Token) -> list[tuple[float, float, str]]:
    """The numbers of a token with their unit: (low, high, unit), several for a list."""
    text = (
        _TOLERANCES.sub(lambda match: match.group("unit") or "", token.text)
        if "±" in token.text or "+" in token.text
        else token.text
    )
    if token.kind == "compound":
        years, months = (_number(number) for number in _NUMBER.findall(text)[:2])
        return [(years * 12 + months, years * 12 + months, "month")]
    if token.kind == "ordinal":
        number, unit = text.split()
        value = float(_ORDINALS[number]) if number in _ORDINALS else float(re.sub(r"\D", "", number))
        return [(value, value, _unit(unit))]
    added = 0.0
    if token.kind == "lead":
        unit_match = re.match(rf"{_UNIT}|day|[dwm](?=\d)", text)
        if unit_match is None:
            return []
        unit, rest = _unit(unit_match.group()), text[unit_match.end() :]
        rest = re.sub(_UNIT, " ", rest) if not _PLUS.search(rest) else rest
        if plus := _PLUS.search(rest):
            # "Day 9+48 hours": the sum, as far as the units allow it.
            other = _unit(plus.group(2))
            if other not in _DAYS or unit not in _DAYS:
                return []
            added = _number(plus.group(1)) * _DAYS[other] / _DAYS[unit]
            rest = rest[: plus.start()]
        sign = -1.0 if re.match(r"\s*[#:]?\s*-\s?(?=[\da-z])", rest) else 1.0
        rest = re.sub(r"^\s*[#:]?\s*[-+]?\s?", "", rest)
    else:
        unit_match = _LAST_UNIT.search(text)
        if unit_match is None:
            return []
        unit, rest = _unit(unit_match.group()), text[: unit_match.start()]
        sign = -1.0 if rest.startswith("-") else 1.0
        rest = rest.lstrip("- ")
    found: list[tuple[float, float, str]] = []
    place = 0
    while match := _NUMBER.search(rest, place):
        span = _RANGE.match(rest, match.start())
        low = _number(match.group())
        if span and _number(span.group(2)) > low:
            found.append((low + added, _number(span.group(2)) + added, unit))
            place = span.end()
        else:
            found.append((low + added, low + added, unit))
            place = match.end()
    if found and sign < 0:
        low, high, unit = found[0]
        found[0] = (-low, high if high != low else -high, unit)
    return found
