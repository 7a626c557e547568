"""Rules about multiple sclerosis and age: EDSS, relapses, course, diagnosis, duration, MRI activity.

Each rule is a function from a Reading to constraints; its docstring is its line in the rule table of the docs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.registry.eligibility import lexicon
from pipeline.registry.eligibility import patterns as re
from pipeline.registry.eligibility.quantities import (
    DAYS,
    NUMBER,
    UNIT,
    Bounds,
    Span,
    anchor_after,
    bounds_at,
    compared,
    number,
    other_side,
    unit_of,
)
from pipeline.registry.eligibility.reading import Constraint, Reading

# --------------------------------------------------------------------------------------------------------------- EDSS
_EDSS = re.compile(
    r"(?:kurtzke'?s?\s+)?(?:expanded\s+)?disability\s+(?:status|index)\s+(?:scale|score)s?|\bedss\b|expanded\s+disability\s+(?:scale|score|status)|\bkurtzke\b(?!\s+(?:functional|fs))"
)
_EDSS_FILLER = (
    r"(?:[\s,:;=()\[\]\"]|\bedss\b|\bscores?\b|\bscale\b|\bvalues?\b|\btotal\b|\bof\b|\bis\b|\bwas\b|\bmust\b|\bbe\b|\bare\b|\bshould\b|\bhas\b|\bhave\b|\bto\b"
    r"|\ban?\b|\bthe\b|\bbetween\b|\bfrom\b|\brange[sd]?\b|\branging\b|\bcomprised\b|\binterval\b|\bpre-?\s?treatment\b|\bwithin\b|\bin\b|\bat\b|\bscreening\b|\bbaseline\b|\bvisits?(?:\s*-?\d+\b)?|\bentry\b|\bstudy\b"
    r"|\benrol\w*\b|\binclusion\b|\brandomi[sz]\w+\b|\btime\b|\bdisability\b|\bstatus\b|\bexpanded\b|\bkurtzke'?s?\b|\bcurrent(?:ly)?\b|\bdocumented\b"
    r"|\bgrade\b|\blevel\b|\bstep\b|\bon\b|\bpoints?\b|\bequal\b|\bas\b|\bassessed\b|\bmeasured\b|\bdefined\b|\bday\s*-?\d+\b|\bboth\b|\bindex\b|\bcriteri\w+\b"
    r"|\brating\b|\bconverted\b|\bdetermined\b|\bby\b|\ballowed\b|\bpatients?\b|\bsubjects?\b|\bparticipants?\b|\bwith\b|\boverall\b|\bfinal\b|\bin the range\b|\bseverity\b|\b(?:19|20)\d\d\b|[-+](?=\s*\D)|\b(?:visits?|screening|baseline|entry|enrol\w*|randomi[sz]\w+)\s*,?\s*and\b(?=\s*(?:at\s+)?(?:the\s+)?(?:visit|screening|baseline|entry|enrol|randomi|day)))"
)
_EDSS_GAP = re.compile(
    rf"(?:{_EDSS_FILLER}|\bas\s+(?:determined|assessed|measured|rated|evaluated|defined|scored)\s+by\s+(?:the\s+|an?\s+)?(?:[a-z-]+\s*){{1,2}})*"
)
_EDSS_VALUE = re.compile(r"[≥≤><]|(?<![\d.,])\d|\bup to\b|\bover(?=\s+\d)")
# "3.0 ≤ EDSS ≤ 6.5": the lower bound in front of the name.
_EDSS_FRONT = re.compile(rf"({NUMBER})\s*([≤<])\s*$")
# "maximum EDSS score of 6.0"
_EDSS_SIDE = re.compile(r"[≥≤]\s*(?:an?\s+|the\s+)?(?:baseline\s+|screening\s+)?$")
_EDSS_ONLY = re.compile(
    rf"\s*(?:score\s*)?(?:of\s+|is\s+|:\s*)?({NUMBER})(?!\s*(?:-|to|and|or)\s*\d)(?![\d.,]*\d)"
)
_EDSS_DENIED = re.compile(
    r"\b(?:no|not(?:\s+have|\s+having)?|without|never)\s+(?:an?\s+|any\s+|baseline\s+|screening\s+|the\s+|with\s+)*$"
)
_EDSS_OUTSIDE = re.compile(
    r"\b(?:outside|not\s+(?:be\s+)?(?:between|within|in|from|ranging)|other\s+than|beyond)\b"
)
# "Patients with an EDSS of 3 or less must have …" asks it of some patients alone.
_EDSS_SUBGROUP = re.compile(
    r"[^.;]{0,40}?\b(?:must|should|need|are required|have to|will need|is required|are eligible only|(?:are|is) (?:allowed|eligible|permitted))\b"
)
# "3.0 to 6.5 (for SPMS) or 2.0 to 6.5 (for PPMS)"
_EDSS_FOR_OTHERS = re.compile(
    r"\s*(?:points?\s*)?(?:\((?:for|in|if)\b[^)]*\)|(?:for|in)\s+(?:patients\s+with\s+)?[a-z]{2,6}ms\b)\s*(?:,|;|\bor\b|\band\b|\s)+"
)
_PEOPLE_WITH = re.compile(
    r"^\W*(?:for\s+)?(?:all\s+)?(?:patients|subjects|participants|those|individuals|people)\s+(?:with|who have|having)\s+(?:an?\s+)?(?:baseline\s+|screening\s+)?$"
)


def _edss_after(text: str, start: int, stop: int) -> tuple[Bounds, int, int] | None:
    """The range that follows the scale's name, over fillers and brackets."""
    for found in _EDSS_VALUE.finditer(text, start, min(stop, start + 130)):
        gap = re.sub(r"\([^()]*\)|\[[^\]]*\]", " ", text[start : found.start()])
        gap = _EDSS_OUTSIDE.sub(" ", gap)
        if not _EDSS_GAP.fullmatch(gap):
            if "(" in gap or "[" in gap:
                continue
            return None
        got = bounds_at(text, found.start())
        if found.group() == "over" and (over := re.match(rf"over\s+({NUMBER})", text[found.start() :])):
            got = compared(">", number(over.group(1))), found.start() + over.end()
        if got and got[0][:3:2] == (0, 10):
            # "EDSS score (0-10) of at least 2": the scale's own range
            continue
        if got and _is_edss(got[0]):
            return got[0], found.start(), got[1]
        if re.search(r"(?:visit|day|week|month|part)\s*-?$", gap):
            continue
        if "(" not in gap and "[" not in gap and not re.match(r"(?:19|20)\d\d\b", text[found.start() :]):
            return None
    return None


_EDSS_BEFORE = re.compile(
    r"[\s,]*(?:points?\s*)?(?:\(?\s*inclusive\s*\)?\s*)?(?:on|in|of|for|as measured by|according to|per|by|using|at)?\s*(?:the\s+|their\s+)?(?:baseline\s+|screening\s+)?$"
)
_EDSS_CHANGE = re.compile(
    r"\b(?:increas\w+|progress\w*|worsen\w*|deteriorat\w*|chang\w+|improv\w+|declin\w+|decreas\w+|confirmed disability|step up|rise)\b"
)
_CONDITIONAL = re.compile(
    r"\b(?:if|for (?:subjects|patients|participants|those)|when|where|in case)\b[^.;]{0,60}$"
)
_IN_PATIENTS = re.compile(
    r"\b(?:in|for|among)\s+(?:patients|subjects|participants|those|individuals|people)\s+(?:with|who have|having)\s+(?:an?\s+)?$"
)
# "≥ 0.5 points for an EDSS of 6 or more"
_POINTS_FOR = re.compile(
    r"\bpoints?\b[^.;,]{0,14}\b(?:for|if|in|with|when)\s+(?:(?:an?|the|baseline|patients|those|with)\s+)*$"
)
_SUBSCORE = re.compile(
    r"\b(?:functional system|fs\b|sub-?scores?|subscale|pyramidal|cerebellar|brainstem|bladder|ambulation (?:score|index))"
)


def edss_range(r: Reading) -> Iterator[Constraint]:
    """edss.range: an EDSS between, at least, at most or above a value, before or after the scale's name."""
    text = r.text
    if "edss" not in text and "disability" not in text and "kurtzke" not in text:
        return
    last_end = -1
    # "< 15 years if the EDSS is > 5.0, < 10 years if …" is read with the duration.
    conditions = (
        [(c.start, c.end) for c in _duration_by_edss(r)]
        if r.sense == "require" and r.is_ms and r.spans
        else []
    )
    names = [m for m in _EDSS.finditer(text) if not any(a <= m.start() < b for a, b in conditions)]
    for index, found in enumerate(names):
        if found.start() < last_end:
            continue
        # The full name and its abbreviation beside it are one mention.
        if (
            index + 1 < len(names)
            and names[index + 1].start() - found.end() <= 12
            and not re.search(r"\d", text[found.end() : names[index + 1].start()])
        ):
            continue
        clause_start, clause_end = r.clause(found.start())
        before = text[clause_start : found.start()]
        begin = found.start()
        for previous in names[:index]:
            if found.start() - previous.end() <= 12:
                begin = previous.start()
                before = text[clause_start:begin]
        if re.search(_EDSS_CHANGE.pattern + r"\s+(?:of|in)\s+(?:the\s+)?$", before):
            continue
        changes = list(_EDSS_CHANGE.finditer(before[-70:]))
        if changes and (
            _CONDITIONAL.search(before)
            or not re.search(r"[,;]|\band\b", before[-70:][changes[-1].end() :][-40:])
        ):
            continue
        if re.search(r"\bpre-?\s?relapse\s+$", before):
            continue
        hits: list[tuple[Bounds, int, int]] = []
        is_by_group = False
        got = _edss_after(text, found.end(), clause_end)
        front = _EDSS_FRONT.search(before) if got else None
        if got and front and got[0].min_value is None:
            low = Bounds(number(front.group(1)), front.group(2) == "≤", *got[0][2:])
            hits.append((low, clause_start + front.start(), got[2]))
        elif (
            not got and (side := _EDSS_SIDE.search(before)) and (only := _EDSS_ONLY.match(text, found.end()))
        ):
            hits.append(
                (
                    compared(side.group()[0], number(only.group(1))),
                    clause_start + side.start(),
                    only.end(),
                )
            )
        elif got:
            hits.append(got)
            second = other_side(text, got[2]) or _not_exceeding(text, got)
            both = _one_sided(text, got, second) if second and r.sense == "require" else None
            if both:
                # "Above 3 and below 7" is one range.
                hits[-1] = (both, got[1], second[1])
            elif second and _is_edss(second[0]):
                hits.append((second[0], got[2], second[1]))
            elif (more := _EDSS_FOR_OTHERS.match(text, got[2])) and (other := bounds_at(text, more.end())):
                is_by_group = _is_edss(other[0])
                hits.append((other[0], more.end(), other[1]))
        if not hits:
            # "a score of 0 to 6.5 on the EDSS", "0-5.5 on EDSS"
            window_start = max(clause_start, begin - 45)
            for start in range(window_start, begin):
                if text[start] in "≥≤><" or (
                    text[start].isdigit() and not (text[start - 1].isdigit() or text[start - 1] in ".,-")
                ):
                    got = bounds_at(text, start)
                    if (
                        got
                        and got[1] <= begin
                        and _EDSS_BEFORE.fullmatch(text[got[1] : begin])
                        and _is_edss(got[0])
                    ):
                        hits.append((got[0], start, got[1]))
                        break
        for bounds, start, end in hits:
            if not _is_edss(bounds):
                continue
            following = text[end : end + 24]
            if re.match(
                r"\s*(?:weeks|months|years|days|mg|lesion|relapse|%|meters|metres|m\b|feet)", following
            ):
                continue
            if re.match(
                r"\s*(?:-?\s*points?|steps?)?\s*(?:increase|worsening|progression|change|improvement|decrease)",
                following if end > found.end() else text[found.end() : found.end() + 24],
            ):
                continue
            if (
                _SUBSCORE.search(text[found.end() : end])
                or re.match(
                    r"\s*(?:points?\s*)?(?:on|in|of|for)\s+(?:the\s+)?(?:\w+\s+)?" + _SUBSCORE.pattern,
                    text[end:],
                )
                or _SUBSCORE.search(before[-30:])
                or (start < begin and _SUBSCORE.search(text[max(clause_start, start - 40) : start]))
            ):
                continue
            if re.search(
                r"\b(?:increas|progress|worsen|deteriorat|chang|improv)\w*", text[found.end() : start]
            ):
                continue
            if r.in_exception(begin) and r.sense == "require":
                continue
            quote_end = re.match(r"\s*(?:points?)?,?\s*\(?\s*inclusive\)?", text[end:])
            last = end + (quote_end.end() if quote_end else 0)
            last_end = max(last, found.end())
            anchor = _near_anchor(text, last)
            group = "edss" if is_by_group and r.sense == "require" else None
            polarity = r.sense
            if _EDSS_DENIED.search(before) or _EDSS_OUTSIDE.search(text[found.end() : start]):
                polarity = "forbid" if r.sense == "require" else "require"
            if _POINTS_FOR.search(before):
                continue
            if _PEOPLE_WITH.search(before) and _EDSS_SUBGROUP.match(text, last):
                continue
            # "Benign MS (EDSS ≤ 3 after 10 years)" excludes no other EDSS ≤ 3.
            if r.sense == "forbid" and re.match(
                r"\s*(?:points?\s*)?(?:at\s+)?(?:[≥>]\s*\d+\s*years?\s*)?after\b", text[last:]
            ):
                continue
            if _IN_PATIENTS.search(before):
                # "In patients with an EDSS of …" narrows another condition: excluded together, or no demand at all.
                if r.sense == "require":
                    continue
                group = "with"
            elif _CONDITIONAL.search(before[-60:]):
                continue
            yield Constraint(
                "edss_range", polarity, min(begin, start), max(last, found.end()), "edss.range",
                *bounds, unit="points", window_anchor=anchor, any_of_group=group,
            )  # fmt: skip


_AND_AT_MOST = re.compile(rf"\s*(?:points?)?\s*,\s*(?:but\s+|and\s+)?(?P<symbol>[≤<])\s*(?P<value>{NUMBER})")


def _not_exceeding(text: str, got: tuple[Bounds, int, int]) -> tuple[Bounds, int] | None:
    """The second half of "3 or above, not exceeding 6"."""
    found = _AND_AT_MOST.match(text, got[2]) if got[0].max_value is None else None
    return (compared(found["symbol"], number(found["value"])), found.end()) if found else None


def _one_sided(text: str, got: tuple[Bounds, int, int], second: tuple[Bounds, int]) -> Bounds | None:
    """A lower and an upper bound that hold together."""
    low, high = got[0], second[0]
    if low.max_value is not None or high.min_value is not None or not _is_edss(high):
        return None
    if re.search(r"\bor\b", text[got[2] : second[1]]) or (low.min_value or 0) >= (high.max_value or 0):
        return None
    return Bounds(low.min_value, low.min_inclusive, high.max_value, high.max_inclusive)


def _is_edss(bounds: Bounds) -> bool:
    values = [v for v in (bounds.min_value, bounds.max_value) if v is not None]
    return bool(values) and all(0 <= v <= 10 and (v * 2) % 1 == 0 for v in values)


