"""What a rule sees of one criterion, and what it says. No rules here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pipeline.registry.eligibility import lexicon, quantities
from pipeline.registry.eligibility import patterns as re


class Constraint(NamedTuple):
    """One condition, with its place in the canonical text. Fields as in `registry.criterion_constraints`."""

    kind: str
    polarity: str
    start: int
    end: int
    rule_id: str
    min_value: float | None = None
    min_inclusive: bool | None = None
    max_value: float | None = None
    max_inclusive: bool | None = None
    unit: str | None = None
    measure: str | None = None
    window_value: float | None = None
    window_unit: str | None = None
    window_near_value: float | None = None
    window_near_unit: str | None = None
    window_anchor: str | None = None
    terms: tuple[str, ...] = ()
    term_logic: str = "any"
    exception_terms: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    is_qualified: bool = False
    any_of_group: str | None = None
    all_of_group: str | None = None
    on_therapy_value: float | None = None
    on_therapy_unit: str | None = None


_EXCEPT = re.compile(
    r"\b(?:except(?:\s+for|\s+if|\s+in|\s+when)?|excluding|exception of|exceptions?:|unless|other than|apart from|aside from|not including|with the exclusion of|exclusive of|but not(?!\s+(?:be\s+)?limited)(?!\s+(?:in|within|during)\b)|without(?=\s+(?:an?\s+)?accelerated\s+elimination))\b"
)
_OTHER_THAN = re.compile(r"\bother\s+(?:[\w-]+\s+){1,4}than\s")
_BUT_MS = re.compile(
    r"(?:(?:other|apart|aside|except)\s+)?(?:than|from|for)\s+(?:ms|multiple sclerosis|rrms)\b"
)
_AFTER_MS = re.compile(
    r",|\s+(?:or|and)\s+(?:with\s+)?(?:an?\s+|any\s+)?(?:known|history|positive|current)\b"
)
_OR_ANY = re.compile(
    r"\s+or\s+(?:with\s+)?any\s+(?!(?:of|one|history|other|such)\b)\w+[\w\s-]{0,30}?\b(?:treatments?|therap\w+|drugs?|agents?|medications?)\b"
)
_EXAMPLE_LIST = re.compile(
    r"[,;]\s*(?:e\.\s?g\.|(?:for example|for instance|including\s+(?:treatment|therapy)\s+with)\b)"
)
_PERMITTED = re.compile(
    r"\b(?:(?:is|are|were|was|will be|may be|can be|be)\s+(?:(?!not\b)\w+\s+)?(?:allowed|permitted|acceptable|accepted|eligible|included|enrolled|considered|not exclusionary|not excluded|rescreened|re-screened)|not exclusionary|not an exclusion|are allowed|is permitted|do(?:es)? not exclude|not be excluded|may (?:participate|enrol\w*|enter|continue|remain|be (?:included|enrolled|allowed|eligible|considered|used|treated|re-?screened|continued|permitted|randomi[sz]ed|on|receiving|taking))|can (?:participate|enrol\w*|enter|continue)|does not constitute)\b"
)
# "No immunosuppressants (earlier steroids for relapses are allowed)": the bracket is an exception, with a subject of its own.
_PERMITTING_BRACKET = re.compile(
    r"\((?:[\w-]+\s+){2,}?(?:for\s+|of\s+|in\s+|[\w-]+\s+){0,8}?(?:is|are)\s+(?:allowed|permitted|acceptable|not\s+exclu\w+)\b[^()]{0,40}\)"
)
_NEGATION = re.compile(
    r"\b(?:no|not|never|without|none|naive|neither|nor|free (?:of|from)|absence of|negative|off|abstain\w*|lack of|denies|non)\b"
)
# A rating that someone makes by rule: "EDSS of 0 to 5.5 as assessed by the investigator".
RATED = re.compile(
    r"\b(?:edss|scores?|scale|mri|scans?|lesions?|rating)\b(?:[^.;]|\.\d){0,60}\b(?:as\s+)?(?:determined|assessed|measured|rated|evaluated|scored)\s+by\b"
)
SUBJECTIVE = re.compile(
    r"\b(?:(?:considered|judged|deemed|believed|thought|felt)\b[^.;]{0,40}\bby\s+the\s+(?:\w+\s+){0,2}(?:investigator|physician|clinician|pi|doctor|neurologist)\b|according\s+to\s+the\s+(?:\w+\s+)?(?:investigator|physician|pi)\b|per\s+(?:the\s+)?(?:investigator|physician|pi)\S*\s+(?:assessment|judg\w+|opinion|discretion)|in\s+the\s+(?:investigator|opinion|judg\w+|view|clinical)\S*|investigator\S*\s+(?:opinion|judg\w+|discretion|consider\w*|believ\w*|feel\w*|determin\w*|deem\w*)|opinion of|judg\w+ (?:of|by)|discretion of|as (?:determined|assessed|judged|deemed|considered) by|deemed\s+\w+|investigator considers|considered by the (?:\w+ )?(?:investigator|physician|clinician)|determined by the (?:\w+ )?(?:investigator|physician|clinician)|at the discretion|would (?:compromise|interfere|preclude|jeopardi[sz]e|put)|could (?:interfere|compromise|jeopardi[sz]e)|may (?:interfere|compromise|jeopardi[sz]e)|physician'?s? (?:opinion|judg\w+|discretion)|in the judg\w+)"
)


class _Once:
    """An attribute that is computed when it is first asked for. `cached_property` would take a lock each time."""

    def __init__(self, function: Callable[[Any], Any]):
        self._function, self._name, self.__doc__ = function, function.__name__, function.__doc__

    def __get__(self, instance: Any, owner: type) -> Any:
        value = instance.__dict__[self._name] = self._function(instance)
        return value


class Reading:
    """One criterion in canonical spelling, with everything that several rules ask for computed once.

    `sense` is "require" where the words state what a patient must have, "forbid" where they state what excludes.
    `head` is the canonical text of the line that introduces the criterion.
    """

    __slots__ = ("__dict__", "head", "is_ms", "sense", "text")

    def __init__(self, text: str, sense: str, head: str = "", is_ms: bool = True):
        self.text, self.sense, self.head, self.is_ms = text, sense, head, is_ms

    @_Once
    def mentions(self) -> list[lexicon.Mention]:
        return lexicon.mentions(self.text)

    @_Once
    def spans(self) -> list[quantities.Span]:
        return quantities.spans(self.text)

    @_Once
    def head_spans(self) -> list[quantities.Span]:
        return quantities.spans(self.head) if self.head else []

    @_Once
    def clauses(self) -> list[tuple[int, int]]:
        return quantities.clauses(self.text)

    def clause(self, position: int) -> tuple[int, int]:
        for start, end in self.clauses:
            if start <= position < end:
                return start, end
        return 0, len(self.text)

    @_Once
    def exception_zones(self) -> list[tuple[int, int]]:
        """Where the text says what is not meant: from "except" to the end of its bracket or clause."""
        zones = []
        starts = [m.start() for m in _EXCEPT.finditer(self.text)]
        # "other medications than glatiramer acetate"
        starts += [m.start() + 1 for m in _PERMITTING_BRACKET.finditer(self.text)]
        starts += [m.end() - 5 for m in _OTHER_THAN.finditer(self.text)]
        for start in sorted(starts):
            depth, end = 0, None
            _, clause_end = self.clause(start)
            for position in range(start, clause_end):
                letter = self.text[position]
                if (
                    depth == 0
                    and letter in ", "
                    and _AFTER_MS.match(self.text, position)
                    and _BUT_MS.match(self.text, start)
                ):
                    # "any disease other than MS, or known HIV"
                    end = position
                    break
                if depth == 0 and letter == " " and _OR_ANY.match(self.text, position):
                    # "other than interferon or any immunosuppressive treatment": the latter is meant again.
                    end = position
                    break
                if letter in ",;" and depth == 0 and _EXAMPLE_LIST.match(self.text, position):
                    # "other than steroids, for example A and B": the examples are of what is excepted from.
                    end = position
                    break
                if letter == "(":
                    depth += 1
                elif letter == ")":
                    depth -= 1
                    if depth < 0:
                        end = position
                        break
            zones.append((start, end if end is not None else clause_end))
        return zones

    def in_exception(self, position: int) -> bool:
        return any(start <= position < end for start, end in self.exception_zones)

    def permits(self, start: int, end: int) -> bool:
        """The clause says what is allowed, not what is asked for."""
        brackets = [zone.span() for zone in _PERMITTING_BRACKET.finditer(self.text, start, end)]
        return any(
            not any(a < found.start() < b for a, b in brackets)
            for found in _PERMITTED.finditer(self.text, start, end)
        )

    def negated(self, start: int, position: int, reach: int = 60) -> bool:
        """A negation stands in the clause before a position."""
        return bool(_NEGATION.search(self.text, max(start, position - reach), position))

    def exceptions_in(self, start: int, end: int) -> tuple[str, ...]:
        """Exception texts of a clause as canonical text positions; cut from the original by the caller."""
        return tuple(f"{a}:{b}" for a, b in self.exception_zones if start <= a < end)
