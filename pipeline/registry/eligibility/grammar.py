"""Distinct criteria → constraints: which texts the rules see, in which order, and what is left unread.

Rules live in `rules_*.py`; here are the prefilter, the groups within a criterion, the parse status and the table of
rules. Nothing here knows studies: one text under one heading means the same in every study.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import polars as pl

from pipeline.registry.eligibility import lexicon, patterns, rules_ms, rules_safety, rules_therapy
from pipeline.registry.eligibility import patterns as re
from pipeline.registry.eligibility.reading import RATED, SUBJECTIVE, Constraint, Reading
from pipeline.registry.eligibility.text import canonical, collapsed


class Rule(NamedTuple):
    """A rule as the docs list it. `version` goes up when its answers change."""

    rule_id: str
    version: int
    kinds: tuple[str, ...]
    read: Callable


RULES: tuple[Rule, ...] = tuple(
    Rule(*row) for row in (*rules_ms.RULES, *rules_therapy.RULES, *rules_safety.RULES)
)
# Every id that a constraint can carry: version, kinds, what the rule reads. A function above may answer under several
# ids. The version goes up when a rule's answers change; `docs/eligibility.md` prints this table and a test compares.
RULE_TABLE: dict[str, tuple[int, str, str]] = {
    "edss.range": (2, "edss_range", "EDSS between, at least, at most or beyond a value; before or after the scale's name; brackets and \"as assessed by\" skipped; never a change, a functional system or a condition on another sentence (\"if EDSS ≤ 5.0\")"),
    "edss.change": (2, "edss_change", "rise of the EDSS by points, with its window"),
    "age.range": (2, "age_range", "the patient's own age in years or months; not ages that choose a scale, a dose or a limit"),
    "relapse.count": (2, "relapse_count", "relapses, attacks or exacerbations counted in a window with far and near edge; a bare \"a relapse\" counts 1"),
    "relapse.on_therapy": (2, "relapse_on_therapy", "relapses while on, despite or after time on named drugs; \"on therapy\" without a name means the therapy asked for just before, else any MS therapy"),
    "relapse.none_within": (2, "no_relapse_within", "no relapse, or a stable neurological state, for a time"),
    "course.is": (2, "disease_course", "courses asked for or excluded; \"progressive forms\" are PPMS, SPMS and PRMS; \"another type than RRMS\" is those three"),
    "diagnosis.criteria": (2, "diagnosis_criteria", "McDonald with its year (citations count: Polman 2011 is McDonald 2010), Poser, IPMSSG, clinically definite MS, MRI criteria; in exclusions where they are not met, or where definite MS itself excludes"),
    "duration.of_disease": (2, "disease_duration", "time since first symptom, onset or diagnosis; term `spms progression` for the progressive phase; two times by EDSS as two alternatives, each with its EDSS"),
    "mri.activity": (2, "gd_or_t2_activity", "enhancing, new or enlarging lesions, counted where the text counts, in their window"),
    "therapy.prior_required": (2, "prior_therapy_required", "treated with, on, stable on, tried or failed drugs, with the time on them or the number of them"),
    "therapy.prior_forbidden": (2, "prior_therapy_forbidden", "drugs that must never have been taken"),
    "therapy.cap": (2, "prior_therapy_forbidden", "at most a number of therapies, or less than a time on a drug"),
    "therapy.naive": (2, "prior_therapy_forbidden", "treatment-naive, untreated, naive of a named drug"),
    "therapy.washout": (2, "washout", "drugs not taken within a time; one row per list and window, own windows in brackets apart; tables (\"natalizumab: 6 months\"), stop dates, required wash-outs"),
    "therapy.concomitant": (2, "concomitant_therapy_forbidden", "drugs not to be taken now; a forbidden change of dose is marked `is_qualified`"),
    "therapy.steroids": (2, "steroid_use_forbidden", "corticosteroids or ACTH alone, with course length and window"),
    "therapy.investigational": (2, "other_investigational_drug", "investigational drugs, other studies"),
    "lab.limit": (2, "lab_limit", "measures against a number with its unit or multiples of the limits of normal"),
    "lab.normal": (1, "lab_limit", "measures asked to be normal, without a number"),
    "infection.present": (2, "infection", "infections now, ever or within a time; general, named and opportunistic ones are rows of their own"),
    "infection.immunity": (1, "infection", "immunity against varicella asked for (term `varicella zoster immunity`)"),
    "malignancy.present": (2, "malignancy", "any malignancy, now, ever or within a time; a single named cancer is not read"),
    "pregnancy.present": (2, "pregnancy_or_breastfeeding", "pregnancy, breastfeeding, a positive test; a negative test asked for"),
    "contraception.required": (2, "contraception_required", "contraception asked for, or its refusal excluded; the time after treatment is the window"),
    "mri.contraindication": (2, "mri_contraindication", "what keeps from MRI or its contrast medium"),
    "consent.given": (2, "informed_consent", "consent or assent"),
}  # fmt: skip
RULE_VERSIONS: dict[str, int] = {rule_id: row[0] for rule_id, row in RULE_TABLE.items()}


def rule_table() -> str:
    """The rules as a markdown table."""
    rows = [
        f"| `{rule_id}` | {version} | `{kind}` | {what} |"
        for rule_id, (version, kind, what) in RULE_TABLE.items()
    ]
    return "\n".join(["| rule | version | kind | reads |", "|---|---|---|---|", *rows])


# A study speaks of MS when its text holds one of these; rules about MS read no other study.
MS_WORDS = (
    "multiple sclerosis", " ms ", "(ms)", " ms,", " ms.", " ms;", "rrms", "spms", "ppms", "edss", "mcdonald", "relapsing-remitting",
    "relapsing remitting", "glatiramer", "natalizumab", "demyelinat", "clinically isolated", "interferon beta", "disability status",
    "relapsing forms", "copaxone", "avonex", "betaseron", "rebif", "tysabri",
)  # fmt: skip
# What must stand in a canonical text before a rule's Python sees it: words, a pattern, or a family of the lexicon. The
# scan runs in polars over all texts at once; a test proves that it changes no answer.
TRIGGERS: dict[str, tuple[str, ...]] = {
    "edss.range": ("edss", "disability", "kurtzke"),
    "edss.change": ("edss", "disability"),
    "age.range": (
        # Several short patterns and open gaps (".*", not ".{0,16}") are ten times faster than one with all.
        r"re:\bages?\b|\baged\b|\baging\b|\bold(?:er)?\b|younger|\by/?o\b",
        r"re:(?:male|female|men|women|adult|patient|subject|participant|individual|volunteer|person|people|child|children|adolescent|sexe|gender)s?\b"
        r"[\s,()a-z]*[≥≤><]?\s*\d.*(?:year|yr)",
        r"re:(?:patient|subject|participant|individual|volunteer|person)s\s+[≥≤><]\s*\d",
        r"re:\badults?\s*\(\s*\d",
        r"re:[,;]\s*\d\d\s*(?:-|to|and)\s*\d\d\s*(?:years|yrs)",
        r"re:^\W*(?:between |from )?[≥≤><]?\s*\d+(?:\s*(?:-|to|and|through)\s*[≥≤><]?\s*\d+)?\s*(?:years?|yrs?)?\b",
    ),
    "relapse.count": (
        "relaps", "exacerbation", "attack", "episode", "clinical event", "demyelinating", " bout", "flare", "stable", "stabil",
        "remission",
    ),
    "course.is": ("progress", "relaps", " cis", "isolated", "spms", "ppms", "prms", "rrms", " rms", "rr-ms", "rr ms", "sp-ms", "pp-ms", "r-r"),
    "diagnosis.criteria": (
        "donald", "krupp", "international panel", "thompson", "polman", "poser", "ipmssg", "diatric", "definite", "cdms", "barkhof", "fazekas", "paty", "mri", "magnetic", "lesion",
    ),
    "duration.of_disease": (
        "duration", "onset", "diagnos", "symptom", " ms ", "sclerosis", "rrms", "spms", "ppms", "progress", "first", "length of", "time since",
    ),
    "mri.activity": ("lesion", "gadolin", " gd", "mri", "enhanc", " gel", "magnetic", "radiolog", "active scan"),
    "therapy.prior_required": (
        "family:drug", "naive", "untreated", "no therapy", "no treatment",
        r"re:(?:another|other|any|different|concurrent|previous|clinical|investigational|interventional|drug|research|therapeutic|treatment)\b.*(?:trial|stud|research|protocol)",
    ),
    "lab.limit": ("family:lab",),
    "infection.present": ("family:infection",),
    "malignancy.present": ("malign", "cancer", "neoplas", "carcinoma", "lymphoprolif"),
    "pregnancy.present": ("pregnan", "breast", "lactat", "nursing", "gravid", "hcg"),
    "contraception.required": ("contracept", "birth control", "method of birth", "condom", "abstinen", "barrier method", "prevent pregnancy", "pregnancy prevention", "avoid "),
    "mri.contraindication": (
        "mri", "magnetic", "gadolin", " gd", "pacemaker", "pace-maker", "pace maker", "claustrophob", "implant", "contrast", "nmr", "valve", " mr ",
    ),
    "consent.given": ("consent", "assent", "icf"),
}  # fmt: skip
# These read no study that does not speak of MS.
_MS_RULES = frozenset(
    ("relapse.count", "course.is", "diagnosis.criteria", "duration.of_disease", "mri.activity")
)

_OUTPUT = {
    "key": pl.Int64,
    "constraint_ordinal": pl.Int64,
    "kind": pl.String,
    "polarity": pl.String,
    "min_value": pl.Float64,
    "min_inclusive": pl.Boolean,
    "max_value": pl.Float64,
    "max_inclusive": pl.Boolean,
    "unit": pl.String,
    "measure": pl.String,
    "window_value": pl.Float64,
    "window_unit": pl.String,
    "window_near_value": pl.Float64,
    "window_near_unit": pl.String,
    "window_anchor": pl.String,
    "terms": pl.List(pl.String),
    "term_logic": pl.String,
    "exception_terms": pl.List(pl.String),
    "exceptions": pl.List(pl.String),
    "is_qualified": pl.Boolean,
    "any_of_group": pl.String,
    "all_of_group": pl.String,
    "on_therapy_value": pl.Float64,
    "on_therapy_unit": pl.String,
    "quote": pl.String,
    "relative_start": pl.Int64,
    "relative_end": pl.Int64,
    "rule_id": pl.String,
    "rule_version": pl.Int64,
}
# Criteria between two looks at the patterns: those that stand within functions are known from their first use on.
_BATCH = 2000
_STATUS = {"key": pl.Int64, "is_subjective": pl.Boolean, "has_residue": pl.Boolean}


@lru_cache(maxsize=1)
def _trigger_columns() -> tuple[pl.Expr, ...]:
    """Per rule, whether a text (`canonical`, `words`, `is_ms`) can hold anything for it."""
    columns = []
    for rule in RULES:
        parts = []
        words = [t for t in TRIGGERS[rule.rule_id] if not t.startswith(("re:", "family:"))]
        if words:
            parts.append(pl.col("canonical").str.contains_any(words))
        for trigger in TRIGGERS[rule.rule_id]:
            if trigger.startswith("re:"):
                parts.append(pl.col("canonical").str.contains(trigger[3:]))
            elif trigger.startswith("family:"):
                parts.append(pl.col("words").str.contains_any(lexicon.openings(trigger[7:])))
        found = pl.any_horizontal(parts)
        columns.append(found & pl.col("is_ms") if rule.rule_id in _MS_RULES else found)
    return tuple(columns)


# What one criterion says: whether it is subjective, whether it leaves words unread, and its rows of `_rows`. Plain tuples of
# plain things, of which the garbage collector keeps no account.
_Answer = tuple[bool, bool, tuple[tuple, ...]]


class _Memory:
    """Answers to criteria that were read before: studies with texts of their own still share sentences.

    Two generations of `LIMIT` criteria (some 30 MB each): where one is full the older goes, but for what was asked again.
    """

    LIMIT = 40_000

    def __init__(self) -> None:
        self._young: dict[tuple, _Answer] = {}
        self._old: dict[tuple, _Answer] = {}

    def get(self, criterion: tuple) -> _Answer | None:
        answer = self._young.get(criterion)
        if answer is None and (answer := self._old.get(criterion)) is not None:
            self.put(criterion, answer)
        return answer

    def put(self, criterion: tuple, answer: _Answer) -> None:
        if len(self._young) >= self.LIMIT:
            self._old, self._young = self._young, {}
        self._young[criterion] = answer


_memory = _Memory()


def forget() -> None:
    """Read every criterion anew, for those who measure or change rules within a process."""
    global _memory
    _memory = _Memory()


def read(texts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Constraints of distinct criteria.

    Args:
        texts: key, raw (the criterion as printed), sense, context, is_ms.

    Returns:
        The constraints (positions relative to raw), and per key whether it leaves the answer to a reader and whether
        words with content stand outside of all quotes.
    """
    criteria = list(texts.select("raw", "sense", "context", "is_ms").iter_rows())
    memory = _memory
    answers = [memory.get(criterion) for criterion in criteria]
    new = [place for place, answer in enumerate(answers) if answer is None]
    if new:
        for place, answer in zip(new, _answers(texts[new]), strict=True):
            answers[place] = answer
            memory.put(criteria[place], answer)
    keys = texts.get_column("key").to_list()
    status = {
        "key": keys,
        "is_subjective": [is_subjective for is_subjective, _, _ in answers],
        "has_residue": [has_residue for _, has_residue, _ in answers],
    }
    rows = [(key, *row) for key, answer in zip(keys, answers, strict=True) for row in answer[2]]
    return _table(rows), pl.DataFrame(status, schema=_STATUS)