_ANCHOR_NEAR = re.compile(
    r"[\s,)]*(?:points?)?[\s,)]*(?:\(?\s*inclusive\s*\)?)?[\s,]*(?:at|on|by|during|prior to|before)\s+(?:the\s+|time of\s+)*(screening|baseline|randomi[sz]|enrol|inclusion|study entry|entry|day -?[01])"
)
_ANCHOR_NAMES = {
    "sc": "screening",
    "ba": "baseline",
    "ra": "randomization",
    "en": "enrolment",
    "in": "enrolment",
    "st": "study_entry",
    "da": "baseline",
}


def _near_anchor(text: str, end: int) -> str | None:
    found = _ANCHOR_NEAR.match(text, end)
    if not found:
        return None
    word = found.group(1)
    return "study_entry" if word.startswith(("entry", "study")) else _ANCHOR_NAMES[word[:2]]


_EDSS_STEP = re.compile(
    rf"(?:\bedss\s+(?:score\s+)?(?:has\s+|have\s+)?(?:increased?|worsening|worsened|progression|progressed)\s+(?:of\s+|by\s+|(?=[≥>]))(?P<symbol3>[≥>])?\s*(?P<value3>{NUMBER})(?=\s*(?:or\s+(?:more|greater)|$|[,.;()]|for\b|in\b|within\b|over\b|sustained|confirmed|and\b)))|(?:(?P<word>increas\w+|progress\w*|worsen\w*|deteriorat\w*)\b[^.;]{{0,60}}?(?P<symbol>[≥>])?\s*(?:of\s+)?(?P<value>{NUMBER})\s*-?\s*(?:or more\s+)?(?:edss\s+|full\s+|(?:expanded\s+)?disability\s+status\s+scale\s*(?:\(\s*edss\s*\)\s*)?)?(?:points?|steps?|degrees?|edss|(?:on|in)\s+(?:the\s+)?(?:kurtzke\s+)?(?:edss|expanded\s+disability)))"
    rf"|(?:(?P<symbol2>[≥>])?\s*(?P<value2>{NUMBER})\s*-?\s*(?:or more\s+)?(?:edss\s+|full\s+)?(?:points?|steps?)?\s*(?:edss\s+)?(?:increas\w+|progress\w*|worsen\w*|deteriorat\w*))"
)


_GETS_WORSE = re.compile(r"\b(?:progress\w+|worsening|increasing\s+disability|deteriorat\w+)\b")
# "A relapse is an event with an EDSS increase of …" explains a word.
_EVENT_DEFINED = re.compile(
    r"\b(?:relapse|exacerbation|attack)s?\s*,?\s*(?:\(\s*)?defined\s+as\b|\b(?:relapse|exacerbation|attack|progression|worsening)s?\s+(?:is|are|was|were)\s+(?:an?\s|any\s|the\s|defined)"
)


def edss_change(r: Reading) -> Iterator[Constraint]:
    """edss.change: a rise of the EDSS by a number of points, with the window in which it happened."""
    text = r.text
    if "edss" not in text and "disability" not in text:
        return
    for clause_start, clause_end in r.clauses:
        clause = text[clause_start:clause_end]
        if not _EDSS.search(clause):
            continue
        if _EVENT_DEFINED.search(clause):
            continue
        for found in _EDSS_STEP.finditer(text, clause_start, clause_end):
            near = text[max(clause_start, found.start() - 70) : min(clause_end, found.end() + 60)]
            if not _EDSS.search(near):
                continue
            value = number(found["value"] or found["value2"] or found["value3"])
            if not 0 < value <= 5 or re.search(r"\bfss\b|functional system", near):
                continue
            window = _window(r, clause_start, clause_end, found.start(), found.end())
            if window is None and clause_start and _GETS_WORSE.search(text, 0, clause_start):
                # "… in the last 2 years. Progression is shown by an increase of 1 point"
                window = next(
                    (s for s in reversed(r.spans) if s.role == "back" and s.end <= clause_start), None
                )
            second = _EDSS_STEP_MORE.match(text, found.end())
            if window is None and second:
                # "1 point (if …) or 0.5 point (if …) in the last year": one time for both
                window = _window(r, clause_start, clause_end, second.start("value"), second.end(), reach=150)
            symbol = found["symbol"] or found["symbol2"] or found["symbol3"]
            if r.sense == "require" and _NOT_WORSE.search(text, clause_start, found.start()):
                # "Without worsening of more than 1 point": at most that much
                bounds = Bounds(None, None, value, symbol == ">")
                yield Constraint(
                    "edss_change", "require", found.start(), found.end(), "edss.change", *bounds, unit="points", **_window_fields(window),
                )  # fmt: skip
                break
            # Each step is for another EDSS: one of them is enough.
            steps = "step" if second and 0 < number(second["value"]) <= 5 else None
            yield Constraint(
                "edss_change", r.sense, found.start(), found.end(), "edss.change",
                value, symbol != ">", unit="points", any_of_group=steps,
                **_window_fields(window),
            )  # fmt: skip
            if steps:
                # "1 point, or 0.5 point if the EDSS is 6 or more"
                yield Constraint(
                    "edss_change", r.sense, second.start("value"), second.end(), "edss.change",
                    number(second["value"]), True, unit="points", any_of_group=steps, **_window_fields(window),
                )  # fmt: skip
            break


_NOT_WORSE = re.compile(r"\b(?:no|not|without|absence\s+of)\b[^.;,]{0,30}$")
_EDSS_STEP_MORE = re.compile(
    rf"(?:[^.;]|\.(?=\d)){{0,60}}?(?:\b(?:or|and)|,)\s+(?:an?\s+)?(?:increase\s+)?(?:of\s+)?(?:≥\s*)?(?P<value>{NUMBER})\s*-?\s*(?:edss\s+)?(?:points?|steps?)?\s+(?:increase\s+)?(?:sustained\b[^.;]{{0,40}}?\s)?(?=\(?\s*(?:if|in|for|when|where|(?:baseline\s+|screening\s+)?edss\s*[≥≤><])\b|\(?\s*(?:baseline\s+|screening\s+)?edss\s*[≥≤><])"
)


# ---------------------------------------------------------------------------------------------------------------- age
_AGE_WORD = re.compile(r"\b(?:ages?|aged|aging)\b")
_AGE_FILLER = re.compile(
    r"(?:[\s,:=()\[\]]|-(?=\s)|\b(?:at|of|is|are|was|be|must|should|between|from|ranges?|ranging|in|the|time|screening|baseline|study|entry|enrol\w*|inclusion|consent|years?|yrs?|within|and|to|group|limits?|informed|signing|randomi[sz]\w+|visit|a|an|have|with|range of|day -?1|criteria|both|outside|not|sexes|male|female|males|females|men|women|or|subjects?|patients?|participants?|healthy|adults?)\b)*?(?=[\d≥≤><]|up to)"
)
_AGE_TAIL = re.compile(
    r"\s*(?:y/o|yo|y\.o)\b|(?:\s*\(\s*inclusive(?:ly)?\s*\))?\s*-?\s*(?:\(\s*)?(?:years?|yrs?|y/?o|y\.?o\.?|y)\b\.?\s*-?\s*(?:\)\s*)?(?:,?\s*\(?\s*inclusive(?:ly)?\s*\)?,?\s*)?(?:of\s+ages?|old|in\s+age)\b"
)
_AGE_OLDER = re.compile(
    rf"(?P<value>{NUMBER})\s*(?:years?|yrs?|y/?o|y)?\s*(?:of\s+age\s*|old\s*)?,?\s*\(?\s*(?:and|or)\s+(?:(?P<older>older|over|above|up|greater|more)|(?P<younger>younger|under|below|less))\b(?!\s+(?:than\s+|the age of\s+)?[≥≤><]?\s*\d)"
)
_PEOPLE = re.compile(
    r"\b(?:males?|females?|men|women|adults?|patients?|subjects?|participants?|individuals?|volunteers?|persons?|people|children|adolescents|sexes|genders?)\b[\s,()a-z]{0,22}$"
)
_NOT_OWN_AGE = re.compile(
    r"child-?\s?bearing|contracepti|menopaus|pregnan|fertil|hysterectom|age at (?:onset|diagnosis)|onset|first\s+(?:ms\s+)?symptom|parents?\b|guardian|caregiver|birth(?!day)|mother|father|sibling|age-|adjusted for age|gestation|donor|sexually|lmp\b|menses|amenorr|"
    r"\bdiagnosed\b[^,;]{0,30}\bage\b|before (?:the )?age|by age|since age|after age|menstrua|life expectancy|infants?\b"
)
_AGE_SYMBOL = {"over": ">", "under": "<"}


# An age that decides which scale, dose or limit applies is no bound on the patient's own.
_SCALES = re.compile(r"\becog\b|karnofsk|karnovsk|lansky|performance (?:status|score)|creatinine|ejection")
_AGE_OF_SOME = re.compile(
    r"\b(?:if|for (?:the )?(?:patients|participants|subjects|those|children|adults|women|men)(?: who are)?)\W+(?:\w+\W+)?$|\bdefined as\b[^.;]*$"
)
_AGE_CONDITION = re.compile(
    r"[^.;]{0,30}\b(?:for (?:patients|participants|subjects|those)|at (?:the )?(?:time of )?(?:first |initial )?(?:diagnosis|onset)|(?:must|should) (?:weigh|be accompanied|assent)|(?:needs? to|could|can) (?:\w+ ){0,6}?(?:assent|sign\w*|be recruited)|after signing)\b"
)


def _is_age_bound(text: str, start: int, older: re.Match) -> bool:
    """ "18 years or older" and not "6 months or more"."""
    before = text[max(0, start - 40) : start]
    speaks_of_age = re.search(r"year|yrs?|old|y/?o", older.group()) or _PEOPLE.search(before)
    stands_alone = start < 12 and re.match(r"\s*(?:old|$|[.,;)])", text[older.end() :])
    if not (speaks_of_age or stands_alone) or older["older"] in ("greater", "more"):
        return False
    return bool(re.search(r"older|younger|of age|old\b", older.group()) or re.search(r"\bage", text))


# "Younger than 18 or older than 60 years"
_ONLY_AGES = re.compile(
    rf"\W*(?P<low>[<≤])\s*(?P<first>{NUMBER})\s*(?:years?|yrs?)?\s*or\s*(?P<high>[>≥])\s*(?P<second>{NUMBER})\s*(?:years?|yrs?)\W*"
)
_ONLY_AGE = re.compile(
    rf"\W*(?:between\s+|from\s+)?[≥≤><]?\s*{NUMBER}\+?\s*(?:years?|yrs?)?\s*(?:(?:-|to|and|through|,|but)\s*[≥≤><]?\s*{NUMBER})?\s*(?:years?|yrs?)\W*(?:\(?inclusive\)?)?\W*"
)
# A heading of its own: "Age:" and below it "18 to 60", "18 and over".
_AGE_HEAD = re.compile(r"\W*ages?\W*")
_UNDER_AGE_HEAD = re.compile(
    rf"\W*(?P<ages>[≥≤><]?\s*{NUMBER}\s*(?:(?:-|to|through|and)\s*{NUMBER}|(?:and|or)\s+(?:over|older|above))?)\s*(?:years?)?\W*"
)
_AGE_START = re.compile(r"[≥≤><]|(?<![\d.,\-/≥≤><])\d")
_NOT_AGE_AFTER = re.compile(
    r"\s*(?:years?|yrs?)\s*(?:prior|before|since|after|of (?!age)|ago|post|from|duration|disease|history|with|follow)"
)


def _is_age_of_people(text: str, start: int, got: tuple[Bounds, int]) -> bool:
    """ "Men and women, 18 to 55 years"."""
    return bool(
        re.match(r"\s*(?:years?|yrs?)\b", text[got[1] :])
        and _PEOPLE.search(text[max(0, start - 40) : start])
        and (got[0].min_value or 0) >= 10
        and not _NOT_AGE_AFTER.match(text[got[1] :])
    )


def _one_range(text: str, hits: list[tuple[int, int, Bounds, str]]) -> list[tuple[int, int, Bounds, str]]:
    """ "Over the age of 18 and under the age of 65" is one range."""
    hits = sorted(hits)
    if len(hits) != 2 or hits[0][3] != hits[1][3]:
        return hits
    (start, first_end, low, unit), (second_start, end, high, _) = hits
    between = text[first_end:second_start]
    if (
        low.max_value is None
        and high.min_value is None
        and (low.min_value or 0) < (high.max_value or 0)
        and re.fullmatch(r"(?:[\s,]|\b(?:years?|old|of|age|and|but|the|at|aged?)\b)*", between)
        and re.search(r"\band\b|\bbut\b", between)
    ):
        return [
            (start, end, Bounds(low.min_value, low.min_inclusive, high.max_value, high.max_inclusive), unit)
        ]
    return hits


# "12 years ≤ age < 18 years"
_AGE_FRONT = re.compile(rf"({NUMBER})\s*(?:years?|yrs?|y)?\s*([≤<])\s*$")
# "Patients older than 65"
_AGE_BARE = re.compile(
    rf"[≥≤><]\s*{NUMBER}(?=\s*(?:$|or\s+(?:age\s+)?(?:[≥≤><]|over\b|older\b|above\b)|[.,;)]\s*$|at\s+(?:screening|baseline|enrol|inclusion|study)))"
)


