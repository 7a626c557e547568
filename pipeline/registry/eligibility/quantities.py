"""Numbers, comparisons, ranges, spans of time and clauses in canonical text. What they measure is the rules' business."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pipeline.registry.eligibility import patterns as re

# "\d\d*" and not "\d+": `re` then looks for digits alone before it tries a pattern that begins with a number.
NUMBER = r"(?:\d\d*(?:(?:,\d{3})+(?:\.\d+)?|(?:[.,]\d+)?))"
COMPARE = r"[≥≤><](?:\s*\(?\s*[≥≤><=]+\s*\)?)?"
AFTERWARDS_LEAST = r"(?:or|and)\s+(?:worse|more|greater|higher|older|over|above|longer|up)\b|\+"
AFTERWARDS_MOST = r"(?:or|and)\s+(?:better|less|lower|fewer|younger|below|under|smaller|shorter)\b"

_UNITS = {
    "day": "days", "week": "weeks", "wk": "weeks", "month": "months", "mo": "months", "mon": "months", "year": "years",
    "yr": "years", "y": "years", "hour": "hours", "hr": "hours", "h": "hours", "d": "days",
}  # fmt: skip
UNIT = r"(?:days?|d\b|weeks?|wks?|months?|mos?\b|years?|yrs?|hours?|hrs?)(?:\s*\(s\))?"
DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25, "hours": 1 / 24}


def number(text: str) -> float:
    """A printed number; a comma before three digits groups thousands, any other is decimal ("5,5")."""
    if "," not in text:
        return float(text)
    return float(
        text.replace(",", "")
        if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text)
        else text.replace(",", ".")
    )


@lru_cache(maxsize=1024)
def unit_of(word: str) -> str:
    """Plural unit of time of a printed word."""
    bare = re.sub(r"[^a-z]", "", re.sub(r"\(s\)", "", word))
    return _UNITS.get(bare) or _UNITS[bare.rstrip("s")]


class Bounds(NamedTuple):
    """A range as the text states it; None where a side is open."""

    min_value: float | None
    min_inclusive: bool | None
    max_value: float | None
    max_inclusive: bool | None


def compared(symbol: str, value: float) -> Bounds:
    """Bounds of "≥ 2"."""
    if symbol == "≥":
        return Bounds(value, True, None, None)
    if symbol == ">":
        return Bounds(value, False, None, None)
    if symbol == "≤":
        return Bounds(None, None, value, True)
    return Bounds(None, None, value, False)


_N = rf"({NUMBER})"
_POINTS = r"(?:\s*(?:points?|steps?|years?(?:\s+old|\s+of\s+age)?|yrs?|months?|y\b))?"
RANGE = re.compile(
    rf"(?:(?P<low_symbol>[≥>])\s*)?(?P<low>{NUMBER}){_POINTS}(?:\s*\([^)]{{0,40}}\))?"
    rf"\s*(?:-|to|and|through|thru|until|up to|but|,|/)+\s*(?:(?:to|and|but)\s*)?(?:(?P<high_symbol>[≤<])\s*(?:\([≤<=]+\)\s*)?)?(?P<high>{NUMBER})(?![\d]*%)"
)
COMPARED = re.compile(
    rf"(?P<symbol>[≥≤><])(?:\s*\(\s*[≥≤><=]+\s*\))?\s*(?:a |an |the |of |to |score of |score |or equal to )*(?P<value>{NUMBER})"
)
TRAILING = re.compile(
    rf"(?P<value>{NUMBER}){_POINTS}\s*(?:\(?\s*(?:(?P<least>{AFTERWARDS_LEAST})|(?P<most>{AFTERWARDS_MOST}))\s*\)?)"
)
UP_TO = re.compile(rf"\bup to\s*(?P<value>{NUMBER})")


# "EDSS ≤ 5, at least 1 relapse": the second number counts something else.
_ANOTHER_COUNT = re.compile(
    r"\s*(?:or more\s+)?(?:(?!years?\b|yrs?\b|points?\b)[a-z][\w-]*\s+){0,3}?(?:relaps|exacerbat|attack|bouts?\b|lesion|gd\b|gadolin|scans?\b|infusion|course|cycles?\b|doses?\b|prior|previous|of\s+(?:them|these|which))"
)


def bounds_at(text: str, position: int) -> tuple[Bounds, int] | None:
    """Bounds that begin exactly at a position, and where they end."""
    found = RANGE.match(text, position)
    if found and not (
        found["high_symbol"] is None
        and found["low_symbol"] is None
        and "," in text[found.end("low") : found.start("high")]
    ):
        low, high = number(found["low"]), number(found["high"])
        if low < high:
            return (
                Bounds(low, found["low_symbol"] != ">", high, found["high_symbol"] != "<"),
                found.end(),
            )
    found = COMPARED.match(text, position)
    if found:
        first = compared(found["symbol"], number(found["value"]))
        rest = re.match(
            rf"{_POINTS}\s*(?:,|and|but|to|et\b|&|-|\s)+\s*(?P<symbol>[≥≤><])\s*(?P<value>{NUMBER})",
            text[found.end() :],
        )
        if (
            rest
            and (found["symbol"] in "≥>") != (rest["symbol"] in "≥>")
            and not _ANOTHER_COUNT.match(text[found.end() + rest.end() :])
        ):
            second = compared(rest["symbol"], number(rest["value"]))
            merged = Bounds(*(a if a is not None else b for a, b in zip(first, second, strict=True)))
            if (
                merged.min_value is not None
                and merged.max_value is not None
                and merged.min_value < merged.max_value
            ):
                return merged, found.end() + rest.end()
        return first, found.end()
    found = TRAILING.match(text, position)
    if found and not re.match(rf"\s*(?:than\s+)?{NUMBER}", text[found.end() :]):
        value = number(found["value"])
        return (compared("≥" if found["least"] else "≤", value), found.end())
    found = UP_TO.match(text, position)
    if found:
        return compared("≤", number(found["value"])), found.end()
    return None


_OTHER_SIDE = re.compile(
    rf"[^\d.;≥≤><]{{0,14}}\b(?:or|and)\s*(?:(?P<symbol>[≥≤><])\s*(?:\([≥≤><=]+\)\s*)?|(?P<word>above|over|higher|greater|more|below|under|lower|less)\s+(?:than\s+)?)(?P<value>{NUMBER})"
)


def other_side(text: str, position: int) -> tuple[Bounds, int] | None:
    """The second half of "below 2 or above 6"."""
    found = _OTHER_SIDE.match(text, position)
    if not found:
        return None
    symbol = found["symbol"] or (
        ">" if found["word"] in ("above", "over", "higher", "greater", "more") else "<"
    )
    return compared(symbol, number(found["value"])), found.end()


class Span(NamedTuple):
    """An amount of time where it stands.

    `role`: "back" a look-back window, "for" a duration, "after" a time that follows something, "since" a time since a
    last event, "other". `near` is the near edge of a window, in the unit given with it.
    """

    start: int
    end: int
    value: float
    unit: str
    role: str
    near: float | None
    near_unit: str | None
    anchor: str | None
    symbol: str | None


_TIME = re.compile(
    rf"(?P<value>{NUMBER})(?:\s*\(\s*\w+\s*\))?\s*-?\s*(?:consecutive\s+|calendar\s+|full\s+|complete\s+|continuous\s+|cumulative\s+)?(?P<unit>{UNIT})(?![a-z])"
)
_BARE = re.compile(
    r"\b(?:(?:last|past|previous|prior|preceding)\s+(?P<unit>year|month|week)\b(?!\s*-?\s*(?:of age|old))"
    r"|(?:within|in|during|over|for)\s+(?:the|a|an)\s+(?P<unit2>year|month|week)(?=\s+(?:prior|before|preceding|of|from|previous|leading)\b)|(?:within|in)\s+(?:the|a|an)\s+(?P<unit3>year|month|week)\b)"
)
_FAR_NEAR = re.compile(
    rf"(?P<first>{NUMBER})\s*(?P<unit1>{UNIT})?\s*(?:to|and|-)\s*(?P<second>{NUMBER})\s*-?\s*(?P<unit>{UNIT})(?=\s*(?:period\s+)?(?:prior|before|preceding|ago|previous))"
)
_BETWEEN = re.compile(
    rf"between\s+(?P<first>{NUMBER})\s*(?:to|and|-)\s*(?P<second>{NUMBER})\s*-?\s*(?P<unit>{UNIT})"
)
_FOR_BETWEEN = re.compile(
    rf"\bfor\s+(?:between\s+)?(?P<first>{NUMBER})\s*(?:to|and|-)\s*(?P<second>{NUMBER})\s*-?\s*(?P<unit>{UNIT})(?![a-z])"
)
_MONTH_TO_ZERO = re.compile(r"between\s+month\s*-\s*(?P<value>\d+)\s*(?:\([^)]*\)\s*)?and\s*(?:month\s*)?0")
_BEFORE = re.compile(
    r"[)\s,]*(?:period\s*|interval\s*|time\s*)?(?:\([^)]{0,40}\)\s*)?(?:immediately |directly |just |period )?(?:prior|before|preceding|previous|ago\b|leading (?:up )?to|leading up|pre-|earlier|in advance)"
)
_OF = re.compile(
    r"\s*(?:of|from)\s+(?:the\s+|a\s+|first\s+|starting\s+|start of\s+|their\s+|this\s+)*(?:screening|baseline|randomi|enrol|inclusion|stud|entry|trial|visit|day|dos|treatment\s+(?:start|init|assign|phase|period|allocation)|first|consent|initiation|registration|start|date|signing|informed|surgery|sv\b|protocol|planned|initial|administration|receiving|lumbar|mri|c1d1)"
)
_LOOK = re.compile(r"(?:last|past|previous|prior|preceding|recent)\s*(?:[≥≤<~]\s*)?$")
_WITHIN = re.compile(r"(?:\bwithin|≤|<)\s*(?:a|an|the)?\s*(?:[≥≤<]\s*)?(?:approximately\s*)?$")
_FOR = re.compile(r"\b(?:for|of|during|over|in|than)\s*(?:a|an|the)?\s*(?:[≥≤<>]\s*)?$")
_SYMBOL = re.compile(r"([≥≤<>])(?:\s*\([≥≤<>=]+\))?\s*$")
_AFTER = re.compile(r"\s*(?:after|following|post\b|from\s+(?:the\s+)?last|past\s+(?:the\s+)?last|beyond)")
_SINCE = re.compile(
    r"\s*(?:since|after)\s+(?:the\s+|their\s+)?(?:last|final|most recent|treatment with|stopping|discontinu|complet|end of|dis)"
)
_ANCHORS = (
    (re.compile(r"screening|\bsv\b|visit 0"), "screening"),
    (re.compile(r"randomi[sz]"), "randomization"),
    (
        re.compile(
            r"baseline|day\s*-?\s*[01]\b|first\s+(?:dose|infusion|administration|injection|study|treatment|treatment)|study\s+(?:drug|treatment|medication)|dosing|initiation|visit\s*1|c1d1|administration|start of treatment|treatment start|study day"
        ),
        "baseline",
    ),
    (re.compile(r"enrol|inclusion|included|registration"), "enrolment"),
    (re.compile(r"entry|enter|study|trial|participation|consent"), "study_entry"),
)


def anchor_after(text: str, position: int) -> str | None:
    """The event to which a time is tied by the words that follow it."""
    ahead = re.match(r"[^.;]{0,70}", text[position : position + 70])
    words = ahead.group() if ahead else ""
    best: tuple[int, str] | None = None
    for pattern, name in _ANCHORS:
        found = pattern.search(words)
        if found and (best is None or found.start() < best[0]):
            best = (found.start(), name)
    return best[1] if best else None


def spans(text: str) -> list[Span]:
    """All amounts of time of a text, in order."""
    out: list[Span] = []
    taken: list[tuple[int, int]] = []
    for found in _MONTH_TO_ZERO.finditer(text):
        out.append(
            Span(
                found.start(),
                found.end(),
                float(found["value"]),
                "months",
                "back",
                None,
                None,
                "baseline",
                None,
            )
        )
        taken.append(found.span())
    for found in _FAR_NEAR.finditer(text):
        unit = unit_of(found["unit"])
        first_unit = unit_of(found["unit1"]) if found["unit1"] else unit
        first, second = number(found["first"]), number(found["second"])
        if first * DAYS[first_unit] >= second * DAYS[unit]:
            far, far_unit, near, near_unit = first, first_unit, second, unit
        else:
            far, far_unit, near, near_unit = second, unit, first, first_unit
        out.append(
            Span(
                found.start(),
                found.end(),
                far,
                far_unit,
                "back",
                near,
                near_unit,
                anchor_after(text, found.end()),
                None,
            )
        )
        taken.append(found.span())
    for found in _BETWEEN.finditer(text):
        if any(a <= found.start("first") < b for a, b in taken) or not re.search(
            r"relaps|exacerbat|attack", text[max(0, found.start() - 30) : found.start()]
        ):
            continue
        unit = unit_of(found["unit"])
        first, second = sorted((number(found["first"]), number(found["second"])))
        out.append(
            Span(
                found.start(),
                found.end(),
                second,
                unit,
                "back",
                first,
                unit,
                anchor_after(text, found.end()),
                None,
            )
        )
        taken.append(found.span())
    for found in _FOR_BETWEEN.finditer(text):
        if any(a < found.end() and found.start() < b for a, b in taken):
            continue
        low, high, unit = number(found["first"]), number(found["second"]), unit_of(found["unit"])
        if low < high:
            out.append(
                Span(found.start("first"), found.end(), high, unit, "for", low, unit, anchor_after(text, found.end()), None)
            )  # fmt: skip
            taken.append(found.span())
    for found in _TIME.finditer(text):
        if any(a <= found.start() < b for a, b in taken):
            continue
        left, right = text[max(0, found.start() - 32) : found.start()], text[found.end() : found.end() + 60]
        symbol_found = _SYMBOL.search(left)
        symbol = symbol_found.group(1) if symbol_found else None
        anchor = None
        if _SINCE.match(right):
            role = "since"
        elif (
            _BEFORE.match(right)
            or _LOOK.search(left)
            or (symbol in ("<", "≤") and re.match(r"\s*old\b", right))
            or (re.search(r"half-?\s?li\w+[^.;]{0,24}\bor\s+$", left) and re.match(r"\W*which", right))
        ):
            role = "back"
            anchor = anchor_after(text, found.end())
        elif _OF.match(right) and not re.search(r"\bfor\s*[≥≤<>]?\s*$", left):
            role, anchor = "back", anchor_after(text, found.end())
        elif _AFTER.match(right):
            role = "after"
        elif re.search(r"\b(?:in|during|over)\s+(?:the\s*(?:same\s*)?)?$", left) or re.search(
            r"\bwithin\s*(?:a|an|the)?\s*(?:[≥≤<]\s*)?$", left
        ):
            role = "back"
        elif _FOR.search(left) or symbol:
            role = "for"
        else:
            role = "other"
        out.append(
            Span(
                found.start(),
                found.end(),
                number(found["value"]),
                unit_of(found["unit"]),
                role,
                None,
                None,
                anchor,
                symbol,
            )
        )
        taken.append(found.span())
    for found in _BARE.finditer(text):
        if any(a <= found.start() < b or a < found.end() <= b for a, b in taken):
            continue
        unit = found["unit"] or found["unit2"] or found["unit3"]
        out.append(
            Span(
                found.start(),
                found.end(),
                1.0,
                unit_of(unit),
                "back",
                None,
                None,
                anchor_after(text, found.end()),
                None,
            )
        )
    return sorted(out)


_CLAUSE_END = re.compile(
    r"\.(?:(?=\s+[^\s)])(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\beg\.)(?<! al\.)(?<! vs\.)(?<! no\.)(?<!approx\.)(?<! dr\.)(?<! st\.)(?<! inc\.)(?<! etc\.)(?<!\bs\.c\.)(?<!\bi\.v\.)(?<!\bi\.m\.)(?<!\bp\.o\.)|(?=[a-z]{4})(?<=[a-z)]{3}\.))|;|·(?<=\s·)|n(?<=\bn)ote\s*:"
)


_EXAMPLES_FOLLOW = re.compile(r"\s*(?:e\.\s?g\.|for example|such as)")


def clauses(text: str) -> list[tuple[int, int]]:
    """Sentences and what semicolons separate."""
    if (
        ";" not in text
        and "·" not in text
        and "note" not in text
        and "." not in text[:-2].replace(".0", "").replace(".5", "")
    ):
        return [(0, len(text))] if text else []
    out, start = [], 0
    for found in _CLAUSE_END.finditer(text):
        sentence = text[start : found.start()]
        # A semicolon within brackets separates citations, not statements.
        if found.group() == ";" and (
            sentence.count("(") > sentence.count(")")
            or sentence.count("[") > sentence.count("]")
            # and examples behind one belong to what stands before it
            or _EXAMPLES_FOLLOW.match(text, found.end())
        ):
            continue
        if found.start() > start:
            out.append((start, found.end()))
        start = found.end()
    if start < len(text):
        out.append((start, len(text)))
    return out