def _answers(texts: pl.DataFrame) -> list[_Answer]:
    """As `read`, one answer a row of `texts`."""
    prepared = texts.select(
        "raw",
        "sense",
        "is_ms",
        line=collapsed(pl.col("raw")),
        head=canonical(collapsed(pl.col("context"))),
    ).with_columns(canonical=canonical(pl.col("line")))
    out: list[_Answer] = [
        (is_subjective, False, ())
        for is_subjective in prepared.select(
            pl.col("canonical").str.replace_all(RATED.pattern, " ").str.contains(SUBJECTIVE.pattern)
        )
        .to_series()
        .to_list()
    ]
    seen = (
        prepared.with_row_index("place")
        .with_columns(words=pl.col("canonical").str.replace_all(r"[^a-z0-9µβγ]+", " "))
        .with_columns(
            rules=pl.sum_horizontal(
                pl.when(found).then(pl.lit(1 << i, dtype=pl.Int64)).otherwise(pl.lit(0, dtype=pl.Int64))
                for i, found in enumerate(_trigger_columns())
            )
        )
        .filter(pl.col("rules") > 0)
        .select("place", "raw", "sense", "is_ms", "line", "head", "canonical", "rules")
    )
    for batch in seen.iter_slices(_BATCH):
        absences = patterns.absences(batch.select(pl.col("canonical") + pl.col("head")).to_series())
        with patterns.asking:
            for (place, raw, sense, is_ms, line, head, text, rules), absent in zip(
                batch.iter_rows(), absences, strict=True
            ):
                patterns.about(absent)
                reading = Reading(text, sense, head if head.strip() else "", is_ms)
                constraints = read_one(reading, rules)
                if constraints:
                    has_residue = _residue(reading, constraints)
                    out[place] = (out[place][0], has_residue, tuple(_rows(raw, line, constraints)))
    return out