def age_range(r: Reading) -> Iterator[Constraint]:
    """age.range: the patient's own age between, from, up to or over values; units in years or months."""
    text = r.text
    if not _AGE_HEAD.fullmatch(r.head) and not re.search(
        r"\bage|\byears?\s+old|\byears?\b|\byrs?\b|\by/?o\b|older|younger|(?:patient|subject|participant|individual|volunteer|person)s\s+[≥≤><]|\badults?\s*\(",
        text,
    ):
        return
    hits: list[tuple[int, int, Bounds, str]] = []

    def add(start: int, end: int, bounds: Bounds) -> None:
        if any(a < end and start < b for a, b, _, _ in hits):
            return
        values = [v for v in (bounds.min_value, bounds.max_value) if v is not None]
        if not values or max(values) > 120:
            return
        unit = "years"
        tail = text[end : end + 14]
        inner = text[start:end]
        if re.match(r"\s*-?\s*months?", tail) and "year" not in inner:
            unit = "months"
        elif re.match(r"\s*-?\s*(?:days?|weeks?|hours?)", tail):
            return
        elif re.search(r"\bmonths?", inner) and re.match(r"\s*-?\s*(?:years?|yrs?)", tail):
            unit = "months"
            bounds = Bounds(
                bounds.min_value,
                bounds.min_inclusive,
                bounds.max_value and bounds.max_value * 12,
                bounds.max_inclusive,
            )
        hits.append((start, end, bounds, unit))

    under_head = _UNDER_AGE_HEAD.fullmatch(text) if _AGE_HEAD.fullmatch(r.head) else None
    if under_head:
        got = bounds_at(text, under_head.start("ages"))
        if got:
            add(under_head.start("ages"), got[1], got[0])
    for word in _AGE_WORD.finditer(text):
        # "18 years of age": its number stands before it.
        if re.search(r"\d\s*(?:years?|yrs?)\s+of\s+$", text[max(0, word.start() - 20) : word.start()]):
            continue
        gap = _AGE_FILLER.match(text, word.end())
        if gap:
            got = bounds_at(text, gap.end())
            # "age 18-55", not "ages 4 weeks"
            side = re.search(r"([≥≤])\s*$", text[max(0, word.start() - 12) : word.start()])
            only = (
                re.match(rf"\s*(?:of\s+|is\s+|:\s*)*({NUMBER})\s*(?:years?|yrs?|$|[.,;])", text[word.end() :])
                if side
                else None
            )
            if side and only:
                # "Minimum age 18 years"
                add(
                    word.end() + only.start(1),
                    word.end() + only.end(1),
                    compared(side.group(1), number(only.group(1))),
                )
                continue
            if got:
                front = _AGE_FRONT.search(text, max(0, word.start() - 16), word.start())
                if front and got[0].min_value is None:
                    low = Bounds(number(front.group(1)), front.group(2) == "≤", *got[0][2:])
                    add(front.start(), got[1], low)
                    continue
                add(gap.end(), got[1], got[0])
                after = re.match(r"\s*(?:years?|yrs?)?(?:\s*of age|\s*old)?", text[got[1] :])
                second = other_side(text, got[1] + after.end()) if after else None
                if second and (got[0].min_value is None) != (second[0].min_value is None):
                    add(got[1] + after.end(), second[1], second[0])
            else:
                older = _AGE_OLDER.match(text, gap.end())
                if older:
                    add(
                        older.start(),
                        older.end(),
                        compared("≥" if older["older"] else "≤", number(older["value"])),
                    )
                else:
                    over = re.match(rf"(?:over|under)\s+({NUMBER})", text[gap.end() :])
                    if over:
                        add(
                            gap.end(),
                            gap.end() + over.end(),
                            compared(_AGE_SYMBOL[over.group()[:5].strip()], number(over.group(1))),
                        )
        over = re.match(rf"\s*(over|under)\s+({NUMBER})", text[word.end() :])
        if over:
            end = word.end() + over.end()
            bounds = compared(_AGE_SYMBOL[over.group(1)], number(over.group(2)))
            upper = re.match(rf"\s*(?:years?|yrs?)?\s*(?:,|and|but)+\s*(?:<|≤)\s*({NUMBER})", text[end:])
            if upper and bounds.min_value is not None:
                symbol = re.search(r"[<≤]", upper.group()).group()
                bounds = bounds._replace(max_value=number(upper.group(1)), max_inclusive=symbol == "≤")
                end += upper.end()
            hits[:] = [h for h in hits if not (h[0] < end and word.end() < h[1])]
            add(word.end(), end, bounds)
    both = _ONLY_AGES.fullmatch(text)
    if both:
        add(both.start("low"), both.end("first"), compared(both["low"], number(both["first"])))
        add(both.start("high"), both.end("second"), compared(both["high"], number(both["second"])))
    for candidate in _AGE_START.finditer(text):
        start, letter = candidate.start(), candidate.group()
        if any(a <= start < b for a, b, _, _ in hits):
            continue
        if (
            letter.isdigit()
            and re.search(
                r"[≥≤><]\s*(?:\([≥≤><=]+\)\s*)?$|[-–]\s*$|\bto\s*$|\band\s*$", text[max(0, start - 8) : start]
            )
            and not _PEOPLE.search(text[max(0, start - 40) : start])
        ):
            earlier = any(b >= start - 8 for _, b, _, _ in hits)
            if earlier:
                continue
        got = bounds_at(text, start)
        older = _AGE_OLDER.match(text, start)
        if older and _is_age_bound(text, start, older):
            add(start, older.end(), compared("≥" if older["older"] else "≤", number(older["value"])))
            continue
        if got:
            tail = _AGE_TAIL.match(text, got[1]) or (
                _ONLY_AGE.fullmatch(text) and (got[0].min_value or got[0].max_value or 0) >= 10
            )
            in_brackets = re.search(r"\badults?\s*(?:\w+\s*)?\(\s*$", text[:start]) and re.match(
                r"\s*\)", text[got[1] :]
            )
            listed = (
                re.search(r"[,;]\s*$", text[:start])
                and re.match(r"\s*(?:years?|yrs?)\s*(?:$|[,;.)])", text[got[1] :])
                and (got[0].min_value or 0) >= 12
                and got[0].max_value is not None
            )
            bare = (
                in_brackets
                or listed
                or (
                    _AGE_BARE.match(text, start)
                    and _PEOPLE.search(text[max(0, start - 40) : start])
                    and 10 <= (got[0].min_value or got[0].max_value or 0) <= 90
                )
            )
            tail = tail or re.search(r"\d\s*(?:years?|yrs?)\s+(?:of\s+age|old)\b", text[start : got[1]])
            if tail or bare or _is_age_of_people(text, start, got):
                add(start, got[1], got[0])
                after = re.match(r"\s*(?:years?|yrs?)?(?:\s*of age|\s*old)?", text[got[1] :])
                second = other_side(text, got[1] + after.end()) if after and not bare else None
                if second and (got[0].min_value is None) != (second[0].min_value is None):
                    add(got[1] + after.end(), second[1], second[0])
        elif letter.isdigit():
            plain = re.match(rf"({NUMBER})\s*(?:years?|yrs?)\s*(?:of age|old)", text[start:])
            word = re.search(r"\b(over|under)\s+(?:the age of\s+)?$", text[max(0, start - 20) : start])
            if plain and word:
                add(
                    start,
                    start + len(plain.group(1)),
                    compared(_AGE_SYMBOL[word.group(1)], number(plain.group(1))),
                )
    for start, end, bounds, unit in _one_range(text, hits) if r.sense == "require" else hits:
        clause_start, clause_end = r.clause(start)
        polarity = r.sense
        if re.search(
            r"\b(?:outside|not\s+(?:be\s+)?(?:between|within))\b[^.;\d]*$", text[clause_start:start]
        ):
            polarity = "forbid" if r.sense == "require" else "require"
        around = text[max(clause_start, start - 90) : min(clause_end, end + 60)]
        own = re.match(
            r"\s*(?:\W*(?:patients?|subjects?|participants?|males?|females?|men|women|adults?|and|or|non-?\s?pregnant|non-?\s?lactating|non-?\s?nursing|nonpregnant|nonlactating|are|is|must be|be|healthy|the)\W+)*(?:ages?\b|aged|between|\d)",
            text,
        )
        if (
            _NOT_OWN_AGE.search(around)
            and not re.search(r"[,;]\s*(?:and\s+|or\s+)?ages?\b[^,;]{0,20}$", text[clause_start:start])
            and not (own and start - own.end() < 30)
        ):
            continue
        if (
            re.search(
                r"\b(?:duration|since|history of|for|within|last|past|diagnos\w+|during|every|ecog|disease|follow-?up)\s*(?:the\s+)?(?:[≥≤<>]\s*)?$",
                text[max(0, start - 24) : start],
            )
            and "age" not in text[max(0, start - 24) : end + 14]
        ):
            continue
        if (
            re.search(r"contracepti|birth control", text[clause_start:clause_end])
            and re.match(
                r"\W*(?:fertile\s+|sexually active\s+|all\s+)?(?:women|females?|wocbp)", text[clause_start:]
            )
            and not re.search(r"\bmen\b|\bmales?\b", text)
        ):
            continue
        if r.in_exception(start) or text[end : end + 2].strip().startswith("%"):
            continue
        if _AGE_OF_SOME.search(text[max(clause_start, start - 60) : start]) or _AGE_CONDITION.match(
            text, end
        ):
            continue
        if _SCALES.search(text, clause_start, clause_end) or re.search(r"\bweigh", text[clause_start:start]):
            continue
        tail = re.match(r"\s*-?\s*(?:years?|yrs?)?\s*(?:of age|old)?,?\s*\(?(?:inclusive)?\)?", text[end:])
        last = end + (tail.end() if tail else 0)
        head = re.search(r"(?:\bages?d?\b[^.;\d≥≤><]{0,40}|between\s+)$", text[:start])
        yield Constraint(
            "age_range", polarity, head.start() if head else start, last, "age.range", *bounds, unit=unit,
            window_anchor=_near_anchor(text, last),
        )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- relapses
_RELAPSE = r"(?:relaps(?:e|es)\b(?:\s*\(s\))?|exacerbations?\b(?:\s*\(s\))?|(?<!heart )(?<!panic )(?<!ischemic )(?<!ischaemic )(?<!asthma )(?<!gout )(?<!anxiety )attacks?\b(?:\s*\(s\))?|bouts?\b|flare-?ups?\b|flares\b|clinical\s+(?:episodes?|events?|demyelinating events?)\b|demyelinating\s+(?:events?|episodes?)\b)"
# Other diseases have attacks and exacerbations of their own.
_OTHER_DISEASE = re.compile(
    r"\b(?:asthma\w*|copd|bronch\w+|pulmonary|colitis|crohn\S*|psoria\w+|arthritis|lupus|gout|migraine|angina|ischa?emic|heart|panic|cardiac)\b"
)
_ADJECTIVES = r"(?:(?:clearly\s+|well\s+)?(?:identified|documented|defined|confirmed|clinical)\s+and\s+)?(?:(?!(?:of|and|or|in|before|prior|after|since|until|from|separate|within|during|months?|years?|days?|weeks?|edss|score|points?|mri|lesions?|drug|dmts?|therap\w*|treatments?)\b)[a-z][a-z\-'/]*[\s,]+){0,6}?"
_COUNTED_RELAPSE = re.compile(
    rf"(?<![\d.,])(?P<number>(?:(?P<symbol>[≥≤><=])\s*(?:\([≥≤><=]+\)\s*)?)?(?P<value>\d{{1,2}})(?:\s*\(\s*\w+\s*\))?(?:\s*(?:to|-|or|(?<=between \d )and)\s*(?P<high>\d{{1,2}}))?(?P<more>\s*(?:or more|or greater|and more|\+))?\s*(?:of\s+)?)"
    rf"(?P<adjectives>{_ADJECTIVES})(?P<noun>{_RELAPSE})"
)
_A_RELAPSE = re.compile(rf"\b(?P<article>an?|any|single)\s+(?P<adjectives>{_ADJECTIVES})(?P<noun>{_RELAPSE})")
_ANY_RELAPSE = re.compile(_RELAPSE)
_ON_THERAPY = re.compile(
    r"\b(?:while|whilst|when)\s+(?:\w+\s+){0,4}?(?:on|taking|receiving|under|using|treated|being)|\bduring\s+(?:\w+\s+){0,3}?(?:treatment|therapy)|\bduring\s+(?:their\s+)?(?:interferon|ifn|glatiramer|dmt)|\bon\s+(?:treatment|therapy)\b|\bdespite\b|\bunder\s+(?:treatment|therapy|ifn|interferon|dmt)|\bafter\s+(?:the\s+)?(?:first\s+)?[≥>]?\s*\d+\s*(?:months?|weeks?|years?)\s+(?:of\s+)?(?:[\w-]+\s+){0,4}(?:treatment|therapy|exposure)|\b(?:treatment|therapy) failure|\bfailure\b(?=[^.;]{0,24}\bdefined\b)|\bfailed\b|\bbreakthrough\b|\b(?:suboptimal|sub-optimal|inadequate|insufficient|poor|lack of|incomplete)\s+(?:clinical\s+)?respon\w+|\bnon-?\s?respon\w+|\bnot\s+respond\w*|\bon\s+(?:ifn|interferon|glatiramer|natalizumab|fingolimod|gilenya|dmf|a dmt|dmt)|\bhaving (?:been|received) (?:on|treat)"
)
# "… after being on that therapy for at least 6 months"; the span follows.
_AFTER_TIME_ON = re.compile(
    r"\bafter\s+(?:being|having\s+been)\s+(?:on|under|treated\s+with)\s+(?:that|this|the\s+same|such|their)\s+(?:therapy|treatment|drug|medication|dmt)\s+for[^.;,\d]{0,24}$"
)
# "A relapse is defined as …" explains a word and asks for nothing.
_DEFINITION = re.compile(
    r"\b(?:an?\s+|the\s+|ms\s+|clinical\s+|protocol-defined\s+)*(?:relapse|exacerbation|attack)s?\s+(?:\([^)]*\)\s*)?(?:is|are|was|were|will be|being)\s+defined\b|\bdefinition of (?:an?\s+)?(?:relapse|exacerbation|attack)|for inclusion purposes"
)
_NO_RELAPSE_INCLUSION = re.compile(
    rf"\b(?:no|not?\s+(?:have\s+)?(?:had|experienced|have|having|be\s+in)|(?<!with or )without|absence\s+of|free\s+(?:of|from)|no\s+evidence\s+of|never|lack of)\b[^.;≥>]{{0,60}}?{_RELAPSE}|(?:relapse|exacerbation|attack)s?\s*-?\s*free|free of relapse"
)
_STABLE = re.compile(
    r"(?:neurologic\w*|clinical\w*|medically and neurologic\w*|disease|ms)(?:\s+and\s+\w+)?\s*,?\s*(?:stable|stability)|(?:stable|unstable)\s+(?:neurologic\w*|clinical)(?:\s+or\s+improving)?\s*(?:function|condition|status|state|disease|course|or improving)|stable\s+(?:or improving\s+)?(?:neurologic\w*|clinical)|stable (?:relapsing|multiple sclerosis|ms|rrms|disease)\b|stabili[sz]ed|\bin remission\b|remission phase|clinically stable"
)


def _window_fields(span: Span | None) -> dict:
    if span is None:
        return {}
    return {
        "window_value": span.value,
        "window_unit": span.unit,
        "window_near_value": span.near,
        "window_near_unit": span.near_unit,
        "window_anchor": span.anchor,
    }


_ACTIVITY_NOUN = re.compile(r"relapses?\b|exacerbations?\b|attacks?\b|lesions?\b")
GENERIC_THERAPY = "ms disease-modifying therapy"
_COMPARED_WITH = re.compile(r"\bcompar\w+\b[^.;]*$")


def _window(
    r: Reading, clause_start: int, clause_end: int, start: int, end: int, reach: int = 110
) -> Span | None:
    """The look-back window that belongs to a mention: the nearest behind it in its clause, else before it, else the
    introduction's."""
    stop = clause_end
    back = [
        s
        for s in r.spans
        if s.role == "back" and not _COMPARED_WITH.search(r.text, max(0, s.start - 90), s.start)
        and not re.search(r"\bbut\s+not\s+(?:with)?in\s+(?:the\s+)?(?:last\s+|past\s+)?(?:≤\s*)?$", r.text[max(0, s.start - 30) : s.start])
    ]  # fmt: skip
    after = [s for s in back if end - 1 <= s.start < stop]
    for span in after:
        between = re.sub(r"\([^()]*\)", " ", r.text[end : span.start])
        if len(between) <= reach and not re.search(
            r"\bor\b[^()]{0,40}(?:(?<![a-z])\d|≥|\ban?\b)|;|\bseparate\b|(?<![a-z\d.])\d\s*(?:or more\s+)?(?:relapses?\s+)?(?:of\s+(?:them|which|these|those)\b|$|(?:must\s+|should\s+)?(?:have\s+)?(?:occur\w*|been)\b)",
            between.rstrip(),
        ):
            return span
        break
    inside = [s for s in back if start <= s.start < end]
    if inside:
        return inside[0]
    before = [s for s in back if clause_start <= s.start and s.end <= start]
    for span in reversed(before):
        # A time behind another sign of activity belongs to that one, a time before all of them to each.
        if _ACTIVITY_NOUN.search(r.text, clause_start, span.start) and not re.search(
            r"\bseparate\b", r.text[max(clause_start, span.start - 40) : span.start]
        ):
            break
        between = r.text[span.end : start]
        if len(between) <= 300 and not re.search(r";", between):
            return span
        break
    head = [s for s in r.head_spans if s.role == "back"]
    return head[-1] if head else None


