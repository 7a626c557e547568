"""The words of time frames: a text → tokens that carry time, and the numbers in a token.

Here stand all patterns. What a row of tokens means is timeframe_reader.py.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Mean Gregorian lengths, for a range whose ends are given in different units ("Day 29 to Month 6").
DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.436875, "year": 365.2425}

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
WEAK = {
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
PERIODS = {"treatment", "treatment_end", "follow_up", "admission", "discharge", "study_end"}
# Moments that their own "(Day 1)" or "(Week 0)" only repeats.
STARTS = {
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
AFTER_OF = {"treatment": "treatment_end", "dose": "dose", "follow_up": "follow_up"}
BEFORE_OF = {"treatment": "treatment_start"}

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
PHRASE_ENDS = {
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
NUMBERED = {"lead", "trail", "compound", "ordinal"}
QUIET = {
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


class Token(NamedTuple):
    """A word or number with its place in the text; `kind` is the name of its pattern, `moment` what it names."""

    kind: str
    text: str
    start: int
    end: int
    moment: str | None = None


def squeeze(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())


def tokens(text: str) -> list[Token]:
    """The tokens of a text, in lower case; their places are those of the text itself."""
    plain = text.translate(_PLAIN)
    lowered = plain.lower()
    # A few letters change length in lower case; then only ASCII ones are lowered, so that spans stay true.
    if len(lowered) != len(plain):
        lowered = "".join(letter.lower() if letter.isascii() else letter for letter in plain)
    return [
        Token(match.lastgroup or "", match.group(), match.start(), match.end())
        if not (match.lastgroup or "").startswith("m_") and match.lastgroup != "moment"
        else Token("moment", match.group(), match.start(), match.end(), _moment_name(match))
        for match in _TOKEN.finditer(lowered)
        if match.lastgroup
    ]


def _moment_name(match: re.Match[str]) -> str:
    for name, _ in _MOMENTS:
        if match.group(f"m_{name}") is not None:
            return name
    return "other"


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


def values(token: Token) -> list[tuple[float, float, str]]:
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
            if other not in DAYS or unit not in DAYS:
                return []
            added = _number(plus.group(1)) * DAYS[other] / DAYS[unit]
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