def read_one(reading: Reading, rules: int = -1) -> list[Constraint]:
    """All constraints of one criterion, in the order of the text, grouped. `rules` has a bit for each rule to ask."""
    found: list[Constraint] = []
    for read in _readers(rules):
        answer = read(reading)
        if answer:
            found.extend(answer)
    if len(found) > 1:
        found.sort(key=itemgetter(2, 3))  # start, end
    return _grouped(reading, _beside_the_named(reading, _once(found)))


# What a criterion may repeat ("onset ≥ 2 years ago. SPMS is progression for ≥ 2 years"); relapses said twice are two
# alternatives.
_SAID_ONCE = frozenset(("age_range", "edss_range", "disease_duration", "diagnosis_criteria"))


def _once(found: list[Constraint]) -> list[Constraint]:
    """Without conditions that repeat one word for word."""
    seen: set[tuple] = set()
    out = []
    for c in found:
        what = (
            c.kind,
            c.polarity,
            c.min_value,
            c.min_inclusive,
            c.max_value,
            c.max_inclusive,
            c.unit,
            c.terms,
        )
        if c.kind not in _SAID_ONCE or c.any_of_group is not None or what not in seen:
            out.append(c)
        seen.add(what)
    return out


@lru_cache(maxsize=4096)
def _readers(rules: int) -> tuple[Callable, ...]:
    return tuple(rule.read for index, rule in enumerate(RULES) if rules >> index & 1)