def _shared_window(
    r: Reading, clause_start: int, clause_end: int, end: int, following: tuple[int, int]
) -> Span | None:
    """The time of "2 relapses or 1 severe relapse in the last year" is that of both."""
    if not re.fullmatch(r"[\s,(]*(?:or|and/or)\s*", r.text[end : following[0]]):
        return None
    return _window(r, clause_start, clause_end, *following)


_OR_LESION = re.compile(
    r"[\s,(]*(?:or|and/or)\s+(?:(?!\b(?:in|within|during|over|relapses?|attacks?)\b)[^.;]){0,90}?(?:\blesions?\b|\b[cg]els?\b)"
    r"(?:\s+(?:on|in|at|by)\s+(?:an?\s+|the\s+)?(?:\w+\s+)?(?:mri|t[12]\w*|imaging|scans?))?[\s,)]*(?:\b(?:(?:with)?in|during|over|between|from)(?:\s+the)?)?"
)


def _lesion_window(r: Reading, clause_start: int, clause_end: int, end: int) -> Span | None:
    """The only time behind "one relapse or one new lesion in the last year" is that of both."""
    times = [s for s in r.spans if s.role == "back" and end <= s.start < clause_end]
    if len(times) != 1:
        return None
    words = re.search(r"(?:last|past|previous|preceding|prior)?\s*$", r.text[: times[0].start]).start()
    return times[0] if _OR_LESION.fullmatch(r.text[end:words].rstrip()) else None


def _relapse_bounds(found: re.Match) -> Bounds:
    value = float(found["value"])
    if found["high"]:
        return (
            Bounds(value, True, float(found["high"]), True)
            if float(found["high"]) > value
            else compared("≥", value)
        )
    symbol = found["symbol"]
    if symbol in ("≤", "<", ">") and not found["more"]:
        return compared(symbol, value)
    return compared("≥", value)


def relapses(r: Reading) -> list[Constraint]:
    """relapse.count, relapse.on_therapy, relapse.none_within: relapses counted in a window or on a therapy; none for a time; stable for a time."""
    text = r.text
    if not r.is_ms:
        return []
    has_noun = _ANY_RELAPSE.search(text) is not None or _RELAPSED.search(text) is not None
    if has_noun and _OTHER_DISEASE.search(text):
        nouns = [r.clause(m.start()) for m in _ANY_RELAPSE.finditer(text)]
        if all(
            _OTHER_DISEASE.search(text, *clause) and not _MS_NAMED.search(text, *clause) for clause in nouns
        ):
            return []
    out: list[Constraint] = []
    used: list[tuple[int, int]] = []
    negative_spans = [m.span() for m in _NO_RELAPSE_INCLUSION.finditer(text)]
    defined = [(m.start(), r.clause(m.start())[1]) for m in _DEFINITION.finditer(text)]

    def negated(position: int, end: int) -> bool:
        return any(a <= position < b or a < end <= b for a, b in negative_spans)

    if has_noun:
        counted = list(_COUNTED_RELAPSE.finditer(text))
        if r.sense == "require":
            counted += [
                m
                for m in _A_RELAPSE.finditer(text)
                if not any(c.start() <= m.start() < c.end() for c in counted)
            ]
        counted.sort(key=lambda m: m.start())
        for index, found in enumerate(counted):
            start, end = found.span()
            clause_start, clause_end = r.clause(start)
            is_numbered = "value" in found.re.groupindex
            if negated(start, end) or any(a <= start < b for a, b in used):
                continue
            # The first event of a life is the onset, no relapse.
            if re.search(r"\bfirst\s", found.group()) or re.search(
                r"\bfirst\s+(?:ever\s+)?$", text[max(0, start - 14) : start]
            ):
                continue
            if any(a <= start < b for a, b in defined):
                continue
            if re.match(
                r"\s*(?:may|can|rate|free|prevention|treatment|therapy|therapies|onset|symptom|assess|history|is defined|defined)",
                text[end : end + 22],
            ) and not re.match(r"\s*(?:with\s+)?onset", text[end : end + 12]):
                continue
            if (
                re.search(
                    r"\b(?:first|onset of (?:the|a)|time of|since|for|from|treat\w*|prior to|definition of|defined as|confirm|after|between|during|following|recover\w* from|caused by|due to|symptoms? of)\s+(?:the\s+|their\s+)?$",
                    text[max(0, start - 24) : start],
                )
                and not is_numbered
            ):
                continue
            if is_numbered and re.search(
                r"(?:appendix|day|week|month|grade|type|part|phase|visit|criteri\w+|#)\s*$",
                text[max(0, start - 12) : start],
            ):
                continue
            if is_numbered and found["noun"].startswith("clinical") and not found["value"]:
                continue
            if r.in_exception(start) and r.sense == "require":
                continue
            if r.permits(clause_start, clause_end) and not is_numbered:
                continue
            if re.search(r"\((?:that\s+is|i\.e\.)[^()]*$", text[clause_start:start]):
                # "(that is, the first event and 1 relapse)" explains the count before it.
                continue
            if _PER_YEAR.match(text, end):
                continue
            bounds = _relapse_bounds(found) if is_numbered else compared("≥", 1)
            # "at least 1 but no more than 4 relapses"
            low = re.search(r"([≥>])\s*(\d)\s*(?:but|and|to)\s*$", text[clause_start:start])
            if low and bounds.min_value is None:
                bounds = bounds._replace(min_value=float(low.group(2)), min_inclusive=low.group(1) == "≥")
            # The window of "1 in the last year and 2 in the last 2 years" stands before the next count.
            limit = clause_end
            if index + 1 < len(counted):
                limit = min(limit, counted[index + 1].start())
            window = _window(r, clause_start, limit, start, end)
            if window is None and index + 1 < len(counted):
                window = _shared_window(r, clause_start, clause_end, end, counted[index + 1].span())
            if window is None and r.sense == "require":
                window = _lesion_window(r, clause_start, clause_end, end)
            if (
                is_numbered
                and window is None
                and bounds == (1.0, True, None, None)
                and found["symbol"] is None
                and re.match(r"clinical|demyel", found["noun"])
            ):
                # "One demyelinating episode" is how it began.
                continue
            if not is_numbered and window is None and not _ON_THERAPY.search(text, end, clause_end):
                continue
            nothing_back = window is None or (
                r.sense == "forbid" and bounds.min_value == 1 and bounds.min_inclusive
            )
            if r.sense == "forbid" and nothing_back:
                if window is not None and window.symbol in (">", "≥"):
                    # "a relapse that began more than 14 days ago": that it is fresh is asked for, and not read
                    continue
                if window is not None and bounds.min_value == 1 and bounds.max_value is None:
                    out.append(_none_within(r, start, end, window))
                    used.append((start, max(end, window.end)))
                continue
            drug_terms = _therapy_terms(r, clause_start, clause_end, start, end, limit)
            if drug_terms is not None and window is None:
                # "… on interferon, after 6 months of it, within 10 years of consent"
                behind = max(drug_terms[1], drug_terms[2].end if drug_terms[2] else 0)
                window = next(
                    (
                        s
                        for s in r.spans
                        if s.role == "back" and 0 <= s.start - behind < 30 and s.end <= limit
                    ),
                    None,
                )
            of_them = None
            if drug_terms is not None and r.sense == "require":
                on = next((m for m in _ON_THERAPY.finditer(text, end, limit)), None)
                of_them = _ONE_ON_THERAPY.search(text, end, on.start()) if on else None
            if of_them is not None:
                terms, tail_end, span = drug_terms
                out.append(
                    Constraint(
                        "relapse_on_therapy", "require", of_them.start("value"), max(tail_end, of_them.end()), "relapse.on_therapy",
                        float(of_them["value"]), True, unit="count", terms=terms,
                        on_therapy_value=span.value if span else None, on_therapy_unit=span.unit if span else None,
                        **_window_fields(window),
                    )
                )  # fmt: skip
                drug_terms = None
            last = max(end, window.end) if window and window.start >= end and window.start < limit else end
            if drug_terms is not None and r.sense == "require":
                terms, tail_end, span = drug_terms
                out.append(
                    Constraint(
                        "relapse_on_therapy", "require", start, max(last, tail_end), "relapse.on_therapy", *bounds, unit="count",
                        terms=terms, on_therapy_value=span.value if span else None, on_therapy_unit=span.unit if span else None,
                        **_window_fields(window),
                    )
                )  # fmt: skip
            else:
                out.append(
                    Constraint(
                        "relapse_count",
                        r.sense,
                        start,
                        last,
                        "relapse.count",
                        *bounds,
                        unit="count",
                        **_window_fields(window),
                    )
                )
            used.append((start, last))
        for found in _NUMBER_OF.finditer(text):
            if not any(a <= found.start("value") < b for a, b in used):
                start, end = found.span()
                window = _window(r, *r.clause(start), start, end)
                last = max(end, window.end) if window and window.start >= end else end
                bounds = compared(found["symbol"], float(found["value"]))
                out.append(Constraint("relapse_count", r.sense, start, last, "relapse.count", *bounds, unit="count", **_window_fields(window)))  # fmt: skip
                used.append((start, last))
        out.extend(_elliptic(r, out, used, counted))
        out.extend(_but_not(r, out))
        # "clinical relapse" as one of several signs of activity while on a therapy, without a number
        if r.sense == "require":
            for found in _ANY_RELAPSE.finditer(text):
                start, end = found.span()
                if any(a <= start < b for a, b in [*used, *defined]) or negated(start, end):
                    continue
                clause_start, clause_end = r.clause(start)
                drug_terms = _therapy_terms(r, clause_start, clause_end, start, end)
                if drug_terms is None or not re.search(
                    r"^[^a-z]*$|\b(?:activity|fail\w*|defined|evidence|experienced|had|breakthrough|either|signs?)\b",
                    text[clause_start:start],
                ):
                    continue
                if re.search(
                    r"\b(?:for|since|from|treat\w*|prevent\w*|between|onset|after|no|without|independent\w*|rate)\b[^,;]{0,24}$",
                    text[max(clause_start, start - 30) : start],
                ):
                    continue
                if out:
                    continue
                window = _window(r, clause_start, clause_end, start, end, reach=60)
                terms, _, span = drug_terms
                out.append(
                    Constraint(
                        "relapse_on_therapy",
                        "require",
                        start,
                        end,
                        "relapse.on_therapy",
                        1,
                        True,
                        unit="count",
                        terms=terms,
                        **_window_fields(window),
                    )
                )
                used.append((start, end))
    out.extend(_absent(r, used, negative_spans, has_noun))
    return out


_MS_NAMED = re.compile(r"\bms\b|multiple sclerosis|\brrms\b|neurologic")
_MORE_OF_THEM = re.compile(
    r"(?:\b(?:or|and|with|including)|,)\s+(?:≥\s*)?(?P<value>\d)(?:\s*or more)?\s+(?:of\s+(?:them|which|these|those)\s+|relapses?\s+)?(?:(?:must|should)\s+)?(?:have\s+)?(?:has\s+|had\s+|being\s+|occurr\w+\s+|been\s+)*(?=(?:in|within|during|over)\b)"
)
# "2 relapses in 2 years, with at least 1 during treatment": the second is on the therapy, the first is not.
_ONE_ON_THERAPY = re.compile(
    r"\b(?:with|including|and|of which)\s+(?:≥\s*)?(?P<value>\d)\s+(?:of\s+(?:them|which|these|those)\s+)?(?:relapses?\s+)?(?:occurring\s+|having occurred\s+|occurred\s+)?$"
)
_NUMBER_OF = re.compile(
    rf"(?:\bnumber\s+of\s+(?:\w+\s+){{0,3}}?|^\W*(?=\w+:)){_RELAPSE}\s*(?:[:=]|of|is|was|must be)*\s*(?P<symbol>[≥≤><])\s*(?P<value>\d{{1,2}})\b"
)
_PER_YEAR = re.compile(r"\s*(?:per|a|each|every|/)\s*(?:year|annum|month)|\s*(?:annually|yearly)")
_RELAPSED = re.compile(r"\brelapsed\s+(?:≥\s*)?(?:(?P<word>once|twice)|(?P<times>\d)\s*times)\b")
_BUT_NOT = re.compile(r"\bbut\s+(?:not|none|no\s+relapses?)\s+(?=(?:in|within|during|≤|<)\b)")
_LAST_RELAPSE = rf"(?:onset\s+of\s+|start\s+of\s+|end\s+of\s+|resolution\s+of\s+)?(?:the\s+|their\s+|an?\s+)?(?P<last>last\s+|most\s+recent\s+|latest\s+|previous\s+|any\s+)?(?:\w+\s+){{0,2}}?{_RELAPSE}"
# "Last relapse more than 3 months before inclusion", "at least 30 days since the last relapse"
_RELAPSE_AGO = re.compile(
    rf"{_LAST_RELAPSE}(?P<between>[^.;,\d≥>]{{0,60}})[≥>]\s*{NUMBER}\s*{UNIT}(?=\s*(?:before|prior|ago|preceding|earlier|previous|from))"
)
_SINCE_RELAPSE = re.compile(
    rf"[≥>]\s*{NUMBER}\s*{UNIT}\s+(?:(?:have|has|must have|should have)\s+(?:passed|elapsed)\s+)?(?:since|after|from)\s+{_LAST_RELAPSE}|\b{NUMBER}\s*{UNIT}\s+or\s+more\s+since\s+{_LAST_RELAPSE.replace('last>', 'last3>')}|\b(?:time|interval)\s+(?:since|from)\s+{_LAST_RELAPSE.replace('last>', 'last2>')}\s*(?:of|is|:)?\s*[≥>]\s*{NUMBER}\s*{UNIT}"
)
_BARE_RELAPSE = re.compile(
    rf"(?:^\W*|\b(?:had|with|experienced|experiencing|of|documented|clinical|confirmed|recent|ms|acute|and|or|either)\s+){_RELAPSE}(?!\s*(?:rate|frequency))(?=\s*(?:\(s\)\s*)?(?:\w+\s+){{0,3}}?\(?(?:within\b|in\b|during\b|over\b|≤))"
)


