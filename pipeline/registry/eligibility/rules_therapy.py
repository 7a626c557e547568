"""Rules about treatments: required before, forbidden before, washed out, concomitant, steroids, investigational drugs.

One pass over the drug names of a criterion; what is said about them (prior, current, for how long, within which time,
except) decides the kind. Only wording counts, never which study prints it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from pipeline import drugs
from pipeline.registry.eligibility import patterns as re
from pipeline.registry.eligibility.lexicon import Mention
from pipeline.registry.eligibility.quantities import (
    NUMBER,
    UNIT,
    Bounds,
    Span,
    anchor_after,
    compared,
    number,
    unit_of,
)
from pipeline.registry.eligibility.reading import Constraint, Reading

STEROIDS = frozenset({"corticosteroid", "corticotropin"})
INVESTIGATIONAL = "investigational drug"

# The drug is named for another reason than having been taken.
_OTHER_REASON_BEFORE = re.compile(
    r"(?:hypersensitiv\w*|allerg\w*|intoleran\w*|contra-?indicat\w*|anaphyla\w*|sensitivit\w*|adverse (?:event|reaction)s?|side effects?|reactions?|toxicit\w*|respon\w+|refractor\w*|resistan\w*|residual|components?|excipients?|ingredients?|eligib\w+|candidates?|indicat(?:ions?|ed\s+(?:for|to))|suitab\w+|appropriate|randomi[sz]ed to|assigned to|allocated to|arm|planned to (?:start|begin|initiate|receive)|plan(?:ning)? to|scheduled|about to|intend\w*|decision to|decided to|prescri\w+|initiat\w+|start(?:ing|ed)?|begin\w*|before (?:initiating|starting)|switch\w*|benefit from|response to|unwilling\w*|willing\w*|agree\w*|accept|refus\w*|understand|interact\w*|studies? (?:with|of)|trials? (?:with|of)|knowledge|psychosis|metaboli[sz]ed|similar (?:to|chemical)|structurally|expos\w+ to the study|safety of|efficacy of|risks? of|need(?:s|ing|ed)? to|(?<!^ )need(?:s|ing|ed)? for|requir\w+|alternatives? to|monitoring|access to|compliance|information|labell?ing|package insert|instructions)\b[^.;]{0,75}$"
)
_STRONG_REASON = re.compile(
    r"(?:hypersensitiv\w*|allerg\w*|contra-?indicat\w*|anaphyla\w*|sensitivity to|intoleran\w*|adverse (?:event|reaction)s?|excipients?|ingredients?|antibod(?:y|ies) (?:to|against)|components?|recover\w*\s+(?:\w+\s+)?from|resolv\w*|resolution|toxicit\w*\s+(?:\w+\s+)?(?:from|of|to)|side effects? (?:of|from)|preclud\w*|prevent\w*|interfer(?:e|es|ed|ing)\b|(?:disease|disorder|condition|illness)s?\s+(?:that\s+|which\s+)?(?:may\s+|might\s+|will\s+|could\s+)?(?:requir|need)\w*|not\s+accept|declin\w+|refus\w*|unwilling\w*)\b[^.;]{0,120}$"
)
_OTHER_REASON_AFTER = re.compile(
    r"\s*(?:-?\s*(?:arm|group|antibod\w+|psychosis|allergy|hypersensitivity|intolerance|contraindication|naive|naïve|resistan\w*|induced|associated|related|level|concentration|titer|titre|trial|study|ineligible|eligible|candidates?|release|relapses?|rejection|overdose|use disorder|dependen\w+)\b|\s+(?:is|are) contraindicated|\s+treatment\s+(?:initiation|start))"
)
_CAUSE = re.compile(
    r"\bbefore\s+(?:using|taking|starting|receiving)\b[^.;]{0,40}$|\b(?:relieved|controlled|managed|alleviated|responding|responsive)\s+(?:adequately\s+)?(?:by|with|to|on)\s+(?:\w+\s+){0,3}$|\bwith or without\s+(?:\w+\s+)?$|\b(?:after|following|post)\s+(?:the\s+|their\s+|an?\s+|last\s+|first\s+|end\s+of\s+|dose\s+of\s+|completion\s+of\s+|initiation\s+of\s+|allogeneic\s+|autologous\s+)*$|\b(?:due to|caused by|because of|secondary to|resulting from|result of)\s+(?:\w+\s+){0,2}$|\b(?:commonly|usually|typically|normally|often|generally)\s+treated\s+with\s+(?:\w+\s+){0,4}$|(?<!ms )\b(?:disease|disorder|condition)s?\s+(?:\(\s*)?(?:stable\s+|controlled\s+)?treated\s+with\b(?:[^.;]|e\.g\.){0,60}$|\b(?:comparison|evaluation)\s+of\s+(?:\w+\s+){0,4}$|\b(?:due to|because of)\s+(?:prior|previous)\b[^.;]{0,40}$"
)
# "Starting treatment with X", "eligible for X therapy": it is yet to come, whatever verb follows.
_YET_TO_COME = re.compile(
    r"\b(?:start(?:ing|ed)?|begin\w*|initiat\w+|commenc\w+|eligib\w+(?:\s+for|\s+to\s+receive)?|candida(?:tes?|cy)\s+for|suitab\w+\s+for|appropriate\s+for|indicat\w+\s+(?:for|to\s+\w+)|about\s+to\s+(?:start|begin|receive)|plan\w*\s+(?:to\s+\w+|on|for)|scheduled\s+(?:to\s+\w+|for)|will(?:ing)?\s+(?:to\s+)?(?:\w+\s+)?(?:start|begin|receive|initiate|switch\w*|be\s+treated)|to\s+be\s+(?:treated|started|switched|prescribed)|switch\w*\s+(?:to|from)|accept\w*|agree\w*\s+to\s+\w+|randomi[sz]ed\s+to|assigned\s+to|(?:may|could|would|might|can|to|likely)\s+benefit\s+from)\s+(?:a\s+|an\s+|the\s+|new\s+|first\s+|their\s+|receiving\s+|treatment\s+|therapy\s+|course\s+|courses\s+|of\s*:?\s+|with\s+|on\s+|for\s+|either\s+|≥\s*|1\s+)*$"
)
_PROMISE = re.compile(
    r"\b(?:willing(?:ness)?|agree\w*|prepared|able)\s+to\s+(?:discontinue|stop|remain|refrain|switch|maintain|continue|stay)\b"
)
_PLANNED = re.compile(
    r"\b(?:planned|planning|anticipated|expected|intended)\s+(?:to\s+\w+\s+|use\s+of\s+|treatment\s+with\s+|need\s+for\s+|therapy\s+with\s+|initiation\s+of\s+)?(?:\w+\s+){0,2}$"
)
_TREATED_ONLY = re.compile(r"\btreated\s+(?:only|exclusively|solely)\s+with\b[^.;]{0,60}$")
_NEGATIVE_WORD = re.compile(r"\b(?:no|not|without|never)\b")
_NOT_TAKEN_NOW = re.compile(
    r"\b(?:first|next|before|prior to)\s+(?:the\s+)?(?:first\s+)?(?:dose\s+of\s+|infusion\s+of\s+|study\s+)?$"
)

_PRIOR = re.compile(
    r"\b(?:prior|previous(?:ly)?|history|histories|ever|(?:have|has|had|having)\s+(?:ever\s+|previously\s+|also\s+)?(?:received|taken|used|been\s+(?:\w+\s+)?(?:treated|on|exposed|given|administered))|been\s+(?:previously\s+)?(?:treated|exposed)|treated\s+with|received|receipt|exposed|exposure|experience\s+with|failed|failure|recent|past|at\s+any\s+time|lifetime|who\s+(?:took|used)|treatment\s+with|therapy\s+with|administration\s+of|tried|use[d]?\s+of)\b"
)
_PRIOR_STRICT = re.compile(
    r"\b(?:prior|previous(?:ly)?|history|ever|(?:have|has|had|having)\s+(?:ever\s+|previously\s+)?(?:received|taken|used|been\s+(?:\w+\s+)?(?:treated|exposed|given))|been\s+(?:previously\s+)?(?:treated|exposed)|treated|received|receipt|exposed|exposure|failed|past|any\s+use|at\s+any\s+time|lifetime|tried)\b"
)
_CURRENT = re.compile(
    r"\b(?:current(?:ly)?|concomitant(?:ly)?|concurrent(?:ly)?|ongoing|simultaneous(?:ly)?|taking|takes|receiving|on\s+(?:concurrent\s+|concomitant\s+|continuous\s+|chronic\s+|daily\s+|regular\s+|any\s+|a\s+)*(?:treatment|therapy|medication|drugs?)|(?:patients?|subjects?|participants?)\s+(?:who\s+are\s+)?(?:in|under)\s+treatment\s+with|use\s+of|using|users?\s+of|us(?:es|ing)|being\s+treated|requir\w+|chronic\s+(?:use|treatment|therapy)|regular\s+use|need\s+for|use\b|abstain|consumption|change\s+in|at\s+(?:the\s+time\s+of\s+)?(?:screening|baseline|entry|inclusion|enrol\w+))\b"
)
_NOW = re.compile(
    r"\b(?:current(?:ly)?|concomitant(?:ly)?|concurrent(?:ly)?|ongoing|simultaneous(?:ly)?|receiving|taking|under\s+(?:treatment|therapy)|(?:need(?:s|ing)?|requir(?:e|es|ing))(?:\s+for)?)\b"
)
_PAST = re.compile(
    r"\b(?:prior|previous\w*|history|ever|past|(?:have|has|had)\s+(?:\w+\s+)?(?:received|used|taken|been)|received)\b"
)
_AND_CURRENT = re.compile(r"\b(?:concomitant(?:ly)?|concurrent(?:ly)?|current(?:ly)?|ongoing)\b")
_PRIOR_AND_CURRENT = re.compile(
    r"\b(?:(?:prior|previous)\s*(?:,|or|and|/|and/or)\s*(?:concomitant|concurrent)|(?:concomitant|concurrent)\s*(?:,|or|and|/|and/or)\s*(?:prior|previous))\s+(?:use|treatment|therapy|exposure|administration)\s+(?:of|with|to)\b"
)
_EVER = re.compile(
    r"\b(?:at\s+any\s+(?:time|point)|any\s+time|ever\b|in\s+the\s+past(?!\s*\d|\s+(?:year|month|week|\())|lifetime|regardless of (?:when|time)|(?<!\d )(?<!days )(?<!weeks )(?<!months )(?<!years )(?<!day )(?<!month )(?<!year )(?:prior\s+to|before)\s+(?:the\s+)?(?:study|enrol\w+|screening|randomi\w+|inclusion|baseline|trial|entry))"
)
_NEGATIVE = re.compile(
    r"\b(?:no|not(?!\s+(?:limited|tolerat\w+|respond\w*))|never|without|naive\s+(?:to|of|for)|neither|nor|absence\s+of|free\s+(?:of|from)|abstain\w*|off|discontinu\w+|stopp\w+|completed(?=\s+(?:\w+\s+){0,3}$)|cessation|wash\s?-?out|untreated\s+with|non-?use|refrain\w*|have\s+not|has\s+not|had\s+no)\b"
)
_NAIVE = re.compile(
    r"\b(?:treatment|therapy|dmt|dmd|drug)\s*-?\s*(?:naive|naïve)\b|\bnaive\s+(?:to|of|for)\s+(?:\w+\s+){0,3}?(?:treatment|therapy|dmts?)|\b(?:naive|naïve)\s+patients|\buntreated\b|\b(?:disease[- ]modifying\s+(?:therapy|treatment|drug)s?)\s*-?\s*(?:naive|naïve)"
)
_DISCONTINUED = re.compile(
    r"\b(?:discontinu\w+|stopp\w+|wash\w*\s?-?out|off|free\s+(?:of|from)|without|not\s+(?:\w+\s+){0,4}?|no\s+)"
)
_CAP_COUNT = re.compile(
    r"(?P<symbol>[≤<])\s*(?:of\s+)?(?P<value>\d)\s*(?:different\s+|prior\s+|previous\s+|approved\s+|other\s+|types?\s+of\s+)*(?:class\w*|dmts?|dmds?|therap\w+|treatments?|drugs?|agents?|medications?|lines?|disease)"
)
_TRIED = re.compile(
    r"(?:(?P<symbol>[≥>])\s*)?\b(?P<value>\d)(?:\s*\(\s*\d\s*\))?(?P<more>\s*or\s+more)?\s*(?:of\s+)?(?:different\s+|prior\s+|previous\s+|approved\s+|other\s+|licensed\s+|ms\s+|types?\s+of\s+|classes\s+of\s+|first[- ]line\s+|the\s+|available\s+|standard\s+|lines?\s+of\s+)*$"
)
_BOTH = re.compile(r"\b(?:both|2\s*(?:different\s+)?class\w*)\b")
_FOR_DRUG = re.compile(r"\s*for\s+")
_EXPOSURE = re.compile(
    rf"(?P<symbol>[≥≤><])?\s*(?P<value>{NUMBER})\s*-?\s*(?:consecutive\s+|continuous\s+|cumulative\s+)?(?P<unit>{UNIT})\s*(?P<after>or\s+(?:longer|more|greater)|and\s+(?:longer|more))?\s*(?P<words>(?:of\s+)?(?:total\s+|cumulative\s+|continuous\s+|consecutive\s+|prior\s+|previous\s+)*(?:exposure|duration|treatment|therapy|use|consecutive|cumulative)|of\s+(?:prior|previous|total|cumulative)\b|on\s+(?:the\s+|their\s+|an?\s+)?(?:current|present|same|stable)\b)?"
)
# What follows the names and narrows them by something that is not read.
_NARROWED = re.compile(
    r"\)?\s*(?:\w+\s+){0,2}(?:known\s+to|that\b|which\b|associated\s+with|due\s+to|for\s+which|if\b|when\b|because|(?:treatment|therapy)\s+with\b|[≥≤><]\s*[\d.]+\s*(?:mg|µg|mcg|g)\b|for\s+(?!(?:the\s+)?(?:treatment\s+of\s+)?(?:ms\b|multiple|relapse)|[≥≤<>\d]|at\b|more|less|the\s+(?:past|last|prior|previous)|any\b))"
)
_TREATED_RELAPSE = re.compile(
    r"\s*-?\s*(?:treated|requiring|responsive)\s+(?:\w+\s+){0,3}?(?:relaps|attack|exacerbat)"
)
_RELAPSE_TREATED = re.compile(
    r"(?<!no )\b(?:relapses?|attacks?|exacerbations?)\s+(?:\w+\s+){0,3}?(?:treated\s+with|requiring)\s+(?:\w+\s+){0,2}$"
)
_NOT_ALLOWED = re.compile(
    r"[^.;,\d]{0,30}?\b(?:not\s+(?:be\s+)?(?:allowed|permitted|acceptable|eligible)|prohibited|forbidden|disallowed)\b"
)
_HALF_LIVES = re.compile(rf"\s*\(?(?:with)?in\s+(?:the\s+)?(?:last\s+)?{NUMBER}\s*half[- ]?li(?:fe|ves)")
_WITHIN_OF = re.compile(rf"\bwithin\s+{NUMBER}\s*{UNIT}\s+of\s+(?:the\s+|their\s+|planned\s+|first\s+)*$")
# "Prior cladribine allowed if the last course was more than 12 months ago"
_ALLOWED_AFTER = re.compile(
    rf"\b(?<!not )(?:allowed|permitted|acceptable)\s+(?:only\s+)?(?:if|provided|when|as long as)\b[^.;]{{0,70}}?(?P<time>[≥>]\s*{NUMBER}\s*{UNIT}\s+(?:ago|before|prior|earlier|previously))"
)
_COURSES_OF = re.compile(
    r"(?P<symbol>[≥>≤<])?\s*(?P<value>\d+)\s*(?:(?:or|to|-)\s*\d+\s*)?(?:or\s+more\s+)?(?:prior\s+|previous\s+)?(?:courses?|cycles?|infusions?|doses)\s+of\s*,?\s+(?:\w+\s+)?$"
)
_UNLESS_PASSED = re.compile(
    rf"\bunless\s+(?:it was\s+|stopped\s+|discontinued\s+|given\s+)?[≥>]?\s*{NUMBER}\s*{UNIT}\s+(?:have|has|had)\s+(?:passed|elapsed)|\bunless\s+(?:\w+\s+){{0,4}}?[≥>]\s*{NUMBER}\s*{UNIT}\s+(?:prior|before|ago|earlier)"
)
_DAYS_A_WEEK = re.compile(
    rf"(?P<symbol>[≥>])?\s*(?P<value>{NUMBER})\s*(?:or\s+more\s+)?days?\s*(?:a|per|/|each|every)\s*week"
)
_DOSE_CHANGE = re.compile(
    r"\b(?:chang(?:e|es|ed|ing)|switch\w*|adjust\w*)\s+(?:or\s+\w+\s+)?(?:an?\s+|the\s+|new\s+|their\s+|of\s+)*$|\b(?:start\w*|initiat\w*)\s+or\s+(?:chang|switch)\w*\s+(?:an?\s+|the\s+|new\s+|their\s+)*$|\bchanges?\s+(?:in|of|to)\s+(?:the\s+)?(?:dos\w+|medication|regimen)|\bchanges?\s+(?:in|of|to)\s+(?:\w+\s+){0,2}$"
)
_DOSE_CHANGED = re.compile(
    r"\b(?:with(?:in)?\s+(?:an?\s+)?|and\s+)(?:\w+\s+)?(?:dose\s+changes?|changes?\s+(?:in|of)\s+(?:the\s+)?(?:dos\w+|regimen))\b"
)
_STUDY_PARTICIPATION = re.compile(
    r"(?:participat\w*|enrol\w*|involve\w*|t(?:ak\w+|ook) part|includ\w+|subjects?|patients?)\s+(?:simultaneously\s+|concurrently\s+|currently\s+)?(?:in|into|of)\s+(?:\w+\s+){0,2}?(?:other|another|any(?:\s+other)?|an?|different|concurrent|drug|previous|clinical|investigational|interventional)\b[^.;,]{0,60}?\b(?:trials?|stud(?:y|ies)|research)\b"
    r"|(?:other|another|concurrent|different|previous|drug)\s+(?:\w+\s+){0,3}?(?:clinical\s+|interventional\s+|investigational\s+|research\s+|drug\s+|therapeutic\s+|treatment\s+|intervention\w*\s+)(?:trials?|stud(?:y|ies)|research(?:\s+stud\w+)?|protocols?)|(?:other|another)\s+(?:trials?|stud(?:y|ies))\b"
    r"|participat\w+\s+in\s+(?:drug\s+)?clinical\s+(?:drug\s+)?(?:trials?|stud(?:y|ies))|investigational\s+(?:drug\s+)?(?:trials?|stud(?:y|ies))"
)
_DRUG_INVESTIGATION = re.compile(
    r"\b(?:use|used|using|treat\w*|receiv\w*|receipt|participat\w*|expos\w*|taken|taking|therapy|prior|previous|concomitant|concurrent|current|other|another|any|administration|exposure|enrol\w*|within|last|past|involv\w+|experimental|received|dose\s+of)\b[^.;]{0,140}$"
)
_OWN_STUDY_DRUG = re.compile(
    r"\b(?:the\s+investigational|of\s+investigational|to\s+(?:the\s+)?investigational|first\s+dose\s+of\s+(?:the\s+)?|dose\s+of\s+(?:the\s+)?(?:investigational|study)|last\s+dose\s+of\s+(?:the\s+)?|after\s+(?:the\s+)?|half-?\s?li(?:fe|ves)\s+of\s+(?:\w+\s+){0,3}|administration\s+of\s+(?:the\s+)?|allerg\w*[^.;]{0,60}|hypersensitiv\w*[^.;]{0,60}|contraindicat\w*[^.;]{0,60}|compliance\s+with\s+|safety\s+of\s+|comply[^.;]{0,40}|duration\s+of\s+)$"
)


_EXCEPT_WHEN = re.compile(
    r"unless\b|except(?:ion\s+of)?\s+(?:if|when|where|that|for\s+(?:patients|subjects|participants|those)|patients|subjects|participants|those|the\s+last|in\s+case)\b|without\b"
)
# "Natalizumab - 6 months", "interferons: 4 weeks": a table printed as a list.
_TABLE_GAP = re.compile(
    r"\s*(?:\([^()]*\)\s*)?(?:therapy|treatment|use)?\s*(?:for\s+(?:ms|multiple\s+sclerosis)\s*)?[-:=,]?\s*(?:<\s*|≤\s*|≥\s*|within\s+)?(?:the\s+(?:last|previous|past|prior)\s+)?"
)
_TABLE_END = re.compile(r"\s*(?:$|[;,.)(]|\b(?:and|or|prior|before|wash|for\b))")


# "A trial within 30 days, or prior treatment with X": the time is not X's.
_SPEAKS_OF_TREATMENT = re.compile(
    r"\b(?:treat\w*|therap\w*|us(?:e|ed|es|ing)|receiv\w*|tak(?:e|en|ing)|medicat\w*|drugs?|expos\w+|dos\w+|administ\w*)\b"
)
_OWN_VERB = re.compile(r",[^.;]*\b(?:requiring|treated|treatment|receiving|taking|on|use\s+of)\s")
_ANOTHER_HISTORY = re.compile(
    r"\b(?:or|and)\s+(?:any\s+|has\s+|have\s+)*(?:prior|previous\w*|ever|history)\b"
)


_OR_STARTED = re.compile(
    r"^\s*,?\s*or\s+(?:has\s+|have\s+|had\s+)?(?:recently\s+)?(?:start|initiat|commenc|receiv|us|tak|been\s+(?:treated|on))\w*\b"
)


def _belongs_behind(text: str, end: int, position: int) -> bool:
    """Names in the bracket behind a window, or behind "such as" there, explain the drugs before it."""
    opened = re.match(r"\)?\s*\(", text[end:])
    if opened:
        inside = text[end + opened.end() :].partition(")")[0]
        return end + opened.end() + len(inside) > position and not re.search(rf"\d\s*{UNIT}", inside)
    led = re.match(
        r"\)?\s*,?\s*(?:\w+[,;]?\s+){0,5}?(?:such as\b|e\.\s?g\.|i\.\s?e\.|including\b|for example\b)",
        text[end:],
    )
    return led is not None and not re.search(r"\d|;", text[end + led.end() : position])


_OR_WITH = re.compile(
    r"\s*,\s*(?:or|and)\s+(?:with|by|those\s+(?:treated|exposed)|treated|treatment\s+with|(?:has|have)\s+been)\b"
)


def window_free(segment: _Segment) -> bool:
    """No time is said of these drugs."""
    return segment.window is None and not segment.is_ever


_STABLE_EXCEPTION = re.compile(r"\b(?:unless|except)\b[^.;]{0,40}\bstable\b")


_JUST_NOW = re.compile(
    r"\b(?:or|and)\s+(?:are\s+|is\s+)?(?:currently|presently)\s+(?:on|taking|receiving|using)\s+(?:\w+\s+){0,2}$"
)
_AT_ANY_TIME = re.compile(r"\b(?:use|treatment|exposure)\s+at\s+any\s+time\s+(?:of|with|to)\b")
# "Currently prescribed X", "requirement for X": it is taken.
_NEEDED_NOW = re.compile(
    r"\b(?:already|currently)\s+(?:requir|prescrib)\w+\s+$|^\W*(?:\w+\s+)?requirement\s+(?:for|of)\s+(?:\w+\s+)?$"
)
_ALREADY_OR = re.compile(r"\b(?:already|currently)\s+(?:on|taking|receiving|using)\s+or\b")
_BUT_NO_WILL = re.compile(
    r"\b(?:taking|receiving|using|on)\s+and\s+(?:\w+\s+)?(?:unwilling|not\s+willing|unable)\s+to\s+(?:stop|discontinue)\s+(?:\w+\s+)?$"
)
_ANOTHER_STUDY = re.compile(r"\bparticipat\w+\s+in\s+(?!.*\b(?:or|and)\b)[^().;]{0,60}\([^()]*$")
_INTERACTING = re.compile(
    r"\b(?:medications?|drugs?|agents?|medicines)\s+(?:that\s+|which\s+|known\s+to\s+|may\s+|with\s+)*(?:\w+ly\s+)?interact\w*\s+(?:\w+ly\s+)?with\s"
)
_LISTED_BEHIND = re.compile(r"[:(]|\b(?:e\.g|such as|including|for example|i\.e)\b")


# Only the start is forbidden: who has taken it for longer may go on.
_BEGIN = re.compile(
    r"(?<!before )(?<!since )(?<!of )\b(?:start\w*|initiat\w+|commenc\w+|introduc\w+)\s+(?:of\s+|on\s+|treatment\s+|therapy\s+|an?\s+|any\s+|new\s+|with\s+|the\s+)*$"
)
_BEGUN = re.compile(
    r"\s*(?:drugs?|therapy|treatment|medications?)\s+(?:changes?|switch\w*|adjustments?)\b|\s*(?:drugs?|therapy|treatment|medications?|injections?)?\s*(?:\([^()]*\)\s*)?(?:was\s+|were\s+|been\s+|newly\s+)*(?:started|initiated|commenced|introduced|begun|began)\s+(?:with)?(?:in\b|during|≤|<)"
)
_BEGUN_LONG_AGO = re.compile(
    r"\s*(?:therapy|treatment)?\s*(?:was\s+|were\s+|been\s+)*(?:started|initiated|commenced|introduced)\s+[≥>]"
)
_SAME_LIST = re.compile(r"\s*(?:\([^()]*\)\s*)?(?:[,/]\s*)?(?:and/or\s+|and\s+|or\s+)?(?:an?\s+)?")
_RESPECTIVELY = re.compile(
    rf"(?P<values>\d+(?:\s*,\s*\d+)*\s*,?\s*(?:and|or)\s+\d+)\s*(?P<unit>{UNIT})\b(?=[^;]{{0,60}}\brespectively\b)"
)
_REGARDLESS = re.compile(r"\b(?:regardless|irrespective)(?:ly)?\s+of\b[^.;,]*$")
_POST = re.compile(r"\bpost[-\s]+(?:an?\s+|the\s+|allo\w*\s+|auto\w*\s+)*$")
# "Limited prior therapy, including a week of steroids" allows it.
_LITTLE = re.compile(
    r"\b(?:limited|minimal|little)\s+(?:prior|previous)\s+(?:\w+\s+)?(?:therap\w+|treatments?)\b"
)
# A washout whose length is not said.
_NO_WASHOUT = re.compile(
    r"\bwithout\s+(?:an?\s+|the\s+)?(?:appropriate|adequate|sufficient|required|proper)\s+wash"
    r"|\b(?:with)?in\s+(?:the\s+|a\s+)?(?:specified|defined|certain|pre-?defined|protocol-?\s?(?:specified|defined))\s+(?:\w+\s+)?(?:periods?|times?|windows?|intervals?|timeframes?)\b"
)


class _Segment(NamedTuple):
    """Drug names that share what is said about them."""

    mentions: list[Mention]
    window: Span | None
    is_ever: bool
    end: int


def _usable(r: Reading, clause_start: int, clause_end: int) -> list[Mention]:
    text, out = r.text, []
    skipped: Mention | None = None
    for m in r.mentions:
        if m.family != "drug" or not clause_start <= m.start < clause_end:
            continue
        before = text[max(clause_start, m.start - 130) : m.start]
        after = text[m.end : m.end + 40]
        # "… regardless of treatment with another drug" asks for nothing, nor does what came "after transplantation".
        if _REGARDLESS.search(text, clause_start, m.start) or _POST.search(
            text, max(clause_start, m.start - 30), m.start
        ):
            continue
        if r.sense == "require" and _LITTLE.search(text, clause_start, m.start):
            continue
        # "natalizumab-treated patients must be tested": who is on it
        if re.match(r"\s*-\s*treated\b", after):
            continue
        if _OTHER_REASON_AFTER.match(after) and not _NAIVE.search(text[m.start : m.end + 20]):
            continue
        if re.search(r"\banti-?\s*$", before):
            continue
        interacting = _INTERACTING.search(text, clause_start, clause_end) if r.sense == "forbid" else None
        if interacting and m.start >= interacting.end():
            # "Drugs that interact with statins, e.g. verapamil": the list, not what it interacts with
            if _LISTED_BEHIND.search(text[interacting.end() : m.start]):
                out.append(m)
            continue
        if _PROMISE.search(text, clause_start, m.start) or (
            (strong := _STRONG_REASON.search(before))
            and not re.search(
                r",\s*(?:or|and)\s+(?:prior|previous)\s+(?:treatment|therapy|use|exposure)\b",
                before[strong.start() :],
            )
            and not _NEEDED_NOW.search(before)
            and not _BUT_NO_WILL.search(before)
        ):
            continue
        if _CAUSE.search(before):
            continue
        # "Start of fampridine within 6 months" excludes, "starting fampridine" alone is yet to come.
        if re.match(r"\s*(?:initiation|start|commencement)\b", after) and re.search(
            r"\b(?:before|prior\s+to|between|since|after|until|to)\s+(?:the\s+)?$", before
        ):
            continue
        if re.search(
            r"\b(?:before|prior\s+to|between|since|after)\s+(?:the\s+)?(?:start|initiation)\s+of\s+$", before
        ):
            continue
        if _BUT_NO_WILL.search(before):
            out.append(m)
            continue
        if _ANOTHER_STUDY.search(before):
            continue
        if skipped is not None and _SAME_LIST.fullmatch(text, skipped.end, m.start):
            # "Starting natalizumab or fingolimod": the whole list is yet to come.
            skipped = m
            continue
        yet = _YET_TO_COME.search(before)
        started = (
            yet
            and r.sense == "forbid"
            and re.match(r"\s*(?:start|initiat|commenc|begin|switch)", yet.group())
        )
        recent = any(
            s.role == "back" and s.symbol not in ("≥", ">") and 0 <= s.start - m.end < 60 for s in r.spans
        )
        if yet and not (started and recent):
            skipped = m
            continue
        # "(for teriflunomide, unless eliminated)" repeats a drug of the list for its exception.
        if re.search(r"\(\s*(?:for\s+)?$", before) and re.match(
            r"\s*,?\s*(?:unless|except|only\s+(?:after|if))", after
        ):
            continue
        if _TREATED_ONLY.search(before) or (_PLANNED.search(before) and not _ALREADY_OR.search(before)):
            continue
        if r.sense == "require" and m.term == "vaccine" and not _NEGATIVE_WORD.search(before):
            continue
        if m.term == "vaccine" and re.search(r"\b(?:tumou?r|cancer|peptide|dna|cell)\s+$", before):
            continue
        # "PML while on natalizumab" excludes the event.
        if r.sense == "forbid" and re.search(
            r"\b(?:while|when|during)\s+(?:on|receiving|taking|treatment\s+with)\s+(?:\w+\s+){0,3}$", before
        ):
            continue
        # "… as their first therapy for MS" describes the drugs already named.
        if (
            out
            and m.term == "ms disease-modifying therapy"
            and re.search(r"\bfor\b", text[m.start : m.end])
            and not re.search(r"\b(?:other|another|any|or|and|prior|previous|no)\s+$", before)
        ):
            continue
        # "immunomodulatory treatment with fingolimod" names the drug, not the class.
        if (
            m.term in _MS_CLASSES
            and re.match(r"\s*(?:treatment|therapy)?\s*with\s", after)
            and any(0 <= n.start - m.end < 46 for n in r.mentions)
        ):
            continue
        if m.term == INVESTIGATIONAL and (
            _OWN_STUDY_DRUG.search(before)
            or not (
                _DRUG_INVESTIGATION.search(text[clause_start : m.end + 1])
                or re.match(
                    r"\w*\s*[:(]?\s*(?:with)?in\s+(?:the\s+(?:last|past|previous)\s+)?\d|\s*(?:for\s+ms\s*)?[-:]\s*\d",
                    after,
                )
            )
        ):
            continue
        weak = _OTHER_REASON_BEFORE.search(before)
        starts = (
            weak and r.sense == "forbid" and re.match(r"start|initiat|commenc|begin|prescri", weak.group())
        )
        started = started or (starts and recent)
        if (
            weak
            and not started
            and not _NEEDED_NOW.search(before)
            and not _ALREADY_OR.search(before)
            and not re.search(
                r"\b(?:treated|received|taken|used|use|history|prior|previous|previously|exposure|exposed|treatment with|therapy with|stable|stopp\w+|discontinu\w+|current\w*|concurrent|concomitant|receiving|taking)\b",
                before[weak.start() :],
            )
        ):
            continue
        if re.search(r"\b(?:first|next)\s+dose\s+of\s+(?:high[- ]dose\s+)?$", before):
            continue
        if _NOT_TAKEN_NOW.search(before) and re.match(
            r"\s*(?:infusion|dose|treatment|injection|initiation|start|therapy|administration)", after
        ):
            continue
        # "Relapse treated with steroids" describes the relapse.
        if (
            m.term in STEROIDS
            and r.sense == "require"
            and (_TREATED_RELAPSE.match(after) or _RELAPSE_TREATED.search(before))
        ):
            continue
        # "… within 2 years of leukapheresis", "… within 3 days before leukapheresis" date something else.
        if _WITHIN_OF.search(before):
            continue
        if (
            re.search(r"\b(?:prior\s+to|before)\s+(?:the\s+|their\s+|planned\s+|first\s+)*$", before)
            and m.start > clause_start + 14
        ):
            continue
        if m.term == INVESTIGATIONAL and re.match(r"\s*administration", after):
            continue
        if m.term == "ms disease-modifying therapy" and not r.is_ms:
            continue
        # "(topical estrogen is allowable)"
        opened = text.rfind("(", clause_start, m.start)
        closed = text.find(")", m.end, clause_end)
        if (
            opened > text.rfind(")", clause_start, m.start)
            and closed > 0
            and re.search(r"(?<!not )\b(?:allow\w*|permi(?:tted|ssible)|acceptable)\b", text[opened:closed])
        ):
            continue
        out.append(m)
    return out


def _terms(mentions: list[Mention], r: Reading) -> tuple[str, ...]:
    terms = list(dict.fromkeys(term for m in mentions for term in m.term.split("+")))
    last = max((m.end for m in mentions), default=0)
    first = min((m.start for m in mentions), default=0)
    # "interferon-beta (either 1a or 1b)", "interferon beta-1a or 1b"
    near = r.text[first : last + 30]
    if any(t.startswith("interferon beta") for t in terms):
        for name in ("1a", "1b"):
            if (
                re.search(rf"\b{name}\b", near)
                and f"interferon beta-{name}" not in terms
                and re.search(r"\b1a\b[^.;]{0,12}\b1b\b", near)
            ):
                terms.append(f"interferon beta-{name}")
    if "live vaccine" in terms and "vaccine" in terms:
        terms.remove("vaccine")
    return tuple(terms)


def _exposure(r: Reading, start: int, end: int) -> tuple[Bounds, str, str, int, int] | None:
    """A stated amount of treatment: bounds, unit, measure, and where it stands."""
    text = r.text
    weekly = _DAYS_A_WEEK.search(text, start, end)
    if weekly:
        bounds = compared(weekly["symbol"] or "≥", number(weekly["value"]))
        return bounds, "days", "days per week", weekly.start(), weekly.end()
    for found in _EXPOSURE.finditer(text, start, end):
        if r.in_exception(found.start()):
            continue
        span_like = text[found.end("unit") : found.end("unit") + 30]
        if (
            re.match(
                r"[)\s,]*(?:prior|before|preceding|ago|previous|of\s+(?:screening|baseline|randomi|study|enrol|inclusion)|from|since)",
                span_like,
            )
            and not found["words"]
        ):
            continue
        words, after, symbol = found["words"], found["after"], found["symbol"]
        if re.match(r"\s*(?:after|following|post)\b", span_like) and not words:
            # "resumed ≤ 12 weeks after the washout" is a time, no amount
            continue
        left = text[max(0, found.start() - 40) : found.start()]
        if re.search(r"\blast(?:ing|ed)\s+(?:over|beyond)\s*$", left):
            symbol = ">"
        if not (
            words
            or after
            or re.search(r"consecutive|continuous|cumulative", found.group())
            or (symbol and re.search(r"\b(?:for|exposure|duration|lasting|lasted)\b[^.;,]{0,18}$", left))
            or (
                symbol in (("≥", ">") if r.sense == "forbid" else ("≥", ">", "≤"))
                and re.search(r"\btreat\w*\b[^.;,]{0,18}$", left)
            )
        ):
            continue
        if re.search(r"(?:last|past|previous|prior|within|preceding)\s*(?:the\s+)?$", left):
            continue
        if after and re.search(r"\bless|shorter", after):
            continue
        value = number(found["value"])
        if symbol is None and after is None:
            continue
        bounds = compared(symbol or "≥", value)
        around = text[max(0, found.start() - 50) : found.end() + 40]
        measure = "course" if re.search(r"consecutive|continuous", around) else "exposure"
        return bounds, unit_of(found["unit"]), measure, found.start(), found.end()
    return None


def _segments(r: Reading, clause_start: int, clause_end: int, mentions: list[Mention]) -> list[_Segment]:
    """Which window belongs to which drugs: a list is closed by the window behind it; a window before opens one."""
    text = r.text
    windows = [s for s in r.spans if clause_start <= s.start < clause_end and s.role in ("back", "since")]
    if r.sense == "forbid":
        windows += [
            s
            for s in r.spans
            if clause_start <= s.start < clause_end
            and s.role in ("for", "other")
            and re.search(r"\bfor\s*(?:the\s+)?$|\(\s*$", text[max(0, s.start - 8) : s.start])
            and re.match(r"\s*(?:prior|before|\)|for\b)", text[s.end :])
        ]
        windows += [
            s
            for s in r.spans
            if clause_start <= s.start < clause_end
            and s.role in ("other", "for")
            and s not in windows
            and _TABLE_END.match(text, s.end)
            and any(
                m.end <= s.start
                and _TABLE_GAP.fullmatch(text, m.end, s.start - (1 if s.symbol == "≥" else 0))
                and (s.symbol != "≥" or r.head)
                for m in mentions
            )
        ]
    exposure = _exposure(r, clause_start, clause_end)
    if exposure:
        windows = [w for w in windows if not (w.start < exposure[4] and exposure[3] < w.end)]
    if re.search(r"\belapsed\b", text[clause_start:clause_end]):
        waits = [s for s in r.spans if clause_start <= s.start < clause_end and s.symbol in ("≥", ">")]
        if waits and mentions:
            return [_Segment(mentions, waits[0], False, clause_end)]
    windows = [w for w in windows if not re.match(r"\s*(?:of\s+age|old)", text[w.end :])]
    # "unless on a stable dose for 30 days before screening" times the exception, not the drug.
    unless = [zone for zone in r.exception_zones if _EXCEPT_WHEN.match(text, zone[0])]
    windows = [w for w in windows if not any(a <= w.start < b for a, b in unless)]
    evers = [(m.start(), m.end()) for m in _EVER.finditer(text, clause_start, clause_end)]
    items: list[tuple[int, str, object]] = [(m.start, "drug", m) for m in mentions]
    items += [(w.start, "window", w) for w in windows]
    items += [(a, "ever", (a, b)) for a, b in evers]
    items.sort(key=lambda item: item[0])
    out: list[_Segment] = []
    collected: list[Mention] = []
    pending: Span | None = None
    closed = False
    last_closing: _Segment | None = None
    for position, kind, item in items:
        if kind == "drug":
            if closed and last_closing and _belongs_behind(text, last_closing.end, position):
                # "Immunosuppressants in the past year (azathioprine, methotrexate)"
                last_closing.mentions.append(item)  # type: ignore[arg-type]
                continue
            own_exposure = (
                exposure
                and 0 <= exposure[3] - item.end < 26
                and re.fullmatch(
                    r"\s*(?:exposure|treatment|use|therapy)\s*(?:of|for)?\s*(?:(?:ms|multiple sclerosis)\s*)?",
                    text[item.end : exposure[3]],
                )
            )  # type: ignore[attr-defined]
            if own_exposure and collected and re.search(r"\bor\s+$", text[:position]):
                out.append(_Segment(collected, pending, False, position))
                collected, pending = [], None
            if (
                exposure
                and collected
                and collected[-1].end <= exposure[3]
                and exposure[4] <= position
                and re.match(r"[\s,]*or\s+(?:any|other)\b", text[exposure[4] : position])
            ) or (
                collected
                and _NOW.search(text, clause_start, collected[0].start)
                and _OR_STARTED.match(text[collected[-1].end : position])
            ):
                out.append(_Segment(collected, pending, False, position))
                collected, pending = [], None
            if (
                pending
                and not collected
                and not _SPEAKS_OF_TREATMENT.search(text, clause_start, pending.start)
                and re.search(r"[a-z]{5}\s+(?:with)?in\b", text[clause_start : pending.start])
                and _OWN_VERB.search(text, pending.end, position)
            ):
                # "infarction within 6 months, heart failure, or treatment with X": another condition's time
                pending = None
            if (
                collected
                and _OR_WITH.match(text[collected[-1].end : position])
                and _PAST.search(text, clause_start, collected[0].start)
            ):
                # "Previous treatment with A or B, or with C in the last 2 years": the time is C's.
                out.append(_Segment(collected, pending, False, position))
                collected, pending = [], None
            if pending and not collected and _ANOTHER_HISTORY.search(text, pending.end, position):
                pending = None
            collected.append(item)  # type: ignore[arg-type]
            closed = False
        elif kind == "window":
            window: Span = item  # type: ignore[assignment]
            for_drug = _FOR_DRUG.match(text, window.end)
            following = [m for m in mentions if for_drug and 0 <= m.start - for_drug.end() < 30]
            if (
                following
                and (collected or out)
                and not re.match(r"\s*for\s+(?:relapses?|ms\b|the treatment)", text[window.end :])
            ):
                # "(1 month for fluoxetine)": an own window for the drug that follows
                if collected:
                    out.append(_Segment(collected, pending, False, position))
                    collected, pending = [], None
                pending = window
                continue
            if collected:
                segment = _Segment(collected, window, False, window.end)
                out.append(segment)
                collected, pending, closed, last_closing = [], None, True, segment
            elif (
                closed
                and last_closing
                and re.match(r"[^a-z]*(?:or|and|whichever)\b", text[last_closing.end : window.start])
                and window.start - last_closing.end < 30
            ):
                continue
            else:
                pending = window
        else:
            begin, end = item  # type: ignore[misc]
            if collected and re.search(r"[,;]\s*(?:or|and)\b.*\d", text[collected[-1].end : begin]):
                # "… taking X, or a pulse < 45 before randomisation": another condition's time
                continue
            if collected:
                out.append(_Segment(collected, None, True, end))
                collected, pending, closed = [], None, True
            else:
                pending = None
    if collected:
        out.append(_Segment(collected, pending, False, clause_end))
    head = [s for s in r.head_spans if s.role in ("back", "since")]
    if head and clause_start == 0:
        out = [s._replace(window=head[-1]) if s.window is None and not s.is_ever else s for s in out]
    # "A within 3 months, B within 6 months": what a bracket repeats belongs to its drug
    return [s for s in out if s.mentions]


def therapies(r: Reading) -> list[Constraint]:
    """therapy.*: what must or must not have been taken, when, for how long, with what exceptions."""
    out: list[Constraint] = []
    if (
        any(m.family == "drug" for m in r.mentions)
        or "naive" in r.text
        or "untreated" in r.text
        or "no therapy" in r.text
    ):
        for index, (clause_start, clause_end) in enumerate(r.clauses):
            if "wash" in r.text[clause_start:clause_end]:
                timed = _timed_washouts(r, clause_start, clause_end)
                if timed:
                    out.extend(timed)
                    continue
            allowed = _ALLOWED_AFTER.search(r.text, clause_start, clause_end)
            if allowed or r.permits(clause_start, clause_end):
                out.extend(_allowed_after(r, clause_start, allowed) if allowed else ())
                continue
            if r.sense == "require":
                out.extend(_required(r, clause_start, clause_end))
            else:
                _listed(r, out, _forbidden(r, clause_start, clause_end, index))
    out.extend(_participation(r, out))
    studies = [c for c in out if c.kind == "other_investigational_drug"]
    if len(studies) > 1 and any(c.window_value is not None for c in studies):
        # "Any investigational drug within 5 months, or an experimental procedure": the time is said once.
        out = [
            c
            for c in out
            if c.kind != "other_investigational_drug" or c.window_value is not None or c is studies[0]
        ]
    return out


def _allowed_after(r: Reading, clause_start: int, allowed: re.Match) -> Iterator[Constraint]:
    """An allowance that depends on the time since the drug is a washout."""
    named = [m for m in _usable(r, clause_start, allowed.start()) if m.term != INVESTIGATIONAL]
    span = next((s for s in r.spans if allowed.start("time") <= s.start < allowed.end()), None)
    if named and span is not None:
        kind = ("steroid_use_forbidden", "therapy.steroids") if all(m.term in STEROIDS for m in named) else ("washout", "therapy.washout")  # fmt: skip
        yield Constraint(
            kind[0], r.sense, named[0].start, allowed.end(), kind[1], window_value=span.value, window_unit=span.unit,
            window_anchor=span.anchor, terms=_terms(named, r),
        )  # fmt: skip


_WASHOUT = re.compile(r"\bwash(?:ed)?\s*-?\s*out\b(?:\s+(?:period|time|interval|phase)s?)?")


def _timed_washouts(r: Reading, clause_start: int, clause_end: int) -> list[Constraint]:
    """ "… with a washout of 4 weeks for interferon beta, 8 weeks for dimethyl fumarate and 6 months for natalizumab";
    "if previously treated with natalizumab, a wash-out of 2 months is required"."""
    text = r.text
    times = [s for s in r.spans if clause_start <= s.start < clause_end]
    named = [m for m in r.mentions if m.family == "drug" and clause_start <= m.start < clause_end]
    spans = [s for s in times if re.match(r"\s*for\s", text[s.end : s.end + 6])]
    out = []
    for index, span in enumerate(spans):
        stop = spans[index + 1].start if index + 1 < len(spans) else clause_end
        drugs_of = [m for m in named if span.end <= m.start < stop]
        if drugs_of:
            out.append(_washed_out(r, span, drugs_of, span.start, drugs_of[-1].end))
    word = _WASHOUT.search(text, clause_start, clause_end)
    if (
        not out
        and word
        and len(times) == 1
        and named
        and _WASHOUT_GAP.search(text[min(word.start(), times[0].start) : max(word.end(), times[0].end)])
    ):
        start, end = (
            min(named[0].start, word.start(), times[0].start),
            max(named[-1].end, word.end(), times[0].end),
        )
        out.append(_washed_out(r, times[0], named, start, end))
    return out


# "a washout period of at least 4 weeks", "4 weeks washout"
_WASHOUT_GAP = re.compile(
    rf"^wash.{{3,20}}?\s*(?:of|for|is|was|must be|[(:,])*\s*(?:approximately\s+)?[≥>]?\s*{NUMBER}|{UNIT}\s*-?\s*wash"
)


def _washed_out(r: Reading, span: Span, drugs_of: list[Mention], start: int, end: int) -> Constraint:
    kind, rule = "washout", "therapy.washout"
    if all(m.term in STEROIDS for m in drugs_of):
        kind, rule = "steroid_use_forbidden", "therapy.steroids"
    elif all(m.term == INVESTIGATIONAL for m in drugs_of):
        kind, rule = "other_investigational_drug", "therapy.investigational"
    return Constraint(
        kind, r.sense, start, end, rule, window_value=span.value, window_unit=span.unit,
        window_anchor=span.anchor, terms=_terms(drugs_of, r),
    )  # fmt: skip


def _listed(r: Reading, out: list[Constraint], more: list[Constraint]) -> None:
    """Add constraints; a list that semicolons separate ("prior treatment with: A; B; C") is one."""
    for c in more:
        last = out[-1] if out else None
        if (
            last is not None
            and last.kind == c.kind
            and c.kind in ("prior_therapy_forbidden", "concomitant_therapy_forbidden")
            and last.measure is None
            and c.measure is None
            and last.term_logic == c.term_logic == "any"
            and not re.match(r"(?:prior|previous)", r.text[c.start :])
            and not last.exceptions
            and not last.is_qualified
            and re.fullmatch(r"[\s;,:]*(?:(?:and|or|any|other|therapeutic)\s+)*", r.text[last.end : c.start])
        ):
            terms = tuple(dict.fromkeys((*last.terms, *c.terms)))
            out[-1] = c._replace(start=last.start, terms=terms)
        else:
            out.append(c)


# ------------------------------------------------------------------------------------------------------------ excluded
def _forbidden(r: Reading, clause_start: int, clause_end: int, index: int) -> list[Constraint]:
    text, out = r.text, []
    clause = text[clause_start:clause_end]
    mentions = _usable(r, clause_start, clause_end)
    if not mentions:
        return []
    # An introduction lends its words only where it speaks of treatment ("Patients who have been treated with:").
    head = r.head if re.search(r"treat|therap|medicat|drug|receiv|\buse|taken|taking|expos", r.head) else ""
    # "… treated with: A; B within 6 months": words of an earlier clause, unless this one has its own.
    has_verb = re.search(
        r"\b(?:treat\w*|therap\w*|use|using|receiv\w*|taking|on)\b", text[clause_start : mentions[0].start]
    )
    head_words = head + " " + (text[:clause_start] if index and not has_verb else "")
    excepted = [
        m
        for m in r.mentions
        if m.family == "drug" and clause_start <= m.start < clause_end and r.in_exception(m.start)
    ]
    # "or any time if accelerated elimination was done" is how it leaves the body, no treatment.
    eliminated = [m for m in mentions if m.term == "accelerated elimination"]
    excepted += eliminated
    mentions = [m for m in mentions if m not in eliminated and not r.in_exception(m.start)]
    if not mentions or _NO_WASHOUT.search(text, mentions[-1].end, clause_end):
        return []
    if re.search(
        r"\b(?:have|has|had)\s+not\b|\bdid\s+not\b|\bnot\s+(?:currently\s+)?(?:been\s+)?(?:treated|receiv\w+|on|taking)\b|\bnever\s+(?:been\s+)?(?:treated|received|taken|used)\b|\bfail\w*\s+to\b",
        text[clause_start : mentions[0].start],
    ) and not re.search(r"\b(?:must|may|should)\s+not\b", clause):
        return []
    if re.search(r"^\W*(?:unless|women|females?|wocbp|men\b|male|sexually)", clause) and re.search(
        r"contracepti|childbearing|child-bearing|birth control", clause
    ):
        return []
    if re.search(r"contraceptive method|method of contraception|birth control", clause):
        return []
    exceptions = r.exceptions_in(clause_start, clause_end)
    exception_terms = tuple(dict.fromkeys(m.term for m in excepted))
    each = _RESPECTIVELY.search(text, mentions[-1].end, clause_end)
    if each:
        # "A, B or C in the 2, 3 and 6 months before, respectively": each has its own time, or the numbers do not fit.
        values = re.findall(r"\d+", each["values"])
        anchor = anchor_after(text, each.end("unit"))
        if len(values) != len(mentions):
            return []
        return [
            Constraint(
                "steroid_use_forbidden" if m.term in STEROIDS else "washout", "forbid", m.start, each.end("unit"),
                "therapy.steroids" if m.term in STEROIDS else "therapy.washout", window_value=float(value), window_unit=unit_of(each["unit"]),
                window_anchor=anchor, terms=_terms([m], r),
            )
            for m, value in zip(mentions, values, strict=True)
        ]  # fmt: skip
    segments = _segments(r, clause_start, clause_end, mentions)
    exposure = _exposure(r, clause_start, clause_end)
    for number_of, segment in enumerate(segments):
        first = segment.mentions[0].start
        last = max(m.end for m in segment.mentions)
        terms = _terms(segment.mentions, r)
        begin = _verb_start(r, clause_start, first) if number_of == 0 else first
        before = text[clause_start:first] if number_of == 0 else text[clause_start:last]
        local = text[segments[number_of - 1].end : first] if number_of else ""
        words = before + " " + text[last : min(clause_end, last + 50)]
        prior = _PRIOR.search(words) or _PRIOR.search(head_words)
        strict = (
            _PRIOR_STRICT.search(before)
            or _PRIOR_STRICT.search(head_words)
            or _PRIOR_STRICT.search(text[last : min(clause_end, last + 30)])
        )
        current = (
            _CURRENT.search(words)
            or _CURRENT.search(head)
            or _INTERACTING.search(before)
            or re.match(r"\W*any\s+(?:other\s+|concomitant\s+)?(?:medication|drug)s?\b", clause)
        )
        tail = before.rpartition(",")[2] if "," in before else ""
        if (_NOW.search(local or tail) and not _PAST.search(local or tail)) or (
            (_NOW.search(before) or before.endswith(" on ")) and not _PAST.search(before)
        ):
            prior, strict, current = None, None, True
        if _JUST_NOW.search(before):
            prior, strict, current = None, None, True
        elif _AT_ANY_TIME.search(before) and window_free(segment):
            segment = segment._replace(is_ever=True)
        if strict and strict.group() == "treated" and not _treats_ms(terms) and not _PAST.search(before):
            strict = None
        if prior and not strict and not segment.is_ever and not _treats_ms(terms):
            prior, current = None, True
        if (
            window_free(segment)
            and _STABLE_EXCEPTION.search(text, last, clause_end)
            and not _treats_ms(terms)
        ):
            prior, strict, current = None, None, True
        window = segment.window
        end = max(last, window.end) if window and window.start >= first else last
        begin = (
            min(begin, window.start)
            if window and clause_start <= window.start < first and window in r.spans
            else begin
        )
        if _BEGUN_LONG_AGO.match(text, last):
            continue
        if window is None and _HALF_LIVES.match(text, last):
            # A time in half-lives is no number of days, and "ever" would say more than the text.
            continue
        bounds, unit, measure = Bounds(None, None, None, None), None, None
        following = segments[number_of + 1].mentions[0].start if number_of + 1 < len(segments) else clause_end
        if (
            exposure
            and (exposure[3] >= first or number_of == 0)
            and exposure[3] <= min(segment.end + 60, following)
            and not first < exposure[3] < last
        ):
            bounds, unit, measure = exposure[0], exposure[1], exposure[2]
            end = max(end, exposure[4])
        counted = _TRIED.search(text[clause_start:first]) if number_of == 0 else None
        if (
            counted
            and measure is None
            and (counted["symbol"] or counted["more"])
            and len(text[clause_start:first]) - counted.start() < 40
        ):
            bounds = compared(counted["symbol"] or "≥", float(counted["value"]))
            unit, measure = "count", "therapies"
        courses = _COURSES_OF.search(text[clause_start:first]) if number_of == 0 else None
        if courses and measure is None:
            bounds, unit, measure = (
                compared(courses["symbol"] or "≥", float(courses["value"])),
                "count",
                "courses",
            )
            begin = clause_start + courses.start()
        passed = _UNLESS_PASSED.search(text, last, clause_end) if window is None else None
        if passed:
            # "Prior X unless at least 12 months have passed" is a washout.
            window = next((s for s in r.spans if passed.start() <= s.start < passed.end()), None)
            end = max(end, passed.end())
        both = _BOTH.search(text[clause_start:first]) and len(terms) >= 2
        fields = {
            "terms": terms, "exception_terms": exception_terms, "exceptions": () if passed else exceptions,
            "is_qualified": (bool(exceptions) and not exception_terms and not passed)
            or bool(exposure and first < exposure[3] < last)
            or (window is not None and (_BEGIN.search(text, clause_start, first) or _BEGUN.match(text, last)) is not None)
            or bool(_NARROWED.match(text, last))
            or bool(re.search(r"\b(?:fail\w*|progress\w*|refractory)\s+(?:\w+\s+)?(?:with|of|on|to|after)\b", before[-44:]))
            or bool(re.search(r"[≥>]\s*\d+\s*(?:days?|times?|tablets?)\s*(?:per|a|each|/)\s*(?:month|day)", clause)),
        }  # fmt: skip
        if both and window is None:
            specific = tuple(t for t in terms if t != "ms disease-modifying therapy")
            out.append(
                Constraint(
                    "prior_therapy_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.prior_forbidden",
                    2,
                    True,
                    unit="count",
                    measure="therapies",
                    window_anchor="ever",
                    term_logic="all",
                    **{**fields, "terms": specific or terms},
                )
            )
            continue
        own = segment.mentions
        only_steroids = all(m.term in STEROIDS for m in own)
        only_investigational = all(m.term == INVESTIGATIONAL for m in own)
        measured = {
            "min_value": bounds.min_value,
            "min_inclusive": bounds.min_inclusive,
            "max_value": bounds.max_value,
            "max_inclusive": bounds.max_inclusive,
            "unit": unit,
            "measure": measure,
        }
        if only_investigational:
            out.append(
                Constraint(
                    "other_investigational_drug",
                    "forbid",
                    begin,
                    end,
                    "therapy.investigational",
                    **_when(window, bool(prior)),
                    **{**fields, "terms": (INVESTIGATIONAL,)},
                )
            )
            continue
        if _DOSE_CHANGE.search(before) or _DOSE_CHANGED.search(text, last, clause_end):
            out.append(
                Constraint(
                    "concomitant_therapy_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.concomitant",
                    **_when(window, False),
                    **{**fields, "is_qualified": True},
                )
            )
            continue
        if only_steroids:
            if window is None and not (
                prior
                or current
                or measure
                or re.search(r"chronic|systemic|long[- ]term|regular", clause)
                or r.head
            ):
                continue
            out.append(
                Constraint(
                    "steroid_use_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.steroids",
                    **measured,
                    **_when(window, segment.is_ever),
                    **fields,
                )
            )
            continue
        if window is None and all(m.term == "vaccine" for m in own):
            continue
        if window is not None:
            out.append(
                Constraint(
                    "washout",
                    "forbid",
                    begin,
                    end,
                    "therapy.washout",
                    **measured,
                    **_when(window, False),
                    **fields,
                )
            )
            if _AND_CURRENT.search(before + text[first : min(clause_end, end)]) and re.search(
                r"\b(?:concomitant|concurrent)\s+(?:treatment|therapy|use)\b[^.;]{0,80}\bat\s+(?:inclusion|screening|baseline|enrol\w+|entry)\s+or\s+(?:with)?in\b|\bor\s+(?:concomitant|concurrent|current|ongoing)|\bcurrent\w*\b[^.;]{0,90}\bor\s+(?:has|have|had)\s+(?:\w+\s+)?(?:used|taken|received|been)|(?:concomitant|concurrent|current|ongoing)\w*\s*(?:,|or|and|/)",
                clause,
            ):
                out.append(
                    Constraint(
                        "concomitant_therapy_forbidden", "forbid", begin, end, "therapy.concomitant", **fields
                    )
                )
            continue
        if _PRIOR_AND_CURRENT.search(before) and (segment.is_ever or (prior and strict)):
            out.append(
                Constraint(
                    "concomitant_therapy_forbidden", "forbid", begin, end, "therapy.concomitant", **fields
                )
            )
        if segment.is_ever or (prior and strict):
            out.append(
                Constraint(
                    "prior_therapy_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.prior_forbidden",
                    **measured,
                    window_anchor="ever",
                    **fields,
                )
            )
            continue
        if (
            not current
            and not prior
            and _PROCEDURES.issuperset(terms)
            and not re.search(r"[a-z]", text[clause_start:first])
        ):
            # A transplantation in a list of exclusions: having had one.
            out.append(
                Constraint("prior_therapy_forbidden", "forbid", begin, end, "therapy.prior_forbidden", window_anchor="ever", **fields)
            )  # fmt: skip
            continue
        if measure == "days per week":
            out.append(
                Constraint(
                    "concomitant_therapy_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.concomitant",
                    **measured,
                    **fields,
                )
            )
            continue
        if measure:
            out.append(
                Constraint(
                    "prior_therapy_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.prior_forbidden",
                    **measured,
                    window_anchor="ever",
                    **fields,
                )
            )
            continue
        if current:
            out.append(
                Constraint(
                    "concomitant_therapy_forbidden", "forbid", begin, end, "therapy.concomitant", **fields
                )
            )
            continue
        if prior:
            out.append(
                Constraint(
                    "prior_therapy_forbidden",
                    "forbid",
                    begin,
                    end,
                    "therapy.prior_forbidden",
                    window_anchor="ever",
                    **fields,
                )
            )
    return out


@lru_cache(maxsize=1)
def _ms_drugs() -> frozenset[str]:
    named = drugs.drugs().filter(
        pl.col("is_dmt") | pl.col("groups").str.contains("immunosuppressant|cytotoxic|cell_depleting")
    )["inn"]
    return frozenset(named) | _MS_CLASSES


# Classes of which "treatment with …" without a time means ever; of any other drug it means now.
_MS_CLASSES = frozenset(
    ("ms disease-modifying therapy", "immunosuppressant", "immunomodulator", "interferon", "monoclonal antibody", "cytotoxic therapy",
     "chemotherapy", "cell-depleting therapy", "b-cell-depleting therapy", "anti-cd20 antibody", "anti-cd4 antibody", "s1p receptor modulator",
     "stem cell transplantation", "bone marrow transplantation", "total lymphoid irradiation", "total body irradiation", "transplantation",
     "t cell vaccination", "t cell receptor vaccination", "bone marrow ablation", "fumaric acid esters", "intravenous immunoglobulin")
)  # fmt: skip


_PROCEDURES = frozenset(
    ("stem cell transplantation", "bone marrow transplantation", "autologous bone marrow transplantation", "allogeneic bone marrow transplantation",
     "total lymphoid irradiation", "total body irradiation", "bone marrow ablation", "t cell vaccination", "t cell receptor vaccination")
)  # fmt: skip


def _treats_ms(terms: tuple[str, ...]) -> bool:
    return any(t in _ms_drugs() for t in terms)


def _when(window: Span | None, is_ever: bool) -> dict:
    if window is None:
        return {"window_anchor": "ever"} if is_ever else {}
    return {
        "window_value": window.value, "window_unit": window.unit, "window_near_value": window.near,
        "window_near_unit": window.near_unit, "window_anchor": window.anchor,
    }  # fmt: skip


def _verb_start(r: Reading, clause_start: int, first: int) -> int:
    found = None
    for found in re.finditer(
        r"\b(?:prior|previous|previously|use|treatment|treated|therapy|history|concomitant|concurrent|current|currently|received|receiving|any|exposure|stable|patients|subjects)\b",
        r.text[clause_start:first],
    ):
        return clause_start + found.start()
    return first


# ------------------------------------------------------------------------------------------------------------ required
_THERAPY_VERB = re.compile(
    r"\b(?:treated|treatment|therapy|receiv\w+|taking|taken|on|stable|tried|failed|failure|prior|previous\w*|history|use[sd]?|using|dose|dosing|exposure|started|initiated|completed|been)\b"
)
_SUBGROUP = re.compile(
    r"^\W*for\s+(?:participants|patients|subjects|those)\s+(?:who\s+are\s+)?(?:currently\s+)?(?:on|taking|receiving|using|treated\s+with)\b|\b(?:if|those|patients|subjects|participants|individuals|who\s+are)\s+(?:\w+\s+){0,4}?(?:on|taking|receiving|using|treated\s+with)\b[^.;]{0,120}?\b(?:must|should|need|are\s+required|have\s+to|will|is\s+required)\b|^\W*if\b|\bif\s+(?:used|applicable|prescribed|any|needed)\b|\bif\s+(?:on|taking|receiving|using|treated|the\s+patient|patients|subjects?)\b"
)
_OR_TREATED = re.compile(
    r"\bor\s+(?:(?:have|has|had|been|be|is|are|were|previously|only)\s+)*(?:treated|receiv\w+|exposed|taking|stable)\b"
)
# "Not on a DMT, or stable for 3 months": the time is the other alternative's.
_OR_STABLE = re.compile(r"\bor\s+(?:\w+\s+){0,3}?stable\b")
# "natalizumab-naive"
_DRUG_NAIVE = re.compile(
    r"\s*-?\s*(?:treatment\s*-?\s*|therapy\s*-?\s*)?(?:naive|naïve)\b(?!\s+(?:to|of|for)\b)"
)
_STILL_WITHOUT = re.compile(r"\bno\s+(?:ms\s+|current\s+|immunomodulatory\s+)?(?:therapy|treatment)\s+for\b")


def _required(r: Reading, clause_start: int, clause_end: int) -> list[Constraint]:
    text, out = r.text, []
    clause = text[clause_start:clause_end]
    mentions = [m for m in _usable(r, clause_start, clause_end) if not r.in_exception(m.start)]
    spans = [s for s in r.spans if clause_start <= s.start < clause_end]
    without = _STILL_WITHOUT.search(text, clause_start, clause_end)
    if without:
        following = [s for s in spans if s.start >= without.start()]
        if following:
            span = following[0]
            anchor = span.anchor or next((s.anchor for s in spans if s.anchor), None)
            out.append(
                Constraint(
                    "washout",
                    "require",
                    without.start(),
                    span.end,
                    "therapy.washout",
                    window_value=span.value,
                    window_unit=span.unit,
                    window_anchor=anchor,
                    terms=("ms disease-modifying therapy",),
                )
            )
            mentions = [m for m in mentions if m.start < without.start()]
            spans = [s for s in spans if s.start < without.start()]
    naive = _NAIVE.search(text, clause_start, clause_end)
    never = [
        m
        for m in r.mentions
        if m.family == "drug" and clause_start <= m.start < clause_end and _DRUG_NAIVE.match(text, m.end)
    ]
    mentions = [m for m in mentions if m not in never]
    if never and naive and naive.start() - never[-1].end < 4:
        naive = None
    if never and (not naive or not never[-1].start <= naive.start() < never[-1].end):
        end = _DRUG_NAIVE.match(text, never[-1].end).end()
        out.append(
            Constraint("prior_therapy_forbidden", "require", never[0].start, end, "therapy.naive", window_anchor="ever", terms=_terms(never, r))
        )  # fmt: skip
    cap = _CAP_COUNT.search(text, clause_start, clause_end)
    if cap and mentions:
        terms = _terms(mentions, r)
        specific = tuple(t for t in terms if t != "ms disease-modifying therapy") or terms
        out.append(
            Constraint(
                "prior_therapy_forbidden",
                "require",
                cap.start(),
                max(cap.end(), mentions[-1].end),
                "therapy.cap",
                None,
                None,
                float(cap["value"]),
                cap["symbol"] == "≤",
                "count",
                "therapies",
                window_anchor="ever",
                terms=specific,
            )
        )
        return out
    if naive and r.is_ms:
        only = re.search(r"\btreated\s+(?:only|exclusively|solely)\s+with\b", text[naive.end() : clause_end])
        if only and not mentions:
            # "Untreated, or treated only with interferons": any other therapy excludes.
            excepted = [m for m in r.mentions if m.family == "drug" and naive.end() <= m.start < clause_end]
            end = excepted[-1].end if excepted else naive.end() + only.end()
            return [
                Constraint(
                    "prior_therapy_forbidden", "require", naive.start(), end, "therapy.naive", window_anchor="ever",
                    terms=("ms disease-modifying therapy",), exception_terms=tuple(dict.fromkeys(m.term for m in excepted)),
                )
            ]  # fmt: skip
        # "Treatment-naive or on interferon" names both alternatives, "treatment-naive" alone is the demand.
        behind = next((m for m in mentions if m.start >= naive.end()), None)
        alternative = (
            behind is not None and re.search(r"\bor\b", text[naive.end() : behind.start]) is not None
        ) or (behind is not None and _OR_TREATED.search(text, naive.end(), mentions[-1].start) is not None)
        limited = _exposure(r, naive.end(), clause_end) if alternative else None
        if limited and limited[0].max_value is not None:
            # "Naive, or treated for at most 36 months": one limit, which who is naive keeps
            bounds, unit, measure, _, end = limited
            return [
                *out,
                Constraint(
                    "prior_therapy_forbidden", "require", naive.start(), end, "therapy.cap", *bounds, unit, measure, window_anchor="ever",
                    terms=_terms(mentions, r),
                ),
            ]  # fmt: skip
        elif alternative or (not mentions and re.search(r"\bor\b", text[naive.end() : clause_end]) is None):
            out.append(
                Constraint(
                    "prior_therapy_forbidden",
                    "require",
                    naive.start(),
                    naive.end(),
                    "therapy.naive",
                    window_anchor="ever",
                    terms=("ms disease-modifying therapy",),
                )
            )
        if mentions and all(naive.start() <= m.start < naive.end() for m in mentions):
            out.append(
                Constraint(
                    "prior_therapy_forbidden",
                    "require",
                    naive.start(),
                    naive.end(),
                    "therapy.naive",
                    window_anchor="ever",
                    terms=("ms disease-modifying therapy",),
                )
            )
            return out
        if not mentions:
            return out
    if (
        not mentions
        or _SUBGROUP.search(clause)
        or (re.match(r"\W*however\b", clause) and "since" not in clause)
    ):
        return out
    if re.search(r"contracepti|birth control|childbearing|child-bearing", clause):
        return out
    # Groups of names with what is denied and what is asked for kept apart ("on X … and no Y").
    runs: list[list[Mention]] = [[mentions[0]]]
    for m in mentions[1:]:
        between = text[runs[-1][-1].end : m.start]
        if (
            _NEGATIVE.search(between)
            or len(between) > 90
            or re.search(
                r"\bsince\b|\bmust\b|\bfollowed\b|\bincluding\s+(?:≥\s*)?\d+\s*\w+\s+of\b|\band\s+(?:at least\s+|≥\s*\d\s+)?(?:an)?other\b|\bor\s+(?:\w+\s+)?(?:on|treated|stable)\b",
                between,
            )
        ):
            runs.append([m])
        else:
            runs[-1].append(m)
    if len(runs) > 1 and re.search(r"\bincluding\s+(?:≥\s*)?\d+\s*\w+\s+of\s+$", text[: runs[1][0].start]):
        # "Treated with a DMT, including 6 months of interferon" asks for the latter.
        runs.pop(0)
    none = _OR_NONE.search(text, runs[-1][-1].end, clause_end)
    for index, run in enumerate(runs):
        first, last = run[0].start, run[-1].end
        lower = runs[index - 1][-1].end if index else naive.end() if naive and out else clause_start
        before = text[lower:first]
        upper = runs[index + 1][0].start if index + 1 < len(runs) else clause_end
        out.extend(_one_required(r, run, clause_start, lower, upper, before, first, last))
    if none and out and out[-1].kind == "prior_therapy_required":
        # "On interferon for 6 months, or no treatment", "… or untreated for 1 year"
        span = next((s for s in r.spans if 0 <= s.start - none.end() < 12), None) if none["timed"] else None
        if span is not None and not any(c.kind == "washout" for c in out):
            out.append(
                Constraint("washout", "require", none.start(1), span.end, "therapy.washout", **_when(span, False), terms=("ms disease-modifying therapy",))
            )  # fmt: skip
        if none["timed"]:
            return out
        out.append(
            Constraint("concomitant_therapy_forbidden", "require", none.start(1), none.end(), "therapy.concomitant", terms=("ms disease-modifying therapy",))
        )  # fmt: skip
    return out


_OR_NONE = re.compile(
    r"\bor\s+(?:be\s+|are\s+|on\s+|currently\s+|receiving\s+)*((?:no|without|not\s+(?:on|receiving|taking))\s+(?:an?y?\s+|ms\s+|current\s+|specific\s+|disease[- ]modifying\s+)*(?:treatment|therapy|dmts?|medication)\b|untreated\b|off\s+(?:treatment|therapy)\b|neither\b|none\b)(?P<timed>\s+(?:for|in|within)\b)?"
)


# "Treatment with one of the following for at least 6 months:"
_INTRODUCES_THERAPY = re.compile(
    r"\b(?:treated\s+with|treatment\s+with|therapy\s+with|receiv(?:ed|ing)|taking|on)\s+(?:\w+\s+){0,2}?(?:≥\s*)?(?:\d\s+)?(?:or\s+more\s+)?(?:of\s+)?(?:the\s+following|these)\b"
)
_STOPPED = re.compile(
    r"\b(?:discontinu\w+|stopp\w+|ceased|last\s+(?:dose|infusion|injection|course|administration|intake|treatment))\s+(?:of\s+|with\s+|the\s+|treatment\s+|therapy\s+|any\s+)*$"
)
_WHILE_ON = re.compile(
    r"\b(?:while|when|during|despite)\s+(?:\w+\s+){0,2}?(?:on|taking|receiving|under|using|treated\s+with|treatment\s+with|therapy\s+with)\s+(?:\w+\s+){0,3}$"
)
_IS_ALLOWED = re.compile(
    r"\s*(?:therapy|treatment|use|is|are|was|were|\s)*\b(?:allowed|permitted|acceptable|permissible)\b"
)
_STOPPED_AFTER = re.compile(
    r"\s*(?:treatment\s+|therapy\s+)?(?:must\s+(?:have\s+)?(?:be\s+|been\s+)?|has\s+been\s+|was\s+|is\s+|been\s+)?(?:discontinued|stopped)\b"
)


def _one_required(
    r: Reading,
    run: list[Mention],
    clause_start: int,
    lower: int,
    upper: int,
    before: str,
    first: int,
    last: int,
) -> list[Constraint]:
    text = r.text
    terms = _terms(run, r)
    after_spans = [s for s in r.spans if last - 1 <= s.start < upper]
    before_spans = [s for s in r.spans if lower <= s.start and s.end <= first]
    changes = re.search(
        r"\b(?:no|without)\s+(?:\w+\s+)?(?:change|modification|adjustment|alteration)s?\s+(?:in|of|to)\b",
        before,
    )
    only_steroids = all(m.term in STEROIDS for m in run)
    only_investigational = all(m.term == INVESTIGATIONAL for m in run)
    negative = _NEGATIVE.search(before[-110:])
    if negative and re.search(
        r"\bor\s+(?:on|treated|patients?|subjects?|who|currently|previously|receiving)\b",
        before[-110:][negative.end() :],
    ):
        negative = None
    if negative and _WHILE_ON.search(before):
        # "Free of relapses while on a DMT": the DMT is not what is absent.
        negative = None
    ago = next(
        (
            s
            for s in before_spans
            if s.symbol in ("≥", ">")
            and re.match(
                r"\s*(?:from|since|after)\s+(?:the\s+)?(?:prior|last|previous|completion|end|most recent)|\s*since\s+(?:any\s+|systemic\s+|oral\s+|iv\s+|therapy\s+with\s+|treatment\s+with\s+|use\s+of\s+|stopping\s+)*$",
                text[s.end : first],
            )
        ),
        None,
    )
    off = ("steroid_use_forbidden", "therapy.steroids") if only_steroids else ("washout", "therapy.washout")
    if only_investigational:
        off = ("other_investigational_drug", "therapy.investigational")
    if ago is not None:
        return [
            Constraint(
                off[0],
                "require",
                ago.start,
                last,
                off[1],
                window_value=ago.value,
                window_unit=ago.unit,
                window_anchor=anchor_after(text, last),
                terms=terms,
            )
        ]
    since = [s for s in before_spans if s.role == "since"]
    if since and re.search(
        r"since\s+(?:the\s+|their\s+)?(?:last|final|most recent|stopping|discontinu\w+)", before
    ):
        s = since[-1]
        return [
            Constraint(
                off[0],
                "require",
                s.start,
                last,
                off[1],
                window_value=s.value,
                window_unit=s.unit,
                window_anchor=s.anchor or anchor_after(text, last),
                terms=terms,
            )
        ]
    if _IS_ALLOWED.match(text, last) or _BEGUN.match(text, last):
        return []
    stopped = _STOPPED.search(before) or _STOPPED_AFTER.match(text, last)
    if re.search(r"\blast\s+$", before):
        stopped = stopped or re.compile(r"\s*(?:infusion|dose|injection|administration|course)\b").match(
            text, last
        )
    if _NOT_ALLOWED.match(text, last):
        window = next((s for s in after_spans if s.role == "back"), None)
        is_prior = re.search(r"\b(?:prior|previous\w*|earlier|history)\b", before) is not None
        if window is None and not is_prior:
            return []
        kind = off if window is not None else ("prior_therapy_forbidden", "therapy.prior_forbidden")
        end = max(last, window.end) if window else last
        return [
            Constraint(kind[0], "require", first, end, kind[1], **_when(window, window is None), terms=terms)
        ]
    if stopped:
        # "Stopped natalizumab at least 2 months before": washed out. "… within 6 months": had it lately, which no kind says.
        span = next((s for s in after_spans if s.start - last < 60), None)
        if span is None or (span.near is None and span.symbol not in ("≥", ">")):
            return []
        return [
            Constraint(
                off[0], "require", lower + stopped.start() if stopped.re is _STOPPED.compiled else first, span.end, off[1], terms=terms,
                window_value=span.value if span.near is None else span.near,
                window_unit=span.unit if span.near is None else span.near_unit, window_anchor=span.anchor,
            )
        ]  # fmt: skip
    if re.match(r"\s*or\s+not\b", text[last:]) or re.search(
        r"\b(?:eligible|candidates?|suitable)\s+for\s+or\b", before
    ):
        return []
    if negative:
        pick = (
            [
                s
                for s in after_spans
                if s.role in ("back", "for", "since")
                and s.start - last < 90
                and not _OR_STABLE.search(text, last, s.start)
            ]
            or [
                s
                for s in before_spans
                if s.role in ("back", "for")
                and s.start >= lower + max(0, len(before) - 110) + negative.start()
            ]
        )[:1]
        begin = lower + max(0, len(before) - 110) + negative.start()
        lasted = _exposure(r, last, upper) if re.search(r"\b(?:prior|previous)", before) else None
        if lasted and lasted[0].min_value is not None and not lasted[0].min_inclusive and _treats_ms(terms):
            # "No prior natalizumab for more than 6 months": what is longer is forbidden, whenever it was.
            return [
                Constraint(
                    "prior_therapy_forbidden", "require", begin, lasted[4], "therapy.prior_forbidden", *lasted[0],
                    lasted[1], lasted[2], window_anchor="ever", terms=terms,
                )
            ]  # fmt: skip
        if changes:
            window = next((s for s in after_spans if s.role in ("back", "for")), None)
            return [
                Constraint(
                    "concomitant_therapy_forbidden",
                    "require",
                    begin,
                    window.end if window else last,
                    "therapy.concomitant",
                    **_when(window, False),
                    terms=terms,
                    is_qualified=True,
                )
            ]
        end = max(last, pick[0].end) if pick and pick[0].start >= first else last
        window = pick[0] if pick else None
        if only_steroids and window is None:
            # "Stable for 30 days before screening, without steroids": one time for both
            times = [
                s
                for s in r.spans
                if clause_start <= s.start < r.clause(first)[1] and s.role in ("back", "for")
            ]
            if re.match(r"[^.;]{0,60}\bsame\s+(?:period|time)\b", text[last:]):
                window = next((s for s in reversed(r.spans) if s.role == "back" and s.end <= first), None)
            speaks = window is None and re.search(
                r"stable|stabili|relapse|exacerbat", text[clause_start:first]
            )
            if speaks and times and all((s.value, s.unit) == (times[0].value, times[0].unit) for s in times):
                window = times[0]
        if only_investigational:
            return [
                Constraint(
                    "other_investigational_drug",
                    "require",
                    begin,
                    end,
                    "therapy.investigational",
                    **_when(window, False),
                    terms=(INVESTIGATIONAL,),
                )
            ]
        if only_steroids:
            return [
                Constraint(
                    "steroid_use_forbidden",
                    "require",
                    begin,
                    end,
                    "therapy.steroids",
                    **_when(window, False),
                    terms=terms,
                )
            ]
        if window is not None:
            return [
                Constraint(
                    "washout", "require", begin, end, "therapy.washout", **_when(window, False), terms=terms
                )
            ]
        if re.search(
            r"\b(?:never|naive|naïve|prior|previous\w*|history|ever|untreated|not\s+(?:have\s+)?(?:ever\s+)?(?:been\s+)?(?:used|received|taken|exposed))\b|\b(?:have|has|had)\s+not\s+(?:been\s+)?(?:used|received|taken|treated|exposed)\b",
            before,
        ) or re.match(r"\s*(?:-?\s*naive|ever\b|at\s+any\s+time)", text[last:]):
            return [
                Constraint(
                    "prior_therapy_forbidden",
                    "require",
                    begin,
                    end,
                    "therapy.prior_forbidden",
                    window_anchor="ever",
                    terms=terms,
                )
            ]
        if re.search(
            r"\b(?:current\w*|concomitant\w*|concurrent\w*|taking|receiving|abstain\w*|use|on|treated|or\s+(?:no|not|without))\b|^\W*(?:either\s+)?no\s+$",
            before,
        ):
            return [
                Constraint(
                    "concomitant_therapy_forbidden",
                    "require",
                    begin,
                    end,
                    "therapy.concomitant",
                    terms=terms,
                    is_qualified=upper == r.clause(first)[1]
                    and _OR_STABLE.search(text, last, upper) is not None,
                )
            ]
        return []
    exposure = _exposure(r, clause_start, upper)
    if (
        exposure
        and exposure[0].max_value is not None
        and re.search(
            r"treated|exposure|received|treatment|prior|previous|\buse\b", before + text[last:upper]
        )
    ):
        bounds = exposure[0]
        return [
            Constraint(
                "prior_therapy_forbidden",
                "require",
                first,
                max(last, exposure[4]),
                "therapy.cap",
                *bounds,
                unit=exposure[1],
                measure="exposure",
                window_anchor="ever",
                terms=terms,
            )
        ]
    if only_investigational:
        return []
    if only_steroids and re.search(r"relaps|exacerbat|attack", text[clause_start:first]):
        return []
    listed = re.search(r"\band\s+(?:an)?other\b", before) is not None
    introduced = (
        r.head and not re.search(r"[a-z]", text[clause_start:first]) and _INTRODUCES_THERAPY.search(r.head)
    )
    if introduced:
        times = [s for s in after_spans if s.role in ("for", "back")] or [
            s for s in r.head_spans if s.role in ("for", "back")
        ]
        time = times[0] if times else None
        return [
            Constraint(
                "prior_therapy_required", "require", first, max(last, time.end) if time in after_spans else last, "therapy.prior_required",
                terms=terms, window_value=time.value if time else None, window_unit=time.unit if time else None,
                window_anchor=time.anchor if time else None,
            )
        ]  # fmt: skip
    if (
        r.sense == "require"
        and not _treats_ms(terms)
        and re.search(r"(?:\(\s*|,\s*|\b)(?:e\.g\.?|such as|for example|including)\s*,?\s*$", before)
        and all(n.start >= first for n in r.mentions if n.family == "drug")
    ):
        # "Stable dose of symptomatic medication (e.g. baclofen)" asks for no baclofen.
        return []
    if (
        not listed
        and not _COURSES_OF.search(before)
        and not _THERAPY_VERB.search(before)
        and not re.match(r"\s*(?:treatment|therapy|for\s+[≥≤]?\s*\d|treated|use)", text[last : last + 24])
    ):
        return []
    # A relapse on the drug is another rule's; the time on it is ours.
    on_relapse = re.search(
        r"\b(?:relapses?|relapsed|exacerbation|attacks?|lesions?|activity|edss|progression)\b[^.;]{0,90}\b(?:while|during|despite|on|under|after|following)\b[^.;]{0,60}$",
        text[clause_start:first],
    )
    duration = _duration(r, run, lower, upper, first, last)
    # "Activity despite treatment with X, that is:" asks for the treatment, its list for the relapse.
    despite = re.search(r"\bdespite\s+(?:\w+\s+)?(?:treatment|therapy)\b", before) and not re.search(
        r"relapses?\b|exacerbat|attack", r.text
    )
    if on_relapse and duration is None and not despite:
        return []
    failing = re.search(
        r"\b(?:fail\w*|despite|inadequate|suboptimal|breakthrough)\b", r.text[clause_start:first]
    ) and re.search(r"relapses?\b|exacerbat|attack", r.text[clause_start:upper])
    if failing and duration is None:
        return []
    if (
        on_relapse
        and duration is not None
        and not re.search(r"\bbeing\s+on\b|\bbeen\s+on\b|on\s+that\s+therapy", text[last : duration.start])
    ):
        return []
    tried = _TRIED.search(before)
    fields: dict = {}
    at_most = tried and re.search(r"([≤<])\s*$", before[: tried.start("value")])
    if tried and at_most:
        return [
            Constraint(
                "prior_therapy_forbidden",
                "require",
                lower + at_most.start(),
                last,
                "therapy.cap",
                None,
                None,
                float(tried["value"]),
                at_most.group(1) == "≤",
                "count",
                "therapies",
                window_anchor="ever",
                terms=terms,
            )
        ]
    if tried and not re.search(r"(?:day|week|month|year)s?\b", tried.group()):
        value = float(tried["value"])
        fields = {
            "min_value": value,
            "min_inclusive": tried["symbol"] != ">",
            "unit": "count",
            "measure": "therapies",
        }
    courses = _COURSES_OF.search(before)
    if courses and courses["symbol"] in ("≤", "<"):
        return [
            Constraint(
                "prior_therapy_forbidden", "require", lower + courses.start(), last, "therapy.cap",
                *compared(courses["symbol"], float(courses["value"])), unit="count", measure="courses", window_anchor="ever", terms=terms,
            )
        ]  # fmt: skip
    if courses and not fields:
        fields = dict(zip(("min_value", "min_inclusive", "max_value", "max_inclusive"), compared(courses["symbol"] or "≥", float(courses["value"])), strict=True))  # fmt: skip
        fields |= {"unit": "count", "measure": "courses"}
    course = _course_length(r, clause_start, upper)
    if only_steroids and course:
        fields = course
    if duration is not None:
        fields |= {
            "window_value": duration.value,
            "window_unit": duration.unit,
            "window_anchor": duration.anchor,
        }
        most = next(
            (
                s
                for s in after_spans
                if s.start >= duration.end
                and s.symbol in ("≤", "<")
                and s.unit == duration.unit
                and s.start - duration.end < 34
            ),
            None,
        )
        if duration.near is not None and duration.near_unit == duration.unit:
            fields |= {"window_value": duration.near, "min_value": duration.near, "max_value": duration.value}
        elif most is not None and duration.symbol in ("≥", ">"):
            fields |= {
                "min_value": duration.value,
                "max_value": most.value,
                "window_anchor": duration.anchor or most.anchor,
            }
        if "max_value" in fields and fields.get("measure") is None:
            fields |= {
                "min_inclusive": True,
                "max_inclusive": True,
                "unit": duration.unit,
                "measure": "exposure",
            }
    end = max(last, duration.end if duration and duration.start >= first else 0)
    begin = _verb_start(r, lower, first)
    if (
        duration is None
        and not fields
        and not listed
        and re.search(r"\b(?:on|dose of|stable)\b", before) is None
        and not re.search(
            r"\b(?:treated|receiv\w+|treatment|therapy|tried|failed|prior|previous\w*|taking|uses|using)\b",
            before,
        )
    ):
        return []
    if all(m.term in ("vaccine", "live vaccine", "hormonal contraceptive") for m in run):
        return []
    if fields.get("window_value") is not None and _STILL_ON.search(r.text, last):
        fields["window_anchor"] = fields.get("window_anchor") or "study_entry"
    return [
        Constraint(
            "prior_therapy_required", "require", begin, end, "therapy.prior_required", terms=terms, **fields
        )
    ]


# "… for at least 6 months, and was currently still taking the same therapy": the time reaches up to entry.
_STILL_ON = re.compile(
    r"\b(?:is|are|was|were)\s+(?:currently\s+)?still\s+(?:on|taking|receiving|using|(?:being\s+)?treated\s+with)\s+(?:the\s+same|that|this)\s+(?:therapy|treatment|drug|medication|dmt)\b"
)


def _duration(r: Reading, run: list[Mention], lower: int, upper: int, first: int, last: int) -> Span | None:
    """Time on the drug: "for at least 6 months", "≥ 12 months prior to"."""
    for span in r.spans:
        if not last - 1 <= span.start < upper:
            continue
        left = r.text[max(lower, span.start - 30) : span.start]
        between = r.text[last : span.start]
        if re.search(r"relaps|exacerbat|attack|lesion|activity|\bmri\b|defined", between) and not re.search(
            r"\b(?:been|being)\s+on\b|on\s+that\b|\bon\s+(?:treatment|therapy)\s+for\b", between
        ):
            break
        if re.search(
            r"interruption|gap|\bchange|break|compar", r.text[max(last, span.start - 60) : span.start]
        ):
            continue
        if re.search(
            r"\bof\s+(?:specific|high|treatment)", r.text[span.end : span.end + 24]
        ) and not re.search(r"for", left):
            continue
        if re.search(r"\bfor\b|≥|>|within|during|in\b|last|past|minimum|since", left) or span.role in (
            "back",
            "for",
        ):
            return span
    for span in r.spans:
        if (
            lower <= span.start
            and span.end <= first
            and re.search(r"\bfor\b|≥|>", r.text[max(lower, span.start - 20) : span.start])
            and span.role in ("for", "other", "back")
            and re.match(r"\s*(?:of\s+|on\s+|with\s+)", r.text[span.end :])
        ):
            return span
    return None


def _course_length(r: Reading, start: int, end: int) -> dict | None:
    found = re.search(
        rf"({NUMBER})\s*(?:to|-)\s*({NUMBER})\s*({UNIT})(?!\s*(?:prior|before|of age))", r.text[start:end]
    )
    if not found:
        return None
    return {
        "min_value": number(found.group(1)), "min_inclusive": True, "max_value": number(found.group(2)), "max_inclusive": True,
        "unit": unit_of(found.group(3)), "measure": "course",
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- other studies
def _participation(r: Reading, already: list[Constraint]) -> list[Constraint]:
    """therapy.investigational: taking part in another study, now or within a time."""
    text = r.text
    if not re.search(r"stud|trial|research", text):
        return []
    out: list[Constraint] = []
    for found in _STUDY_PARTICIPATION.finditer(text):
        clause_start, clause_end = r.clause(found.start())
        if any(
            c.kind == "other_investigational_drug"
            and clause_start <= c.start < clause_end
            and not (c.window_anchor == "ever" and c.start > found.end())
            for c in [*already, *out]
        ):
            continue
        if any(
            c.kind == "washout" and INVESTIGATIONAL in c.terms and clause_start <= c.start < clause_end
            for c in already
        ):
            continue
        before = text[clause_start : found.start()]
        clause = text[clause_start:clause_end]
        if r.permits(clause_start, clause_end) or r.in_exception(found.start()):
            continue
        if r.sense == "require" and not re.search(
            r"\b(?:no|not|never|without|neither|nor)\b", before[-60:] + found.group()
        ):
            continue
        if not re.search(
            r"\bparticipat\w*|enrol\w*|involve\w*|tak\w+\s+part|currently|concurrent|within|previous|\bin\b|receiv",
            clause,
        ):
            continue
        if re.search(
            r"completed|extension of|core study|parent study|comply|interfere with|rollover|affect participation|in this study|registry",
            clause,
        ) and not re.search(r"another|other", found.group()):
            continue
        if re.search(
            r"\b(?:preclud\w*|prevent\w*|interfer\w*|limit\w*|compromis\w*|employ\w*|staff|sponsor|unable|inability|unsuitab\w*|complian\w*)\b",
            before + clause[-60:],
        ):
            continue
        spans = [s for s in r.spans if s.role == "back" and clause_start <= s.start < clause_end]
        after = [s for s in spans if s.start >= found.start()]
        window = (after or spans)[:1]
        last = max(found.end(), window[0].end) if window and window[0].start >= found.start() else found.end()
        out.append(
            Constraint(
                "other_investigational_drug", r.sense, found.start(), last, "therapy.investigational",
                **_when(window[0] if window else None, False), terms=(INVESTIGATIONAL,), exceptions=r.exceptions_in(clause_start, clause_end),
                is_qualified=bool(r.exceptions_in(clause_start, clause_end)),
            )
        )  # fmt: skip
    return out


RULES = (
    (
        "therapy.prior_required", 2,
        ("prior_therapy_required", "prior_therapy_forbidden", "washout", "concomitant_therapy_forbidden", "steroid_use_forbidden", "other_investigational_drug"),
        therapies,
    ),
)  # fmt: skip