_AND_ANOTHER = re.compile(r"\band\s+(?:an)?other\s+(?:\w+[\s-]+){0,3}$")


def _beside_the_named(reading: Reading, found: list[Constraint]) -> list[Constraint]:
    """ "Interferon and another disease-modifying therapy": the interferon is not the other one."""
    out, named = list(found), ()
    for place, c in enumerate(found):
        if c.kind != "prior_therapy_required" or c.polarity != "require":
            continue
        if named and not c.exception_terms and _AND_ANOTHER.search(reading.text[: c.start]):
            out[place] = c._replace(exception_terms=tuple(t for t in named if t not in c.terms))
        named += c.terms
    return out


_ALTERNATIVE_KINDS = frozenset(
    ("relapse_count", "relapse_on_therapy", "gd_or_t2_activity", "edss_change", "edss_range", "prior_therapy_required", "prior_therapy_forbidden", "concomitant_therapy_forbidden", "washout", "lab_limit",
     "disease_duration")
)  # fmt: skip


# "at least one of a) … b) … c) …"
_CHOICE = re.compile(r"(?:≥\s*1|\bany(?:\s+1)?|\beither|\b1 or more|\b1)\s+of\b[^.;]{0,60}$")


_OR = re.compile(
    r"\bor\b(?!\s+(?:more|greater|equal))|\band/or\b|\b(?:may|can)\s+also\s+be\s+defined\b|\balternatively\b"
)