def _elliptic(
    r: Reading, out: list[Constraint], used: list[tuple[int, int]], counted: list[re.Match]
) -> list[Constraint]:
    """ "… or 2 in the last 24 months", and "relapse within the past 2 years" without a number."""
    text, more = r.text, []
    if out and out[-1].kind == "relapse_count":
        for found in _MORE_OF_THEM.finditer(text, out[-1].end):
            window = next((s for s in r.spans if s.role == "back" and 0 <= s.start - found.end() < 40), None)
            if window is not None:
                more.append(
                    Constraint(
                        "relapse_count",
                        r.sense,
                        found.start("value"),
                        window.end,
                        "relapse.count",
                        float(found["value"]),
                        True,
                        unit="count",
                        **_window_fields(window),
                    )
                )
    if not out and not counted and r.sense == "require" and (found := _RELAPSED.search(text)):
        # "Relapsed at least twice in the last 2 years"
        window = next((s for s in r.spans if s.role == "back" and 0 <= s.start - found.end() < 40), None)
        if window is not None:
            count = {"once": 1.0, "twice": 2.0}.get(found["word"]) or float(found["times"])
            used.append((found.start(), window.end))
            return [
                Constraint(
                    "relapse_count", "require", found.start(), window.end, "relapse.count", count, True, unit="count", **_window_fields(window),
                )
            ]  # fmt: skip
    if not out and not counted and r.sense == "require":
        for found in _BARE_RELAPSE.finditer(text):
            if _NO_RELAPSE_INCLUSION.search(text, max(0, found.start() - 60), found.end()):
                continue
            if re.search(r"\bfirst\s+(?:\w+\s+){0,3}$", text[: found.start()]) or "first" in found.group():
                continue
            if re.search(
                r"\b(?:treat\w*|history of|free|recover\w*|rate|since|after|symptoms? of|independent)\b[^,;]{0,30}$",
                text[: found.start() + 1],
            ):
                continue
            window = next((s for s in r.spans if s.role == "back" and 0 <= s.start - found.end() < 50), None)
            if window is not None:
                named = _therapy_terms(r, *r.clause(found.start()), found.start(), found.end())
                if named is not None:
                    more.append(
                        Constraint(
                            "relapse_on_therapy",
                            "require",
                            found.start(),
                            window.end,
                            "relapse.on_therapy",
                            1.0,
                            True,
                            unit="count",
                            terms=named[0],
                            **_window_fields(window),
                        )
                    )
                    used.append((found.start(), window.end))
                    break
                # "relapses in the last 2 years: ≥ 2"
                stated = re.match(r"\s*(?:[:(]|is|was|must\s+be|of)?\s*≥\s*(\d)\b", text[window.end :])
                more.append(
                    Constraint(
                        "relapse_count",
                        "require",
                        found.start(),
                        window.end + (stated.end() if stated else 0),
                        "relapse.count",
                        float(stated.group(1)) if stated else 1.0,
                        True,
                        unit="count",
                        **_window_fields(window),
                    )
                )
                used.append((found.start(), window.end))
                break
    return more


def _but_not(r: Reading, out: list[Constraint]) -> list[Constraint]:
    """ "… within 2 years but not within 30 days before screening"."""
    for found in _BUT_NOT.finditer(r.text):
        window = next((s for s in r.spans if 0 <= s.start - found.end() < 24), None)
        if window and any(c.kind.startswith("relapse") and c.start < found.start() for c in out):
            return [_none_within(r, found.start(), found.end(), window)._replace(polarity="require")]
    return []


def _none_within(r: Reading, start: int, end: int, window: Span) -> Constraint:
    last = max(end, window.end) if abs(window.start - end) < 200 and window.end <= len(r.text) else end
    return Constraint(
        "no_relapse_within", r.sense, min(start, last), last, "relapse.none_within", **_window_fields(window)
    )


_ABSENT = re.compile(
    r"\b(?:no|without|absence\s+of|lack\s+of|(?:have|has|had|did)\s+not\s+(?:had|have|experienced?|suffered))\s+(?:any\s+|an?\s+|documented\s+|clinical\s+|ms\s+|confirmed\s+|evidence\s+of\s+|history\s+of\s+)*$"
)
_TIME_ROLES = ("back", "for", "other", "since")


def _absent(
    r: Reading, used: list[tuple[int, int]], negative_spans: list[tuple[int, int]], has_noun: bool
) -> list[Constraint]:
    """No relapse, or a stable state, for a time."""
    text, out = r.text, []
    said: set[tuple[float, str]] = set()

    def emit(start: int, end: int, roles: tuple[str, ...]) -> None:
        clause_start, clause_end = r.clause(start)
        spans = [
            s
            for s in r.spans
            if s.role in roles
            and clause_start <= s.start < clause_end
            and not any(a <= s.start < b for a, b in used)
        ]
        after = [s for s in spans if s.start >= end - 1 and s.start - end < 230]
        inside = [s for s in spans if start <= s.start < end]
        before = [s for s in spans if s.end <= start and start - s.end < 90]
        head = [s for s in r.head_spans if s.role == "back"]
        pick = inside[:1] or after[:1] or before[-1:] or head[-1:]
        if not pick:
            return
        span = pick[0]
        if (span.value, span.unit) in said:
            return
        if (
            r.sense == "forbid"
            and span.symbol in (">", "≥")
            and re.search(r"\bago\b|before|prior", text[span.end : span.end + 12])
        ):
            # "A relapse that began more than 14 days ago": a fresh one is asked for, which is not read.
            return
        said.add((span.value, span.unit))
        last = max(end, span.end) if span.start >= start and span in spans else end
        first = min(start, span.start) if span in before else start
        out.append(
            Constraint(
                "no_relapse_within", r.sense, first, last, "relapse.none_within",
                is_qualified=False, **_window_fields(span),
            )
        )  # fmt: skip

    if r.sense == "require":
        for found in [*_RELAPSE_AGO.finditer(text), *_SINCE_RELAPSE.finditer(text)]:
            if found.re is _RELAPSE_AGO.compiled and not (
                found["last"] or re.search(r"onset|end|resol|occur|took|must|was|been", found["between"])
            ):
                continue
            span = next((s for s in r.spans if found.start() <= s.start < found.end()), None)
            if span is not None and not any(a < found.end() and found.start() < b for a, b in used):
                said.add((span.value, span.unit))
                window = span._replace(anchor=anchor_after(text, found.end()))
                out.append(
                    Constraint(
                        "no_relapse_within", "require", found.start(), found.end(), "relapse.none_within", **_window_fields(window),
                    )
                )  # fmt: skip
                break
        for start, end in negative_spans:
            if re.search(r"\bpseudo", text[start:end]):
                continue
            # "progression for 6 months in the absence of relapses" describes the progression.
            if re.search(
                r"(?:progress\w*|worsening|increase in disability)\b[^.;]{0,80}\bin the $", text[:start]
            ):
                continue
            if re.search(r"\b(?:ifn|interferon|treat\w+|therapy|medication|drug)\b", text[start:end]):
                continue
            emit(start, end, _TIME_ROLES)
    elif has_noun:
        for found in _ANY_RELAPSE.finditer(text):
            start, end = found.span()
            if any(a <= start < b for a, b in used):
                continue
            left = text[max(0, start - 60) : start]
            if re.search(
                r"\b(?:for|treat\w*|of|requir\w*|due to|during|management of|prevent\w*)\s+(?:an?\s+|acute\s+|ms\s+|the\s+|any\s+|treatment of\s+|recent\s+|current\s+)*$",
                left,
            ) and not re.search(
                r"\b(?:onset|occurrence|experience|evidence|presence|history|signs?|episode)\s+of\s+(?:an?\s+|any\s+|acute\s+|ms\s+)*$",
                left,
            ):
                continue
            speaks_of_treatment = re.search(
                r"\b(?:steroid|prednisolone|treated)\w*\b[^,;]{0,30}$", left
            ) or re.match(r"\s*(?:treatment|therapy|rate|prevention)", text[end : end + 16])
            if speaks_of_treatment and not re.match(r"\s*-?\s*free", text[end : end + 8]):
                continue
            if re.search(r"\bprevious\s*$", left) and re.search(r"stabili", text[max(0, start - 60) : start]):
                continue
            clause_start, clause_end = r.clause(start)
            if r.permits(clause_start, clause_end) or r.in_exception(start):
                continue
            absent = _ABSENT.search(text, max(clause_start, start - 60), start)
            if absent and not re.match(r"\s*-?\s*free", text[end:]):
                # "No relapse in the last 2 years" excludes who had none.
                window = _window(r, clause_start, clause_end, start, end)
                if window is not None:
                    last = max(end, window.end) if window.start >= end else end
                    out.append(
                        Constraint(
                            "relapse_count", "forbid", absent.start(), last, "relapse.count", None, None, 0.0, True, unit="count",
                            **_window_fields(window),
                        )
                    )  # fmt: skip
                continue
            emit(
                start,
                end,
                ("back",)
                if not re.search(r"free|without|not (?:had|been)|less|[<≤]", text[clause_start:clause_end])
                else _TIME_ROLES,
            )
    if not out:
        for found in _STABLE.finditer(text):
            start, end = found.span()
            clause_start, clause_end = r.clause(start)
            if re.search(r"\b(?:dose|dosage|medication|treatment|therapy|regimen)\b", text[start:end]):
                continue
            # "Stable course without worsening of more than 1 EDSS point" speaks of disability.
            if re.match(r"[^.;]{0,24}\bwithout\s+(?:\w+\s+)?(?:worsening|progression|change)\b", text[end:]):
                continue
            if r.sense == "forbid" and not re.search(r"unstable|not\b|less|<|lack", text[clause_start:end]):
                continue
            emit(start, end, ("back", "for"))
            break
    return out


def _time_on(text: str, spans: list[Span], start: int, end: int) -> Span | None:
    """The first "N months of treatment" that excludes early relapses."""
    within = [s for s in spans if start <= s.start < end]
    on = [s for s in within if s.role in ("for", "other", "after", "back")
          and re.search(r"\b(?:after|for)\b[^.;,]{0,40}$", text[max(start, s.start - 44) : s.start])
          and re.match(r"\s*(?:of|on)\b(?!\s+(?:the\s+)?(?:date|screening|baseline|study|enrol|randomi|inclusion|entry|consent))", text[s.end : s.end + 24])]  # fmt: skip
    on += [s for s in within if _AFTER_TIME_ON.search(text[max(start, s.start - 80) : s.start])]
    return on[0] if on else None


def _therapy_terms(
    r: Reading, clause_start: int, clause_end: int, start: int, end: int, limit: int | None = None
):
    """Drugs on which a relapse happened, where the clause says so: (terms, end of the words, minimum time on them)."""
    found = None
    for candidate in _ON_THERAPY.finditer(r.text, clause_start, clause_end):
        if candidate.start() >= end and (
            candidate.start() - end > 160 or (limit is not None and candidate.start() >= limit)
        ):
            continue
        if candidate.end() <= start and re.search(
            r",\s*or\s+(?:with|patients|subjects|those|rapidly)\b", r.text[candidate.end() : start]
        ):
            # "… despite treatment, or 2 relapses in a year": another alternative
            continue
        found = candidate
        if candidate.start() >= end:
            break
    if found is None:
        inherited = _ON_THERAPY.search(r.head) if r.head else None
        if inherited is None:
            return None
        named = [
            m.term
            for m in lexicon.mentions(r.head)
            if m.family == "drug" and m.term not in ("corticosteroid", "corticotropin")
        ]
        span = _time_on(r.head, r.head_spans, 0, len(r.head))
        return tuple(dict.fromkeys(named)) or (GENERIC_THERAPY,), end, span
    terms, last = [], found.end()
    for mention in r.mentions:
        if (
            mention.family == "drug"
            and clause_start <= mention.start < clause_end
            and mention.term not in terms
        ):
            if mention.term in ("corticosteroid", "corticotropin", "investigational drug"):
                continue
            terms.append(mention.term)
            last = max(last, mention.end) if mention.start < found.end() + 120 else last
    if not terms and r.head:
        terms = [m.term for m in lexicon.mentions(r.head) if m.family == "drug"]
    if not terms:
        if re.search(
            r"\b(?:treatment|therapy|dmts?|medication|failure)\b", r.text[found.start() : found.end() + 14]
        ):
            terms = [GENERIC_THERAPY]
        else:
            return None
    span = _time_on(r.text, r.spans, clause_start, clause_end)
    return tuple(dict.fromkeys(terms)), last, span


# ------------------------------------------------------------------------------------------------------------- course
_COURSES = (
    ("prms", r"progressive[\s-]*relapsing|\bprms\b|\bpr-?ms\b"),
    (
        "rrms",
        r"relaps\w*\s*[-/,]?\s*(?:and\s+)?-?\s*remit\w*|\bremit\w*[\s/-]+relaps\w*|\brrms\b|\brr-ms\b|\brr ms\b|\br-r\b",
    ),
    (
        "spms",
        r"secondary[\s-]*(?:chronic[\s-]*)?progress\w*|\bspms\b|\bsp-ms\b|\bsp ms\b|\brspms\b|\basps?ms\b|\bnrspms\b",
    ),
    (
        "ppms",
        r"primary[\s-]*(?:chronic[\s-]*)?progress\w*|\bppms\b|\bpp-ms\b|\bpp ms\b|primarily progressive",
    ),
    ("cis", r"clinically[\s-]*isolated[\s-]*syndrome|\bcis\b"),
    (
        "rms",
        r"\brms\b|relapsing\s+(?:forms?\s+of\s+)?(?:ms|multiple\s+sclerosis)|relapsing\s+(?:clinical\s+|disease\s+)?(?:forms?|course|types?|disease|onset)|\bactive relapsing\b|relapsing[\s,]+or\b",
    ),
)
_COURSE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _COURSES))
_PROGRESSIVE = re.compile(
    r"(?:ms|multiple\s+sclerosis|disease|course)\s+(?:that\s+is\s+)?(?:course\s+)?(?:defined|classified|described)\s+as\s+progressive\b|(?:any\s+|other\s+|all\s+)*(?:form|type|course)s?\s+of\s+progressive|(?<!primary )(?<!secondary )(?<!primary-)(?<!secondary-)(?<!chronic )(?<!chronic-)\bprogressive\s+(?:or\s+[\w-]+\s+)?(?:forms?|types?|sub-?types?|variants?|phenotypes?|course|disease course|multiple\s+sclerosis|ms\b(?!\s+(?:relapse|functional)))|chronic[\s-]progressive|non-?\s?relapsing"
)
_PRIMARY_OR_SECONDARY = re.compile(
    r"primary\s*(?:,|or|and|/|and/or)\s*(?:chronic\s+)?(?:secondary)[\s-]*progress\w*|secondary\s*(?:,|or|and|/|and/or)\s*primary[\s-]*progress\w*|progressive\s+(?:forms?\s+of\s+)?(?:ms|multiple\s+sclerosis|disease)?\s*(?:\([^()]{0,8}\)\s*)?[(,:]\s*(?:either\s+)?(?:primary|secondary)\s*(?:or|and|/|and/or)\s*(?:primary|secondary)"
)
_ANOTHER_THAN_RRMS = re.compile(
    r"(?:other|another)\s+(?:type|form|course|kind|disease course|manifestation)?s?\s*(?:of\s+(?:ms|multiple sclerosis)\s+)?(?:other\s+)?than\s+(?:a\s+)?(?:relaps\w*[\s-]*remit\w*|rrms|rr-ms)|(?:ms|multiple sclerosis|course|forms?|types?)\s+(?:of\s+\w+\s+)?other\s+than\s+(?:relaps\w*[\s-]*remit\w*|rrms|rms)|(?:type|form)s? of (?:ms|multiple sclerosis) than (?:relaps\w*[\s-]*remit\w*|rrms)|non-?\s?rrms|not\s+(?:have\s+)?(?:relaps\w*[\s-]*remit\w*|rrms)"
)
_CONVERTS = re.compile(
    r"(?:(?!\bno\b|\bnot\b|without)[^.;,]){0,44}?\b(?:convert\w*|conversion|transition\w*|evolv\w*|transform\w*)\s+(?:in)?to\s+(?:an?\s+)?(?:spms|sp-?ms|secondary|progressive|relaps\w*|rrms)\b"
)
_NOT_CONVERTED = re.compile(
    r"\b(?:no|not|without)\b[^.;,]{0,30}\b(?:convert|conversion|transition|evol)\w*\s+(?:in)?to\s+(?:\w+\s+){0,2}$"
)
_CONVERTED_FROM = re.compile(
    r"\b(?:convert\w*|conversion|transition\w*|evolv\w*|evolution)\s+from\s+(?:an?\s+)?(?:initial\s+)?$"
)
_NOT_A_COURSE = re.compile(
    r"\b(?:defined\s+as|definition\s*(?:of\b|:)|followed by|history of rrms followed|risk of (?:developing|conversion))\b"
)


_FOR_A_TIME = re.compile(
    rf"\s*(?:ms\s+|multiple\s+sclerosis\s+)?(?:\([^()]*\)\s*)?(?:(?:for|since|diagnosed|of|duration)\s+)*[≥≤><]\s*{NUMBER}\s*{UNIT}"
)
# "Duration ≤ 10 years if RRMS" limits the duration.
_IF_OTHERWISE = re.compile(r"\d[^.;]*\bif\s+(?:(?!a\b)\w+\s+){0,7}$")
_WITH_RELAPSES = re.compile(
    r"\s*(?:\([^()]{2,8}\)\s*)?(?:ms\s+|multiple\s+sclerosis\s+)?with\s+(?:an?\s+|any\s+|superimposed\s+)*(?:relapses?|attacks?|exacerbations?)\b"
)
# "If the patient meets the criteria of RRMS:" is a condition, no demand.
_IF_SOME = re.compile(r"\W*if\s+(?:the\s+|a\s+)?(?:patient|subject|participant)s?\b")
_COURSE_NAME = r"(?:(?:rr|sp|pp|pr|r)ms|(?:relapsing|progressive|secondary progressive|primary progressive|relapsing[- ]remitting)\s+(?:ms|multiple sclerosis))"
_COURSE_HEAD = re.compile(
    rf"\W*(?:for\s+)?{_COURSE_NAME}(?:\s+(?:patients?|subjects?|participants?|group|cohort|arm))?\s*:\W*|\W*(?:patients|subjects|participants)\s+with\s+{_COURSE_NAME}\s*:\W*"
)
_FOR_A_COURSE = re.compile(
    rf"(?:\b{_COURSE_NAME}\s+(?:patients?|subjects?|participants?)|\b(?:patients?|subjects?|participants?)\s+with\s+{_COURSE_NAME})\s+(?:must|should|need|have to|are required)\b"
)


def disease_course(r: Reading) -> Iterator[Constraint]:
    """course.is: the courses that are asked for or excluded; "progressive forms" means PPMS, SPMS and PRMS."""
    text = r.text
    if not r.is_ms or (
        "ms" not in text and "relaps" not in text and "progress" not in text and "isolated" not in text
    ):
        return
    if r.sense == "require" and (_COURSE_HEAD.fullmatch(text) or len(_FOR_A_COURSE.findall(text)) > 1):
        # "RRMS patients:" heads a part of the study; "RRMS subjects must …, SPMS subjects must …" asks each for its own.
        return
    said: dict[str, str] = {}
    for clause_start, clause_end in r.clauses:
        another = _ANOTHER_THAN_RRMS.search(text, clause_start, clause_end)
        if another:
            if r.sense == "forbid" and not another.group().startswith("not"):
                yield Constraint(
                    "disease_course",
                    "forbid",
                    another.start(),
                    another.end(),
                    "course.is",
                    terms=("ppms", "spms", "prms"),
                )
                continue
            if another.group().startswith("not") and r.sense == "forbid":
                yield Constraint(
                    "disease_course", "require", another.start(), another.end(), "course.is", terms=("rrms",)
                )
                continue
        if r.sense == "require" and _IF_SOME.match(text, clause_start):
            continue
        terms: dict[str, tuple[int, int]] = {}
        both = _PRIMARY_OR_SECONDARY.search(text, clause_start, clause_end)
        if both:
            terms["ppms"] = terms["spms"] = both.span()
        hidden = _NOT_A_COURSE.search(text, clause_start, clause_end)
        for found in _COURSE.finditer(text, clause_start, clause_end):
            name = found.lastgroup
            if hidden and found.start() > hidden.start():
                continue
            if (
                name == "cis"
                and re.search(r"\bcis\b", found.group())
                and not re.search(r"isolated|ms\b|sclerosis", text)
            ):
                continue
            # "non-relapsing forms" names the progressive ones
            if name in ("rms", "rrms") and re.search(
                r"non[-\s]?$", text[max(0, found.start() - 4) : found.start()]
            ):
                continue
            if name == "rms" and "rrms" in terms and not re.match(r"\brms\b", found.group()):
                continue
            if re.search(
                r"\b(?:distinguish\w*\s+from|different\s+from|unlike|in\s+contrast\s+to)\s*$",
                text[clause_start : found.start()],
            ):
                continue
            if re.match(r"\s*\(?\s*(?:patient reported|criteria)", text[found.end() : found.end() + 16]):
                continue
            # "RRMS not fulfilling the inclusion criteria" excludes no course.
            if r.sense == "forbid" and re.match(
                r"\s*\)?\s*(?:patients?\s+)?(?:who\s+(?:do|does)\s+|that\s+(?:do|does)\s+)?not\s+(?:fulfil|meet|satisf)",
                text[found.end() : found.end() + 50],
            ):
                continue
            # "RRMS that has converted to SPMS" is SPMS.
            if _NOT_CONVERTED.search(text, clause_start, found.start()):
                continue
            if _CONVERTS.match(text, found.end()) or _CONVERTED_FROM.search(
                text, clause_start, found.start()
            ):
                continue
            # "SPMS, i.e. a relapsing course followed by progression"
            if re.match(r"[^.;]{0,30}\bfollowed by\b", text[found.end() : found.end() + 44]):
                continue
            if r.in_exception(found.start()):
                continue
            before = text[clause_start : found.start()]
            # What the course was before is not what it is.
            if r.sense == "require" and re.search(
                r"\b(?:prior|previous|past)\s+(?:history|course|diagnosis)\s+of\s+(?:an?\s+)?$", before
            ):
                continue
            if r.sense == "require" and _IF_OTHERWISE.search(before):
                continue
            # "SPMS with relapses in the last year" excludes no other SPMS.
            if r.sense == "forbid" and name in ("spms", "ppms") and _WITH_RELAPSES.match(text, found.end()):
                continue
            # "RRMS for less than 6 months" excludes by its duration.
            if r.sense == "forbid" and _FOR_A_TIME.match(text, found.end()):
                continue
            terms.setdefault(name, found.span())
        progressive = _PROGRESSIVE.search(text, clause_start, clause_end)
        if (
            progressive
            and not (hidden and progressive.start() > hidden.start())
            and not (terms.keys() & {"ppms", "spms", "prms"})
            and not r.in_exception(progressive.start())
            and not (r.sense == "forbid" and _FOR_A_TIME.match(text, progressive.end()))
            and not re.search(
                r"multifocal|neurologic\w* disorder", text[progressive.start() : progressive.end() + 20]
            )
        ):
            terms.update(dict.fromkeys(("ppms", "spms", "prms"), progressive.span()))
        if not terms:
            continue
        start = min(a for a, _ in terms.values())
        # "Relapsing MS: RRMS or SPMS" names the class and its members, "relapsing or secondary progressive" two courses.
        if "rms" in terms and (
            "rrms" in terms or ("spms" in terms and re.match(r"[^.;]{0,4}[(:]", text[terms["rms"][1] :]))
        ):
            del terms["rms"]
        end = max(b for _, b in terms.values())
        if (
            r.sense == "require"
            and "rrms" in terms
            and "prms" in terms
            and progressive
            and re.search(
                r"\b(?:history|initial\w*|prior|previous\w*|earlier)\b[^,;]{0,20}$",
                text[clause_start : terms["rrms"][0]],
            )
        ):
            # "A history of RRMS with a progressive course"
            terms = {"spms": (start, end)}
        if not _speaks_of_diagnosis(r, clause_start, clause_end, start, end):
            continue
        polarity = r.sense
        if r.sense == "require" and re.search(
            r"\b(?:no|not|without|exclud\w+|never)\b[^,;]{0,40}$", text[clause_start:start]
        ):
            polarity = "forbid"
        # "Progressive MS: a. PPMS b. SPMS" says it once.
        if all(said.get(term) == polarity for term in terms):
            continue
        said |= dict.fromkeys(terms, polarity)
        yield Constraint("disease_course", polarity, start, end, "course.is", terms=tuple(terms))


_DIAGNOSIS_WORDS = re.compile(
    r"\b(?:diagnos\w*|criteria|meets?|fulfil\w*|history|course|current|exhibit\w*|present\w*|patients?|subjects?|participants?|individuals?|people|persons?|adults?|males?|females?|men|women|have|has|had|having|with|form|forms|course|definite|documented|confirmed|clinical|suffer\w*|type|manifestation|active|ms|multiple sclerosis)\b[^.;]{0,90}$"
)


_MERE_ADJECTIVES = re.compile(
    r"\W*(?:(?:(?:high|low|higher)-?\s?risk|early|late|newly|recent|new|established|stable|untreated|naive|ambulatory|p?a?ediatric|adult|highly|aggressive|severe|mild|benign|possible|probable|definitive)\W+){1,4}"
)


def _speaks_of_diagnosis(r: Reading, clause_start: int, clause_end: int, start: int, end: int) -> bool:
    before = r.text[clause_start:start]
    if re.search(
        r"\b(?:drug|(?:inclusion|eligibility|entry) criteria|treatment|therapy|therapies|medication|approved|indicated|indication|label\w*|trials?|stud\w+|relapses?|efficacy|used)\s+(?:\w+\s+){0,3}(?:for|of|in)\s+(?:the\s+)?(?:treatment of\s+)?$",
        before[-70:],
    ):
        return False
    if re.search(r"\b(?:for|of)\s+(?:the\s+)?(?:treatment|therapy)\s+of\s*$", before[-40:]):
        return False
    if (
        len(before.strip(" -*•([,.;:")) <= 3
        or before.rstrip().endswith(":")
        or _MERE_ADJECTIVES.fullmatch(before)
    ):
        return True
    return bool(_DIAGNOSIS_WORDS.search(before)) or r.sense == "forbid"


# ---------------------------------------------------------------------------------------------------------- diagnosis
_MCDONALD = re.compile(
    r"international\s+panel(?:\s+on\s+(?:the\s+)?diagnosis\s+of\s+(?:ms|multiple\s+sclerosis))?(?=\s+(?:diagnostic\s+)?criteria)|mc\s?donald(?:'?s)?|mac\s?donald(?:'?s)?|\b(?:thompson|polman)(?=\s+(?:et\s+al\.?,?\s*)?(?:criteria\b|\(?20(?:05|06|10|11|17|18)\b)|\s+et\s+al)"
)
_YEARS = {
    "2001": "2001",
    "2005": "2005",
    "2006": "2005",
    "2010": "2010",
    "2011": "2010",
    "2017": "2017",
    "2018": "2017",
    "2024": "2024",
    "2025": "2024",
}
_POSER = re.compile(r"\bposer\b")
_IPMSSG = re.compile(
    r"international\s+pa?ediatric\s+(?:ms|multiple\s+sclerosis)\s+study\s+group|\bipmssg\b|\bkrupp\b"
)
_CLINICALLY_DEFINITE = re.compile(
    r"clinically\s+(?:or\s+laborator\w+[\s-]supported\s+)?definite\s+(?:relapsing[\s-]*(?:remitting)?\s*)?(?:ms\b|multiple\s+sclerosis|rrms|relaps\w*)|\bcdms\b|laboratory[\s-]supported\s+definite"
)
_MRI_CRITERIA = re.compile(
    r"mri\s+criteria\s+(?:for|of|consistent with)\s+(?:ms|multiple\s+sclerosis)|(?:fulfil\w*|meet\w*|satisf\w+)\s+(?:the\s+)?(?:(?:19|20)\d\d\s+)?mri\s+criteria|(?:mri|magnetic resonance imag\w+)(?![^.;]{0,30}abnormalit)[^.;]{0,40}(?:consistent with|suggestive of|characteristic of|typical of|meeting|fulfil\w*|satisf\w+)\s+(?:the\s+)?(?:criteria\s+(?:for|of)\s+(?:an?\s+|the\s+)?(?:ms\b|multiple sclerosis|diagnos)|diagnos\w*\s+criteria|barkhof|fazekas|paty)|barkhof|fazekas|\bpaty\b"
)


def diagnosis_criteria(r: Reading) -> Iterator[Constraint]:
    """diagnosis.criteria: named criteria of the diagnosis (McDonald with its year, Poser, IPMSSG, clinically definite MS, MRI criteria)."""
    text = r.text
    if not r.is_ms or not re.search(
        r"donald|krupp|international\s+panel|thompson|polman|poser|ipmssg|p.?ediatric|clinically|cdms|barkhof|fazekas|mri|magnetic|lesion|laboratory",
        text,
    ):
        return
    if r.sense == "require" and _IF_SOME.match(text):
        return
    found_terms: list[tuple[str, int, int]] = []
    for found in _MCDONALD.finditer(text):
        if r.sense == "require" and re.search(r"\bif\s+(?:\w+\s+){0,2}$", text[: found.start()]):
            continue
        if (
            found_terms
            and found.group() not in ("mcdonald", "mcdonald's", "mcdonalds")
            and not found.group().startswith("m")
        ):
            continue
        years = set()
        around_before = text[max(0, found.start() - 40) : found.start()]
        around_after = text[found.end() : found.end() + 75]
        near_before = re.findall(r"\b(20(?:01|05|06|10|11|17|18|24|25))\b(?=[^.;]{0,34}$)", around_before)
        near_after = re.match(r"[^;]{0,70}?\b(20(?:01|05|06|10|11|17|18|24|25))\b", around_after)
        if near_before:
            years.add(near_before[-1])
        elif near_after and "poser" not in near_after.group():
            years.add(near_after.group(1))
            # "McDonald criteria 2010 or 2017"
            second = re.match(
                r"\s*(?:or|and|and/or|/)\s*(20(?:01|05|06|10|11|17|18|24))\b",
                around_after[near_after.end() :],
            )
            if second:
                years.add(second.group(1))
        names = [f"mcdonald {_YEARS[y]}" for y in sorted(years)] or ["mcdonald"]
        last = found.end() + (near_after.end() if near_after and not near_before and years else 0)
        criteria = re.match(r"\s*(?:et al\.?,?\s*)?(?:diagnostic\s+)?criteria", text[found.end() :])
        last = max(last, found.end() + (criteria.end() if criteria else 0))
        known = {t for t, _, _ in found_terms}
        found_terms.extend((name, found.start(), last) for name in names if name not in known)
    for name, pattern in (
        ("poser", _POSER),
        ("ipmssg", _IPMSSG),
        ("clinically definite ms", _CLINICALLY_DEFINITE),
        ("mri criteria for ms", _MRI_CRITERIA),
    ):
        found = pattern.search(text)
        if (
            found
            and name == "clinically definite ms"
            and re.search(r"criteria\s+(?:of|for)\s+(?:a\s+)?(?:diagnosis\s+of\s+)?$", text[: found.start()])
        ):
            # "the McDonald criteria of clinically definite MS" is one demand.
            continue
        if found:
            found_terms.append((name, found.start(), found.end()))
    if not found_terms:
        return
    found_terms.sort(key=lambda item: item[1])
    names = {t for t, _, _ in found_terms}
    if "mcdonald" in names and any(t.startswith("mcdonald ") for t in names):
        found_terms = [f for f in found_terms if f[0] != "mcdonald"]
    if r.sense == "forbid":
        clause_start, clause_end = r.clause(found_terms[0][1])
        clause = text[clause_start:clause_end]
        if (
            not re.search(r"\bnot\b|fail\w*|unmet|does not|do not|without|lack|unconfirmed|uncertain", clause)
            and _DIAGNOSED.match(clause)
            and not _COURSE.search(clause)
        ):
            # A trial of first events excludes who has MS already.
            yield _diagnosis(r, found_terms)._replace(polarity="forbid")
            return
        if not re.search(r"\bnot\b|fail\w*|unmet|does not|do not|without|lack|unconfirmed|uncertain", clause):
            # "PPMS as defined by the McDonald criteria" only says which definition is meant.
            return
        start, end = found_terms[0][1], found_terms[-1][2]
        yield Constraint(
            "diagnosis_criteria",
            "require",
            start,
            end,
            "diagnosis.criteria",
            terms=tuple(dict.fromkeys(t for t, _, _ in found_terms)),
            window_anchor=_any_anchor(clause),
        )
        return
    # "Poser or McDonald" is one choice, "IPMSSG and McDonald" are two demands.
    group = [found_terms[0]]
    for item in found_terms[1:]:
        between = text[group[-1][2] : item[1]]
        same = item[1] < group[-1][2]
        if same or (
            re.search(r"\bor\b|/|\(|according|defined by|determined by|per\b", between)
            and not re.search(r"\band\b", between)
        ):
            group.append(item)
            continue
        yield _diagnosis(r, group)
        group = [item]
    yield _diagnosis(r, group)