def _grouped(reading: Reading, found: list[Constraint]) -> list[Constraint]:
    """Alternatives within one criterion: "… or …" between conditions that are asked for.

    Excluded conditions need none: each of them excludes by itself. Those joined by "with" do (`any_of_group` "with").
    """
    if any(c.any_of_group == "with" for c in found):
        together = [c for c in found if c.any_of_group == "with"]
        if len(together) > 1:
            return [c._replace(any_of_group="1") if c.any_of_group == "with" else c for c in found]
        return [
            c._replace(any_of_group=None, is_qualified=True) if c.any_of_group == "with" else c for c in found
        ]
    if reading.sense == "forbid":
        return _excluded_together(reading, found)
    if len(found) < 2:
        return found
    ages = [i for i, c in enumerate(found) if c.kind == "age_range"]
    if len(ages) > 1 and re.search(
        r"\bor\b|\band\b|[;,]", reading.text[found[ages[0]].end : found[ages[-1]].start]
    ):
        # Ages of several groups ("4 to 8 years (phase 1) or 4 to 13 years (phase 2)") are alternatives.
        bounded = [found[i] for i in ages]
        if all(c.min_value is not None and c.max_value is not None for c in bounded) or re.search(
            r"\bor\b", reading.text[bounded[0].end : bounded[-1].start]
        ):
            found = [c._replace(any_of_group="age") if i in ages else c for i, c in enumerate(found)]
    # A rule that knows its alternatives has grouped them itself.
    places = [i for i, c in enumerate(found) if c.kind in _ALTERNATIVE_KINDS and c.all_of_group is None]
    runs: list[list[list[int]]] = []
    alternatives: list[list[int]] = [[places[0]]] if places else []
    is_choice = bool(places) and _CHOICE.search(reading.text[: found[places[0]].start]) is not None
    listed = _listed(reading, found, places)
    for before, after in itertools.pairwise(places):
        between = reading.text[found[before].end : found[after].start]
        if found[after].start == found[before].start:
            between = reading.text[found[before].end : found[after].end]
        elif found[after].start <= found[before].end:
            between = reading.text[found[before].start : found[after].start]
        is_item = (
            is_choice
            and re.search(r"(?:^|[\s,;])\(?[a-e1-5i]{1,3}[).]\s+(?:[\w-]+\s+){0,3}$", between) is not None
        )
        between = re.sub(r"\([^()]*\)", " ", between)
        if "edss_range" in (found[before].kind, found[after].kind) and (
            len(between) > 40 or re.search(r"with or without|\band\b", between)
        ):
            between = ";"
        if is_item or before in listed or (_OR.search(between) and len(between) < 200):
            alternatives.append([after])
        elif re.search(r"\bwith\b", between) or (
            len(alternatives) > 1 and re.search(r"\band\b|\bplus\b", between)
        ):
            # "A with B, or C and D": what belongs to one alternative
            alternatives[-1].append(after)
        else:
            runs.append(alternatives)
            alternatives = [[after]]
    runs = [run for run in [*runs, alternatives] if len(run) > 1]
    out = list(found)
    for number, run in enumerate(runs, start=1):
        for index, alternative in enumerate(run, start=1):
            for place in alternative:
                out[place] = out[place]._replace(
                    any_of_group=str(number),
                    all_of_group=f"{number}.{index}" if len(alternative) > 1 else None,
                )
    return out


# Signs of activity stand in one list; an EDSS or a therapy beside them is a demand of its own.
_SIGNS = frozenset(("relapse_count", "relapse_on_therapy", "gd_or_t2_activity", "edss_change"))


def _listed(reading: Reading, found: list[Constraint], places: list[int]) -> set[int]:
    """Conditions of "A, B or C" that only a comma parts from the next."""
    out: set[int] = set()
    chain: list[int] = []
    for before, after in itertools.pairwise(places):
        between = reading.text[found[before].end : found[after].start]
        if {found[before].kind, found[after].kind} <= _SIGNS and re.fullmatch(r"\W*,\W*(?:≥\s*)?", between):
            chain.append(before)
            continue
        if chain and re.search(r"\bor\b", between) and len(between) < 40:
            out.update(chain)
        chain = []
    return out


_MEASURED = frozenset(("edss_range", "disease_duration", "age_range", "relapse_count"))


def _excluded_together(reading: Reading, found: list[Constraint]) -> list[Constraint]:
    """ "Disease duration > 10 years and EDSS ≤ 2" excludes who has both: either one not being so is enough to pass."""
    out = list(found)
    for before, after in itertools.pairwise(range(len(out))):
        first, second = out[before], out[after]
        between = reading.text[first.end : second.start]
        if (
            first.kind != second.kind
            and {first.kind, second.kind} <= _MEASURED
            and len(between) < 70
            and re.search(r"\band\b|\bwith\b", between)
            and not re.search(r"\bor\b|;|,\s*and\b", between)
        ):
            out[before] = first._replace(any_of_group=first.any_of_group or "1")
            out[after] = second._replace(any_of_group=out[before].any_of_group)
    return out


_WORD = re.compile(r"[a-zµ][a-zµ'-]{3,}")
_FILLER_WORDS = """
    patients patient subjects subject participants participant must have been with that this from than prior before within
    study entry screening baseline randomization randomisation enrollment enrolment inclusion visit time history known documented
    diagnosis diagnosed defined according criteria criterion revised based confirmed score scale status disability expanded
    kurtzke inclusive years year months month weeks week days previous last past during between range from least more less
    treatment treated therapy therapies drug drugs medication medications agent agents women woman female females male males
    either both only other following such will should could able willing each every when while after since they their there
    were having multiple sclerosis form forms disease clinical clinically test result results positive negative level levels
    normal limit upper lower institutional laboratory serum count counts greater equal adults adult aged ages older total any
    current currently evidence presence present patients' subject's include includes including date dose doses course received
    receiving taking required require requires
"""
_FILLER = frozenset(_FILLER_WORDS.split())