_DIAGNOSED = re.compile(
    r"\W*(?:(?:subjects?|patients?|participants?|who|has|have|with|an?|any|the|previous|prior|established|confirmed|definite)\s+)*(?:diagnosis\s+of\s+(?:\w+\s+)?(?:ms\b|multiple\s+sclerosis)|(?:clinically\s+)?(?:definite\s+)?(?:ms\b|multiple\s+sclerosis)(?!\s+other)|(?:meet|fulfil)\w*\s)"
)


def _diagnosis(r: Reading, group: list[tuple[str, int, int]]) -> Constraint:
    return Constraint(
        "diagnosis_criteria",
        "require",
        group[0][1],
        group[-1][2],
        "diagnosis.criteria",
        terms=tuple(dict.fromkeys(t for t, _, _ in group)),
    )


def _any_anchor(clause: str) -> str | None:
    for word, name in (
        ("screening", "screening"),
        ("baseline", "baseline"),
        ("randomi", "randomization"),
        ("enrol", "enrolment"),
        ("inclusion", "enrolment"),
        ("entry", "study_entry"),
    ):
        if word in clause:
            return name
    return None


# ----------------------------------------------------------------------------------------------------------- duration
_DURATION_WORDS = re.compile(
    r"(?:disease|ms|illness|multiple\s+sclerosis|symptom|rrms|spms|ppms)\s+duration|duration\s+of\s+(?:the\s+)?(?:disease|ms|multiple\s+sclerosis|illness|symptoms?|rrms|spms|ppms|their)|time\s+(?:since|from)\s+(?:the\s+)?(?:first|initial|ms|multiple\s+sclerosis|disease|diagnosis|onset|symptom)|length of disease|progressive\s+phase|phase\s+of\s+progression"
)
_ONSET_WORDS = re.compile(
    r"(?:onset\s+of\s+(?:the\s+)?(?:first\s+)?(?:ms|multiple\s+sclerosis|disease|spms|ppms|progress\w+|secondary|primary|symptoms?)|(?:ms|multiple\s+sclerosis|disease|symptom)s?\s*(?:\(ms\)\s*)?(?:symptom\s+)?onset|first\s+(?:ever\s+)?(?:ms\s+|clinical\s+|neurologic\w*\s+|demyelinating\s+|acute\s+|isolated\s+)*(?:symptoms?|manifestations?|signs?|attack|event|episode)|diagnos(?:ed|is)\s+(?:of|with)\s+(?:\w+[\s-]+){0,4}?(?:ms|multiple\s+sclerosis|rrms|spms|ppms|rms)\b|history\s+of\s+(?:\w+[\s-]+){0,3}?(?:ms|multiple\s+sclerosis|rrms)\b|(?:have|had|has|having)\s+(?:had\s+)?(?:ms|multiple sclerosis|rrms|spms|ppms)\b|(?:ms|multiple sclerosis|rrms)\s+(?:was\s+|is\s+|has been\s+)?diagnos\w+|(?:ms|multiple\s+sclerosis|rrms|rr-ms)(?=\s*(?:\([^()]*\)\s*)?(?:for|since)\s*[≥><≤])|newly[\s-]+diagnosed\s+(?:\w+[\s-]+){0,2}?(?:ms|multiple\s+sclerosis|rrms)\b|recent(?:ly)?[\s-]+onset\s+(?:of\s+)?(?:ms|multiple\s+sclerosis|rrms)\b|(?:spms|ppms)\b|secondary progressive\s+\w+|progression|recently[\s-]+diagnosed\s+(?:\w+[\s-]+){0,2}?(?:ms|multiple\s+sclerosis|rrms)\b|(?<=of )diagnosis(?=\s*(?:$|[,.;)]))|(?<=, )diagnosed(?=\s*(?:within|in\s+the|less|≤|<))|\bonset(?=\s*(?:within|in\s+the|less|≤|<|≥)))"
)


_TRAILING_TIME = re.compile(rf"({NUMBER})\s*({UNIT})\s*(?:or|and)\s+(more|longer|greater|less|shorter|fewer)")
_PLAIN_TIME = re.compile(rf"({NUMBER})\s*({UNIT})")
_NOT_ABOUT_ONSET = re.compile(
    r"\b(?:relapses?|treat\w*|therapy|mri|lesions?|edss|stable|with\s+(?:an?|at|≥)|no\b|without|attacks?|study reference|ifn|interferon|drug|dose)\b"
)
_INDEPENDENT = re.compile(
    r"independent(?:ly)? (?:of|from)[^.;,]*?relapses?|not explained by[^.;,]*?relapses?|of disability"
)

_BY_CRITERIA = re.compile(
    r",?\s*(?:by|per|according\s+to|using|based\s+on|as\s+defined\s+by|fulfilling|meeting)\s+[^.;,]{0,70}?\bcriteria\b"
)

Duration = tuple[Bounds, str, tuple[int, int]]


def _after_duration(text: str, found: re.Match) -> Duration | None:
    """The time behind "disease duration"."""
    gap = re.compile(r"[^\d≥≤><.;]{0,90}").match(text, found.end())
    if not gap:
        return None
    got = bounds_at(text, gap.end())
    time = re.match(rf"\s*-?\s*({UNIT})", text[got[1] :]) if got else None
    if got and time:
        bounds, unit = got[0], unit_of(time.group(1))
        inner = re.search(rf"{NUMBER}\s*({UNIT})", text[gap.end() : got[1]])
        if (
            inner
            and unit_of(inner.group(1)) != unit
            and bounds.min_value is not None
            and bounds.max_value is not None
        ):
            # "> 6 months and < 10 years": both in the smaller unit
            scale = DAYS[unit] / DAYS[unit_of(inner.group(1))]
            bounds = bounds._replace(max_value=round(bounds.max_value * scale, 2))
            unit = unit_of(inner.group(1))
        return bounds, unit, (found.start(), got[1] + time.end())
    trailing = _TRAILING_TIME.match(text, gap.end())
    if trailing:
        symbol = "≥" if trailing.group(3) in ("more", "longer", "greater") else "≤"
        return (
            compared(symbol, number(trailing.group(1))),
            unit_of(trailing.group(2)),
            (found.start(), trailing.end()),
        )
    side = re.search(r"\b(under|over)\s*$", gap.group())
    plain = _PLAIN_TIME.match(text, gap.end())
    if side and plain:
        symbol = "<" if side.group(1) == "under" else ">"
        return compared(symbol, number(plain.group(1))), unit_of(plain.group(2)), (found.start(), plain.end())
    return None


def _since_onset(r: Reading, onset: re.Match, clause_start: int, clause_end: int) -> Duration | None:
    """The time that ties onset, diagnosis or progression to the study."""
    text = r.text
    if onset.group() == "diagnosed" and not re.search(
        r"\b(?:ms|[rsp][rp]?ms|sclerosis)\b", text[max(0, onset.start() - 140) : onset.start()]
    ):
        return None
    if onset.group() == "diagnosis" and not re.search(
        r"^\W*(?:(?:patients?|subjects?|participants?|must|be|are|with|in|(?:with)?in)\W+)*$|\b(?:ms|[rsp][rp]?ms|sclerosis)\b",
        re.sub(r"within\s+\S+\s+\w+\s+of\s+$", "", text[clause_start : onset.start()]),
    ):
        return None
    if onset.group() == "onset" and re.search(
        r"relaps|attack|exacerbat|episode|neuritis|neuralgia|spastic|pain|fatigue|tremor|depress|incontinence|dysphagia|due to",
        text[max(clause_start, onset.start() - 40) : onset.start()],
    ):
        return None
    for span in r.spans:
        if not onset.end() - 1 <= span.start < clause_end:
            continue
        between = _INDEPENDENT.sub("", re.sub(r"\([^()]*\)", "", text[onset.end() : span.start]))
        between = _BY_CRITERIA.sub("", between)
        if _NOT_ABOUT_ONSET.search(between) or len(between) > 46 or re.search(r"\d", between):
            break
        left = text[max(0, span.start - 14) : span.start]
        if re.search(r"spms|ppms|progressi", onset.group()) and not re.search(
            r"onset|diagnos|for|since|duration|≥", onset.group() + between + left
        ):
            break
        bounds: Bounds | None = None
        unit = span.unit
        if span.near is not None:
            unit = span.near_unit
            bounds = Bounds(span.near, True, round(span.value * DAYS[span.unit] / DAYS[unit], 2), True)
        elif re.search(r"\bwithin\b|≤\s*$|<\s*$|last|past|previous|preceding", left) and span.role == "back":
            bounds = compared("<" if span.symbol == "<" else "≤", span.value)
        elif span.symbol in ("≤", "<"):
            bounds = compared(span.symbol, span.value)
        elif span.symbol in ("≥", ">") or (
            span.role in ("for", "back") and re.search(r"\bfor\b|≥|>", between + left)
        ):
            bounds = compared(span.symbol if span.symbol in ("≥", ">") else "≥", span.value)
        if bounds is not None:
            most = next(
                (s for s in r.spans if s.start > span.end and s.symbol in ("≤", "<") and s.unit == unit), None
            )
            if (
                most
                and bounds.max_value is None
                and re.fullmatch(r"\W*(?:and|but|to)?\W*[≤<]\s*", text[span.end : most.start])
            ):
                # "for ≥ 1 year and ≤ 10 years"
                bounds = bounds._replace(max_value=most.value, max_inclusive=most.symbol == "≤")
                return bounds, unit, (onset.start(), most.end)
            return bounds, unit, (onset.start(), span.end)
        break
    for span in r.spans:
        if not (clause_start <= span.start and span.end <= onset.start() and onset.start() - span.end < 36):
            continue
        left = text[max(clause_start, span.start - 16) : span.start]
        between = text[span.end : onset.start()]
        more = re.match(r"\s*or\s+(?:more|longer)\b", between)
        if (span.symbol in ("≥", ">", "≤", "<") or more) and re.fullmatch(
            r"\s*(?:or\s+(?:more|longer)\s+)?(?:of|since|from|after|with)?\s*(?:the\s+|a\s+|an\s+)?(?:disease\s+)?",
            between,
        ):
            return compared(span.symbol or "≥", span.value), span.unit, (span.start, onset.end())
        if re.search(r"\bwithin\b", left) and re.fullmatch(
            r"\s*(?:of|from|since|after)\s*(?:the\s+|their\s+)?", between
        ):
            return compared("≤", span.value), span.unit, (span.start, onset.end())
    return None


def _duration_behind(r: Reading, clause_start: int, clause_end: int) -> Duration | None:
    """ "A diagnosis of MS … of at least 3 months duration"."""
    for span in r.spans:
        if not clause_start <= span.start < clause_end or not re.match(
            r"'?s?\s*(?:in\s+|of\s+)?(?:disease\s+|ms\s+)?duration\b", r.text[span.end :]
        ):
            continue
        before = r.text[clause_start : span.start]
        named = re.match(r"'?s?\s*(?:in\s+|of\s+)?(?:disease|ms)\s+duration\b", r.text[span.end :])
        if named and span.symbol:
            # "< 5 years of disease duration"
            return compared(span.symbol, span.value), span.unit, (span.start, span.end + named.end())
        if re.search(r"diagnos|\bms\b|sclerosis", before) and not re.search(
            r"treat|therap|steroid|infection|relapse|drug|medication|due to|caused by|associated with|secondary to|related to|symptom|spastic|pain\b|fatigue",
            before[-60:],
        ):
            return (
                compared(span.symbol or "≥", span.value),
                span.unit,
                (max(clause_start, span.start - 12), span.end),
            )
    return None


# "Age at onset ≥ 18 years", "caregivers of people with MS for 6 months"
_NOT_THE_PATIENTS = re.compile(
    r"\bages?\s+(?:at|of)\s+(?:\w+\s+){0,3}$|\b(?:care-?givers?|carers?|spouses?|relatives|partners)\b[^,;]*$"
)
_FOR_EDSS = re.compile(
    rf"(?P<symbol>[≥≤><])\s*(?P<value>{NUMBER})\s*(?P<unit>{UNIT})\s*,?\s*(?:if|when|for|in|with)\s+(?:the\s+|an?\s+|patients\s+|subjects\s+|participants\s+|those\s+|with\s+|having\s+|who\s+have\s+|baseline\s+|screening\s+|their\s+)*"
    rf"(?:edss|(?:kurtzke\s+)?expanded\s+disability\s+status\s+scale(?:\s*\(edss\))?)\s+(?:score\s+|at\s+screening\s+|is\s+|was\s+|of\s+)*(?P<side>[≥≤><])\s*(?P<edss>{NUMBER})"
)