# A few words that ask for something of their own: "history of thrombocytopenia, or …", "while on that same therapy".
_OWN_DEMAND = re.compile(
    r"\bhistory of (?:an? |any |known )?(?=(?P<word>[a-z-]{4,}))|\bwhile on (?:that|this|the) same\b"
)


def _residue(reading: Reading, constraints: list[Constraint]) -> bool:
    """Words that carry meaning stand outside of what was read."""
    text = reading.text
    read = [(c.start, c.end) for c in constraints] + reading.exception_zones
    left = 0
    for found in _WORD.finditer(text):
        if found.group() in _FILLER:
            continue
        position = found.start()
        for start, end in read:
            if start <= position < end:
                break
        else:
            left += 1
            if left > 2:
                return True
    return any(
        found["word"] not in _FILLER
        and not reading.in_exception(found.start())
        and not any(
            c.start < found.end() + len(found["word"] or "") and found.start() < c.end for c in constraints
        )
        for found in _OWN_DEMAND.finditer(text)
    )


# A row of `_rows`: what of the constraint goes into the table as it is, and what is worked out of it.
_TAKEN = tuple(
    name
    for name in Constraint._fields
    if name not in ("start", "end", "terms", "exception_terms", "exceptions")
)
_LISTS = ("terms", "exception_terms", "exceptions")
_BETWEEN_ITEMS = "\x1f"
_WORKED_OUT = ("key", "constraint_ordinal", "quote", "relative_start", "relative_end", *_LISTS)
_taken = itemgetter(*(Constraint._fields.index(name) for name in _TAKEN))


def _rows(raw: str, line: str, constraints: list[Constraint]) -> Iterator[tuple]:
    shift = _shifts(raw) if len(raw) != len(line) else None
    for ordinal, c in enumerate(constraints, start=1):
        start, end = max(0, c.start - 1), min(len(line), c.end - 1)
        quote = line[start:end]
        stripped = quote.strip(" ,;:.")
        if stripped:
            start += quote.index(stripped)
            end = start + len(stripped)
        first = _original(start, shift)
        exceptions = tuple(
            line[max(0, int(a) - 1) : int(b) - 1].strip() for a, b in (e.split(":") for e in c.exceptions)
        )
        yield (
            ordinal, line[start:end], first, _original(end - 1, shift) + 1 if end > start else first,
            c.terms, c.exception_terms, exceptions, *_taken(c),
        )  # fmt: skip


def _table(rows: list[tuple]) -> pl.DataFrame:
    """Rows of `_rows`, a key before each, as a table. Lists go in joined and are split there: polars builds nested columns item by item."""
    columns = dict(
        zip((*_WORKED_OUT, *_TAKEN), zip(*rows, strict=True) if rows else itertools.repeat(()), strict=False)
    )
    columns["rule_version"] = [RULE_VERSIONS[rule_id] for rule_id in columns["rule_id"]]
    flat = {name: _list_column(columns.pop(name)) for name in _LISTS}
    return (
        pl.DataFrame(columns, schema={n: k for n, k in _OUTPUT.items() if n in columns})
        .with_columns(**flat)
        .select(list(_OUTPUT))
    )


def _list_column(lists: Sequence[Sequence[str]]) -> pl.Series:
    joined = pl.Series([_BETWEEN_ITEMS.join(items) if items else None for items in lists], dtype=pl.String)
    column = joined.str.split(_BETWEEN_ITEMS).fill_null([])
    if column.list.len().sum() != sum(map(len, lists)):
        # A text that holds the separator itself.
        return pl.Series(lists, dtype=pl.List(pl.String))
    return column


def _shifts(raw: str) -> tuple[list[int], list[int]]:
    """Collapsed positions behind each run of white space, and how many characters the run lost in all so far."""
    positions, lost, total = [], [], 0
    for found in re.finditer(r"\s{2,}", raw):
        total += found.end() - found.start() - 1
        positions.append(found.end() - total)
        lost.append(total)
    return positions, lost


def _original(position: int, shift: tuple[list[int], list[int]] | None) -> int:
    if shift is None:
        return position
    index = bisect_right(shift[0], position)
    return position + (shift[1][index - 1] if index else 0)