def _duration_by_edss(r: Reading) -> Iterator[Constraint]:
    """ "Disease duration < 15 years if the EDSS is > 5.0, or < 10 years if it is ≤ 5.0": two alternatives of two conditions."""
    start = _DURATION_WORDS.search(r.text)
    pairs = list(_FOR_EDSS.finditer(r.text, start.end())) if start else []
    if len(pairs) != 2 or pairs[1].start() - pairs[0].end() > 90:
        return
    for index, found in enumerate(pairs, start=1):
        group = {"any_of_group": "edss", "all_of_group": f"edss.{index}"}
        begin = start.start() if index == 1 else found.start()
        yield Constraint(
            "disease_duration", "require", begin, found.end("unit"), "duration.of_disease",
            *compared(found["symbol"], number(found["value"])), unit=unit_of(found["unit"]), **group,
        )  # fmt: skip
        yield Constraint(
            "edss_range", "require", found.end("unit"), found.end(), "duration.of_disease",
            *compared(found["side"], number(found["edss"])), unit="points", **group,
        )  # fmt: skip


def disease_duration(r: Reading) -> Iterator[Constraint]:
    """duration.of_disease: time since first symptom, diagnosis or onset of progression."""
    text = r.text
    if not r.is_ms or not r.spans:
        return
    by_edss = list(_duration_by_edss(r)) if r.sense == "require" and _EDSS.search(text) else []
    if by_edss:
        yield from by_edss
        return
    for clause_start, clause_end in r.clauses:
        found = _DURATION_WORDS.search(text, clause_start, clause_end)
        got = _after_duration(text, found) if found else None
        if got is None:
            for found in _ONSET_WORDS.finditer(text, clause_start, clause_end):
                got = _since_onset(r, found, clause_start, clause_end)
                if got is not None:
                    break
        if got is None:
            got = _duration_behind(r, clause_start, clause_end)
        if got is None:
            continue
        bounds, unit, pick = got
        if r.in_exception(pick[0]) or _NOT_THE_PATIENTS.search(text, clause_start, pick[0]):
            continue
        near = text[max(clause_start, pick[0] - 60) : pick[1]]
        is_progression = bool(re.search(r"spms|ppms|progressi", near)) and not re.search(
            r"disease duration|first (?:ms )?symptom", near
        )
        group = (
            "with"
            if r.sense == "forbid"
            and re.search(
                r"in (?:patients|subjects|participants) with\s+(?:an?\s+)?edss", text[pick[1] : clause_end]
            )
            else None
        )
        if r.sense == "require" and re.match(
            r"\s*(?:,\s*)?(?:if\s+(?:the\s+)?edss|(?:in|for|if)\s+(?:patients|subjects|participants|those)\b[^.;]{0,30}edss)",
            text[pick[1] :],
        ):
            continue
        values = [v for v in (bounds.min_value, bounds.max_value) if v is not None]
        if unit == "hours" or not values or max(values) * DAYS[unit] < 20:
            continue
        yield Constraint(
            "disease_duration", r.sense, pick[0], pick[1], "duration.of_disease", *bounds, unit=unit,
            terms=("spms progression",) if is_progression else (), any_of_group=group, window_anchor=_any_anchor(text[pick[1] : pick[1] + 50]),
        )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- MRI
_GD = r"(?:gadolinium|\bgde?\b|\bgde?\+|\bgad\b|\b[gc]els?\b|t1\s*-?\s*(?:weighted\s*)?(?:gadolinium|gd)|contrast|\bgd\s*\+|\bgd-?positive)"
_GD_LESION = re.compile(
    rf"{_GD}[-\s]*enhanc\w*(?=\s*(?:,|or\b|and\b|/|and/or\b)+\s*(?:new|t2\b))|{_GD}\W{{0,3}}(?:\(\s*gd\s*\)\W*)?(?:[-+\s]*(?:enhanc\w*|positive|\+))?\W{{0,4}}(?:t1\W*(?:weighted\W*)?)?(?:brain\s+(?:or|and|and/or)\s+(?=spin)|spinal\s+(?:cord\s+)?(?:(?:or|and|and/or)\s+(?=brain))?|brain\s+|mri\s+|cranial\s+|cerebral\s+|cns\s+|ms-?\s?related\s+|active\s+|\(\s*gd\+?e?\s*\)\s*)*(?:lesions?|scan|mri)(?:\s*\(s\))?|(?:gadolinium|\bgd\b)[\s-]*enhancement|(?<!non-)(?<!non )\benhancing\s+(?:\w+\s+)?lesions?(?:\s*\(s\))?|\bgels?\b|lesions?\s+enhanc\w+"
)
_NEW_T2 = re.compile(
    r"new(?:ly)?\s*(?:,|or|/|and/or|and)\s*(?:unequivocally\s+|newly\s+)?(?:enlarg\w+|expanding)\W+(?:\w+\W+){0,2}?(?:t2\b|lesions?)(?:[\s-]*(?:weighted\s*)?(?:hyperintense\s*)?(?:lesions?)?(?:\s*\(s\))?)?|\bnew\s+(?:silent\s+|asymptomatic\s+|brain\s+|active\s+)?t2\b[\s-]*(?:weighted\s*)?(?:hyperintense\s*)?(?:lesions?)?(?:\s*\(s\))?|\bnew\s+(?:mri\s+|brain\s+|cns\s+|inflammatory\s+)?lesions?|enlarging\s+t2"
)
# "new MRI lesions (Gd+ and/or T2)": which lesions are meant stands behind them
_IN_BRACKETS = re.compile(r"\s*\((?:[^()]|\([^()]*\))*\)")
_T2_VOLUME = re.compile(r"t2\s+lesion\s+(?:volume|load|burden)")
_MRI_ACTIVITY = re.compile(
    r"(?:signs?\s+of\s+)?(?:mri|magnetic resonance imaging|radiolog\w+|imaging)\s*(?:disease\s+)?activity|(?:active\s+disease|disease\s+activity)\s+on\s+(?:brain\s+|cranial\s+)?(?:mri|magnetic)|radiological\s+(?:disease\s+)?activity|active\s+(?:mri|lesions?\s+on\s+mri|scan|brain mri)|activity\s+on\s+(?:brain\s+)?mri|combined unique active lesions?|\bcua\b|mri evidence of (?:disease )?activity|active lesions?|active\s+inflammation\s+on\s+(?:\w+\s+)?mri|(?:on|by)\s+mri\s+of\s+active\s+inflammation"
)
_COUNT_BEFORE = re.compile(
    rf"(?:(?P<symbol>[≥≤><=])\s*(?:\([≥≤><=]+\)\s*)?)?(?P<value>{NUMBER})(?:\s*\(\s*\w+\s*\))?(?:\s*(?:to|-|and)\s*(?P<high>\d+))?(?P<more>\s*or more)?\s*(?:of\s+)?(?:(?!(?:relapses?|months?|years?|weeks?|days?|mri\s+with|scans?\s+with|of|or|and|edss)\b)[a-z][\w\-/+]*[\s,()]+){{0,5}}$"
)


_SPELLED_OUT = re.compile(
    r"\s*[:(](?=\s*(?:≥|\d))|\s*(?:in\s+[^,;]{0,30})?[\s,(]*(?:as\s+)?(?:defined|shown|evidenced|demonstrated|documented|indicated|i\.e\.|that is|with(?=\s*(?:≥|\d|an?\b)))\s*(?:as|by)?"
)
_NO_LESION = re.compile(
    r"\b(?:no|(?<!with or )without|absence of|free of|not\s+(?:have|show\w*|demonstrat\w*))\s+(?:(?:evidence|presence|signs?|new|any|of|or|and|active|mri|clinical|relapses?|the|an?)\s+)*$"
)


def mri_activity(r: Reading) -> Iterator[Constraint]:
    """mri.activity: enhancing, new or enlarging lesions, counted where the text counts them, in their window."""
    text = r.text
    if not r.is_ms or not re.search(r"lesion|gadolin|\bgd\b|mri|enhanc|\b[gc]els?\b|\bgd\+|radiolog", text):
        return
    hits: list[tuple[int, int, list[str]]] = []
    for term, pattern in (
        ("t2 lesion volume", _T2_VOLUME), ("new or enlarging t2", _NEW_T2), ("gadolinium-enhancing", _GD_LESION), ("mri activity", _MRI_ACTIVITY),
    ):  # fmt: skip
        for found in pattern.finditer(text):
            if any(a < found.end() and found.start() < b for a, b, _ in hits):
                continue
            name = term
            if term == "new or enlarging t2" and not re.search(r"enlarg|expand", found.group()):
                name = "new t2"
            names, end = [name], found.end()
            said = _IN_BRACKETS.match(text, end) if name == "new t2" and "t2" not in found.group() else None
            if said and re.search(_GD, said.group()):
                names = ["gadolinium-enhancing", *(["new t2"] if "t2" in said.group() else [])]
                end = said.end()
            hits.append((found.start(), end, names))
    defined = [(m.start(), r.clause(m.start())[1]) for m in _DEFINITION.finditer(text)]
    # "4 gadolinium-enhanced scans" is a technique, "MRI activity, defined by one of the following:" a heading.
    hits = [
        h for h in hits
        if not (re.fullmatch(r"[^,]*\benhanced\W+(?:t1\W+(?:weighted\W+)?)?(?:brain\s+|cranial\s+|mri\s+)*(?:scan|mri)s?", text[h[0] : h[1]])
                and not re.search(r"\b(?:positive|active)\s+$", text[: h[0]]))
        and not (h[2] == ["mri activity"] and re.match(r"[^.;]{0,30}\bfollowing\b[^.;]{0,20}:\s*$", text[h[1] :]))
    ]  # fmt: skip
    # "MRI activity, defined by at least 1 enhancing lesion" says one thing.
    hits = [
        h for h in hits
        if h[2] != ["mri activity"] or not _SPELLED_OUT.match(text, h[1]) or not any(0 <= o[0] - h[1] < 90 for o in hits)
    ]  # fmt: skip
    hits = sorted(h for h in hits if not any(a <= h[0] < b for a, b in defined))
    merged: list[tuple[int, int, list[str]]] = []
    for start, end, names in hits:
        if merged:
            between = text[merged[-1][1] : start]
            # "≥ 1 new T2 or gadolinium enhancing lesion": one count for both
            if (
                len(between) < 30
                and re.fullmatch(
                    r"[\s,()]*(?:lesions?)?[\s,()]*(?:and/or|or|/|and)?[\s,(]*(?:an?\s+|t1\s+|t1-weighted\s+|brain\s+)*",
                    between,
                )
                and not re.search(r"\d", between)
            ):
                merged[-1] = (merged[-1][0], end, merged[-1][2] + names)
                continue
            # the same fact once more in brackets
            if len(between) < 6 and "(" in between:
                merged[-1] = (merged[-1][0], end, merged[-1][2] + names)
                continue
        merged.append((start, end, names))
    for index, (start, end, names) in enumerate(merged):
        clause_start, clause_end = r.clause(start)
        left = text[max(clause_start, start - 70) : start]
        count = _COUNT_BEFORE.search(left)
        around = text[max(clause_start, start - 120) : min(clause_end, end + 60)]
        if re.search(
            r"allerg|hypersensitiv|contraindicat|intoleran|reaction|unable|inability|renal|not required|is not required|administration|willing",
            around,
        ):
            continue
        if r.permits(clause_start, clause_end) or re.search(r"\bwith or without\b[^,;]*$", left):
            continue
        bounds = Bounds(None, None, None, None)
        begin, polarity = start, r.sense
        if not count and re.match(r"\s*(?:volume|load|burden)\b", text[end:]):
            continue
        if count:
            symbol = count["symbol"]
            value = number(count["value"])
            if value > 200:
                count = None
            else:
                begin = max(clause_start, start - 70) + count.start()
                low = (
                    re.search(r"([≥>])\s*(\d+)\s*(?:but|and|to)\s*$", text[clause_start:begin])
                    if symbol in ("≤", "<")
                    else None
                )
                bounds = (
                    Bounds(value, True, float(count["high"]), True)
                    if count["high"]
                    else compared(symbol if symbol in ("≤", "<", ">") else "≥", value)
                )
                if low:
                    # "at least 1 but no more than 10 lesions"
                    bounds = bounds._replace(min_value=float(low.group(2)), min_inclusive=low.group(1) == "≥")
                    begin = clause_start + low.start()
        if not count and re.fullmatch(r"[gc]els?", text[start:end]):
            continue
        behind = (
            None if count else re.match(r"\s*(?:count|number)?\s*(?:of\s+|:\s*|is\s+)?(?=[≥≤><])", text[end:])
        )
        after = bounds_at(text, end + behind.end()) if behind else None
        if after and not re.match(r"\s*(?:days?|weeks?|months?|years?|mm|ml|cm)", text[after[1] :]):
            # "Gd-enhancing lesions > 10"
            bounds, end, count = after[0], after[1], True
        if not count:
            positive = re.search(
                r"\b(?:an?|any|positive|presence of|evidence of|active|show\w*|demonstrat\w*|documented|with|had|by|signs of)\s+(?:[\w.,(-]+\s+){0,4}(?:\(\s*(?:i\.?e\.?|e\.?g\.?)?,?\s*)?$",
                left,
            ) or re.search(r"\bscan|mri\b", text[start:end])
            denied = _NO_LESION.search(left) is not None
            at_start = not re.search(r"[a-z]", text[clause_start:start])
            dated = any(s.role == "back" and 0 <= s.start - end < 34 for s in r.spans)
            listed = re.search(
                r"\b(?:1|any|either|one)\s+(?:or more\s+)?of\s+the\s+following\b[^.;]*:",
                text[clause_start:start],
            )
            if not (positive or denied or at_start or dated or listed or r.sense == "forbid"):
                continue
            if r.sense == "forbid" and not (
                re.search(
                    r"\b(?:any|presence|evidence|active|positive|show\w*|documented|new)\b",
                    left + text[start:end],
                )
                or (positive and re.search(r"\ban?\s+$", left))
                or at_start
                or _window(r, clause_start, clause_end, start, end, reach=60)
            ):
                continue
            bounds = compared("≥", 1)
            if denied and r.sense == "require":
                polarity = "forbid"
        limit = merged[index + 1][0] if index + 1 < len(merged) else clause_end
        window = _window(r, clause_start, limit, begin, end, reach=90)
        if window is None and index + 1 < len(merged):
            following = _COUNT_BEFORE.search(text[end : merged[index + 1][0]])
            shared = end + following.start() if following else merged[index + 1][0]
            window = _shared_window(r, clause_start, clause_end, end, (shared, merged[index + 1][1]))
        if window is None and polarity != r.sense:
            window = next((s for s in r.spans if s.role == "for" and 0 <= s.start - end < 60), None)
        if "t2 lesion volume" in names and not count and not bounds_at(text, end):
            continue
        last = window.end if window and end <= window.start < limit else end
        yield Constraint(
            "gd_or_t2_activity", polarity, begin, last, "mri.activity", *bounds, unit="count", terms=tuple(dict.fromkeys(names)), **_window_fields(window),
        )  # fmt: skip


RULES = (
    ("edss.range", 3, ("edss_range",), edss_range),
    ("edss.change", 3, ("edss_change",), edss_change),
    ("age.range", 3, ("age_range",), age_range),
    ("relapse.count", 3, ("relapse_count", "relapse_on_therapy", "no_relapse_within"), relapses),
    ("course.is", 3, ("disease_course",), disease_course),
    ("diagnosis.criteria", 3, ("diagnosis_criteria",), diagnosis_criteria),
    ("duration.of_disease", 3, ("disease_duration", "edss_range"), disease_duration),
    ("mri.activity", 3, ("gd_or_t2_activity",), mri_activity),
)
