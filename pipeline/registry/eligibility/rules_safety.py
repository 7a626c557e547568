"""Rules about safety and conduct: laboratory limits, infections, malignancy, pregnancy, contraception, MRI, consent."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.registry.eligibility import patterns as re
from pipeline.registry.eligibility.lexicon import Mention
from pipeline.registry.eligibility.quantities import NUMBER, Bounds, Span, compared, number
from pipeline.registry.eligibility.reading import Constraint, Reading

# --------------------------------------------------------------------------------------------------------- laboratory
_ULN = r"(?:upper\s+(?:limits?|levels?|bound)\s+(?:of\s+)?(?:the\s+)?(?:normal|reference)(?:\s+range)?(?:\s*\(\s*uln\s*\))?|upper\s+(?:normal\s+|reference\s+)(?:limits?|range|values?)|(?<![a-wyz])uln\b|(?<![a-wyz])unl\b|(?<=\d)n\b|upper\s+normal\s+limits?|upper\s+limit|normal\s+upper\s+limits?|(?:(?<=x )|(?<=x  )|(?<=x   )|(?<=x of ))(?:the\s+)?normal(?!\s+(?:saline|range))(?:\s+(?:value|limit|level)s?)?|(?:(?<=times )|(?<=times of ))(?:the\s+)?normal(?:\s+(?:value|limit|level)s?)?)"
_LLN = r"(?:lower\s+(?:limits?|levels?|bound)\s+(?:of\s+)?(?:the\s+)?(?:normal|reference)(?:\s+range)?s?(?:\s*\(\s*lln\s*\))?|(?<![a-wyz])lln\b|lower\s+normal\s+limits?)"
_SITE = r"(?:(?:the|of|local|institutional|institution's|laboratory|lab|age[- ]adjusted|respective|central|normal range)\s*)*"
_TIMES = r"\s*(?:x|\*|times|-?\s*fold|-?\s*times)?\s*"
_LIMIT = re.compile(
    rf"(?:(?P<symbol>[≥≤><]|\bwithin\b|\bover\b|\bunder\b)(?:\s*\(?[≥≤><=]+\)?)?\s*(?:or\s+equal\s+(?:to\s+)?)?(?:a\s+|the\s+)?)?"
    rf"(?:(?P<value>{NUMBER})\s*(?:-?\s*(?P<high>{NUMBER}))?{_TIMES})?{_SITE}(?:the\s+)?(?P<limit>{_ULN}|{_LLN})"
)
_LAB_UNIT = r"(?:x\s*10\s*(?:\^|\*\*|e|\()?\s*\(?\d{1,2}\)?\s*(?:cells?\s*)?/?\s*(?:µl|l|ml|mm3|mm\^3)?|/\s*(?:cu\.?\s*)?(?:µl|ul|mcl|mm\s*\^?\s*3|mm|l\b|ml|dl)|g\s*/\s*d?l|mg\s*/\s*d?l|µmol\s*/\s*l|umol\s*/\s*l|mmol\s*/\s*(?:l|mol)|mcmol/l|%|ml\s*/\s*min(?:ute)?(?:\s*/\s*1\.73\s*m\s*\^?2?)?|ng\s*/\s*(?:ml|dl)|µg\s*/\s*(?:l|ml)|i?u\s*/\s*(?:l|ml)|miu\s*/\s*(?:l|ml)|cells?\s*(?:/|per)\s*(?:µl|ul|mm\^?3|mm3|microliter|ml|l)|/\s*microlit(?:er|re)|per\s+(?:microliter|cubic\s+(?:millimeter|mm)|mm3|µl|ul|liter|litre)|g\s*%|mm3|nmol\s*/\s*l|pg\s*/\s*ml|titer|k\s*/\s*µl|giga\s*/\s*l|gpt/l)"
_LAB_VALUE = re.compile(
    rf"(?P<symbol>[≥≤><])(?:\s*\(?\s*[≥≤><=]+\s*\)?)?\s*(?:or\s+equal\s+to\s+)?(?:of\s+|a\s+)?(?P<value>\d{{1,3}}(?:\ \d{{3}})+(?!\d)|{NUMBER})(?P<unit>\s*{_LAB_UNIT})?"
)
_LAB_TRAILING = re.compile(
    rf"(?P<value>{NUMBER})(?P<unit>\s*{_LAB_UNIT})\s*(?:or|and)\s*(?P<word>more|greater|higher|above|less|lower|below)\b"
)
_LAB_GAP = re.compile(
    r"(?:[\s,:;=()\[\]/+]|\b(?:which|level|levels|count|counts|value|values|concentration|serum|plasma|blood|of|is|are|was|must|be|and|or|total|absolute|the|to|a|an|at|screening|baseline|cell|cells|that|documented|as|either|with|fasting|elevation|elevations|elevated|increase|by|result|results|confirmed|titre|titer|test|tests|calculated|using|cockcroft|gault|cockcroft-gault|formula|in|on|persistent|repeated|sgot|sgpt|anc|wbc|plt|hb|hgb|alc|estimated|per|ratio|concentrations|peripheral|have|has|had|normal|range|males|females|men|women|for|any|one|both|more than once|reduced|decreased|low|clearance|enzymes?|liver|function|visits?(?:\s*\d+)?)\b|-)*"
)
_NORMAL = re.compile(
    r"(?<!limit of )(?<!limits of )(?<!limit )(?<!upper )(?<!lower )(?<!level of )(?<!limit of the )\bnormal\b|within\s+(?:the\s+)?(?:\w+\s+){0,2}normal\s+(?:limits|range)|\bwnl\b"
)
_CPE = "interferon neutralising antibody titre (cpe assay)"
_MXA = "interferon neutralising antibody titre (mxa assay)"


_BY_SEX = re.compile(
    r"\s*,?\s*(?:or|and)\s*$|^[^.;]{0,60}?\b(?:for|in)\s+(?:women|men|females?|males?)[\s,]*(?:or|and)?\s*$"
)
_FOR_ONE_SEX = re.compile(r"\s*(?:\([^)]*\)\s*)?(?:for|in)\s+(?:\w+\s+)?(?:women|men|females?|males?)\b")
_OUTSIDE = re.compile(
    rf"\boutside\s+(?:of\s+)?(?:the\s+)?(?:range\s+)?(?:of\s+|from\s+)?(?P<low>{NUMBER})\s*(?:-|to|and)\s*(?P<high>{NUMBER})(?P<unit>\s*{_LAB_UNIT})"
)
_OF_THE_OTHER_SEX = re.compile(
    rf"(?<![≥≤><\d] )(?<![≥≤><\d.,])\b(?P<value>{NUMBER})(?P<unit>\s*{_LAB_UNIT})(?=\s*(?:for|in)\s+(?:women|men|females?|males?)\b)"
)
_CELLS = frozenset({"leukocytes", "lymphocytes", "neutrophils", "platelets", "eosinophils"})


def lab_limit(r: Reading) -> Iterator[Constraint]:
    """lab.limit: a laboratory measure against a number with its unit, or against the limits of normal."""
    text = r.text
    # "Lymphopenia (< 0.8 x 10^9/L)" is a limit, "a history of thrombocytopenia" is none.
    labs = [
        m for m in r.mentions
        if m.family == "lab" and (not text[m.start : m.end].endswith(("penia", "emia")) or re.match(r"\s*\(?\s*[≤<≥>]", text[m.end :]))
    ]  # fmt: skip
    if not labs:
        return
    taken: list[tuple[int, int]] = []
    hits: list[tuple[int, int, Bounds, str | None, list[Mention]]] = []
    listed: set[int] = set()
    speaks_of_limits = (
        "limit" in text
        or "uln" in text
        or "lln" in text
        or "unl" in text
        or "normal" in text
        or re.search(r"\dn\b", text)
    )
    for found in _LIMIT.finditer(text) if speaks_of_limits else ():
        symbol, value = found["symbol"], found["value"]
        is_upper = re.search(r"lower|lln", found["limit"]) is None
        if symbol is None and value is None:
            left = text[max(0, found.start() - 26) : found.start()]
            if re.search(r"\b(?:over|exceed\w*|outside)\s*(?:the\s+)?$", left):
                symbol = ">"
            elif re.search(r"\b(?:under|beneath)\s*(?:the\s+)?$", left):
                symbol = "<"
            else:
                continue
        if symbol is None:
            symbol = "≥" if r.sense == "forbid" else "≤"
        symbol = {"within": "≤", "over": ">", "under": "<"}.get(symbol, symbol)
        amount = number(value) if value else 1.0
        if amount > 60:
            continue
        bounds = compared(symbol, amount)
        group = _labs_of(r, labs, found.start(), found.end())
        if group:
            if group[0].start > found.start():
                listed.update(m.start for m in group)
            hits.append((found.start(), found.end(), bounds, "xULN" if is_upper else "xLLN", group))
            taken.append(found.span())
    for pattern in (_LAB_VALUE, _LAB_TRAILING):
        for found in pattern.finditer(text):
            if any(a <= found.start() < b or found.start() <= a < found.end() for a, b in taken):
                continue
            after = text[found.end() : found.end() + 14]
            if re.match(r"\s*(?:x|times|\*|-?fold)?\s*(?:the\s+)?(?:uln|upper)", after) or re.match(
                r"\s*-?\s*(?:days?|weeks?|months?|years?|hours?|mg\b|kg|points?|grade)", after
            ):
                continue
            symbol = (
                found["symbol"]
                if "symbol" in found.re.groupindex
                else ("≤" if found["word"] in ("less", "lower", "below") else "≥")
            )
            unit = re.sub(r"\s+", " ", found["unit"]).strip() if found["unit"] else None
            if unit is None and re.match(r"\s*(?:[,.]\d|\d)", after):
                continue
            free = [m for m in labs if m.start not in listed or m.start > found.start()]
            group = _labs_of(r, free, found.start(), found.end())
            if not group and hits and _BY_SEX.match(text[hits[-1][1] : found.start()]):
                # "> 1.4 mg/dL for women or > 1.6 mg/dL for men"
                group = hits[-1][4]
            if not group and re.match(r"[^.;\d]{0,8}mxa", after):
                group = [m for m in labs if m.term == _CPE][:1]
            if not group:
                continue
            bounds = compared(symbol, number(found["value"].replace(" ", "")))
            if unit and unit.lower() == "g/l" and all(m.term in _CELLS for m in group):
                unit = "10^9/l"  # giga, not grams
            hits.append((found.start(), found.end(), bounds, _unit(unit), group))
            taken.append(found.span())
    for found in _OUTSIDE.finditer(text):
        group = _labs_of(r, labs, found.start(), found.end())
        if group:
            # "TSH outside 0.4 - 4.5 mIU/L": too low and too high
            unit = _unit(re.sub(r"\s+", " ", found["unit"]).strip())
            hits.append((found.start(), found.end("low"), compared("<", number(found["low"])), unit, group))
            hits.append((found.start("high"), found.end(), compared(">", number(found["high"])), unit, group))
    for found in _OF_THE_OTHER_SEX.finditer(text) if hits else ():
        before = max((h for h in hits if h[1] <= found.start()), default=None, key=lambda h: h[1])
        if before and _BY_SEX.match(text[before[1] : found.start()]):
            # "< 11 g/dL in women or 12 g/dL in men"
            limit = Bounds(*(number(found["value"]) if isinstance(v, float) else v for v in before[2]))
            hits.append((found.start(), found.end(), limit, before[3], before[4]))
    hits.sort(key=lambda h: h[0])
    for start, end, bounds, unit, group in hits:
        first, last = min(m.start for m in group), max(m.end for m in group)
        if r.in_exception(first) and r.in_exception(start):
            continue
        # "(patients with direct bilirubin ≤ 1.5 x ULN are eligible)" widens, it demands nothing.
        bracket = text[end : text.find(")", end) if ")" in text[end:] else end]
        if re.search(r"\b(?:eligible|allowed|permitted|acceptable)\b", bracket) and "(" not in bracket:
            continue
        clause_start, clause_end = r.clause(start)
        if re.match(r"\W*if\b", text[clause_start:clause_end]) and re.search(
            r"\bmust\b", text[clause_start:clause_end]
        ):
            continue
        terms = tuple(dict.fromkeys(m.term for m in group))
        # "Vitamin D > 1000 IU a day" is a dose.
        if text[first:last] == "vitamin d" and unit not in ("nmol/L", "nmol/l", "ng/mL"):
            continue
        if _CPE in terms and re.search(r"mxa", text[end : end + 16]):
            terms = tuple(_MXA if t == _CPE else t for t in terms)
        polarity = r.sense
        exceptions = r.exceptions_in(clause_start, clause_end)
        of_one_sex = _FOR_ONE_SEX.match(text, end) is not None
        yield Constraint(
            "lab_limit", polarity, min(first, start), max(last, end), "lab.limit", *bounds, unit=unit, terms=terms,
            window_anchor=_screening(text[clause_start:clause_end]), exceptions=exceptions, is_qualified=bool(exceptions) or of_one_sex,
        )  # fmt: skip
    if hits or r.sense == "forbid":
        return
    normal = _NORMAL.search(text)
    if normal and len(text) < 400:
        for clause_start, clause_end in r.clauses:
            clause_labs = [m for m in labs if clause_start <= m.start < clause_end]
            found = _NORMAL.search(text, clause_start, clause_end)
            if (
                not clause_labs
                or not found
                or re.search(r"range\s+or\s+below|limit|volunteer", text[found.end() : found.end() + 16])
            ):
                continue
            near = [
                m for m in clause_labs if 0 <= m.start - found.end() < 70 or 0 <= found.start() - m.end < 50
            ]
            if near:
                yield Constraint(
                    "lab_limit", "require", min(near[0].start, found.start()), max(near[-1].end, found.end()), "lab.normal",
                    terms=tuple(dict.fromkeys(m.term for m in near)), window_anchor=_screening(text[clause_start:clause_end]),
                )  # fmt: skip


def _unit(unit: str | None) -> str | None:
    """One spelling: "x 10 ^9 / l" is "10^9/L"."""
    if unit is None:
        return None
    bare = re.sub(r"^10(\d{1,2})/", r"10^\1/", re.sub(r"\s+", "", unit).removeprefix("x"))
    for printed, name in (
        ("ul", "µL"),
        ("µl", "µL"),
        ("mcl", "µL"),
        ("microliter", "µL"),
        ("microlitre", "µL"),
        ("dl", "dL"),
        ("ml", "mL"),
        ("/l", "/L"),
    ):
        bare = bare.replace(printed, name)
    return bare


def _screening(clause: str) -> str | None:
    return "screening" if "screening" in clause else "baseline" if "baseline" in clause else None


def _labs_of(r: Reading, labs: list[Mention], start: int, end: int) -> list[Mention]:
    """The measures that a limit is about: the list right before it, else right behind it."""
    text = r.text
    clause_start, clause_end = r.clause(start)
    before = [m for m in labs if clause_start <= m.start and m.end <= start]
    group: list[Mention] = []
    edge = start
    for m in reversed(before):
        # "(ACr)" behind a name is its abbreviation.
        between = re.sub(r"\(\s*[a-z]{2,5}\s*\)", " ", text[m.end : edge])
        if not _LAB_GAP.fullmatch(between):
            if group or len(between) > 60 or re.search(r"[≥≤><]|\d", between):
                break
            words = re.sub(r"\([^)]*\)", " ", between)
            if not _LAB_GAP.fullmatch(words):
                break
        if group and re.search(r"\d", re.sub(r"visits?\s*\d+", "", between)):
            break
        group.append(m)
        edge = m.start
    if group:
        return group[::-1]
    edge = end
    for m in labs:
        if m.start < end or m.start >= clause_end:
            continue
        between = text[edge : m.start]
        if group and re.match(r"[\s:a-z]{0,14}[≥≤><]", text[m.end :]):
            break
        if (
            re.search(r"[≥≤><]", between)
            or len(between) > (60 if not group else 26)
            or (not group and re.search(r"\d", between))
        ):
            break
        if (
            not group
            and not re.search(r"^\W*(?:\w+\W+){0,3}?(?:for|of|in|serum|elevation|either)\b", between)
            and not re.fullmatch(r"[\s(:]*", between)
        ):
            break
        group.append(m)
        edge = m.end
    return group


# ---------------------------------------------------------------------------------------------------------- infection
_GENERIC = frozenset({
    "any infection", "active infection", "acute infection", "severe infection", "severe active infection", "systemic infection",
    "active systemic infection", "serious local infection", "infectious disease", "systemic bacterial infection", "systemic viral infection",
    "systemic fungal infection", "abscess", "cellulitis", "pneumonia", "septicemia",
})  # fmt: skip
_GRAVE = frozenset(
    {"opportunistic infection", "invasive fungal infection", "progressive multifocal leukoencephalopathy"}
)
_GERMS = re.compile(
    r"\b(bacterial|viral|fungal)\b(?=(?:\s*(?:,|/|or|and|and/or)\s*(?:\w+\s*(?:,|or|and|/)?\s*){0,4})?(?:\s+or\s+\w+)?\s*infections?\b|[\s,/]+(?:or\s+|and\s+)?(?:bacterial|viral|fungal|mycobacterial|parasitic|other))"
)
_HISTORY = re.compile(r"\b(?:history|prior|previous(?:ly)?|ever|past)\b(?=(?:[^,]*,?){0,2}[^,]*$)")
_INFECTION_BLOCK = re.compile(
    r"\b(?:risk\s+(?:for|of)|at\s+risk|vulnerab\w+|suscept\w+|prone\s+to|predispos\w+|vaccin\w*|immuni[sz]\w*|prophyla\w*|family\s+(?:history|member)|caused\s+by|due\s+to|associated\s+with|unrelated\s+to|related\s+to|prevent\w*|transmi\w+|expos\w+\s+to|endemic|screened\s+for|evaluated\s+for|be(?:en)?\s+tested\s+for|pseudo)\b[^.;]{0,70}$"
)


_ORAL_WITHIN = re.compile(r"\bor\s+(?:\w+\s+){0,4}?oral\s+(?:antibiotic|anti-?\w+|treatment|therapy)s?")
_OR_AT_RISK = re.compile(
    r"infections?\s+or\s+(?:at\s+)?(?:high\s+|increased\s+)?risk\s+(?:for|of)\s+infections?,\s*(?:e\.g\.|for example|such as|including)[^.;]*$"
)
# An infection of one organ is not any infection.
_ORGAN_INFECTION = re.compile(
    r"\b(?:urinary(?:\s+tract)?|bladder|respiratory(?:\s+tract)?|skin|ear|sinus|dental|tooth|wound|nail|eye|ocular|vaginal|genital|throat|kidney|bone|joint|catheter|yeast|foot|toenail|fingernail|oral|cutaneous)\s+$"
)


# Infections that pass: a time behind the list is theirs too.
_PASSING = frozenset({"varicella zoster", "herpes", "covid-19"})


def infection(r: Reading) -> list[Constraint]:
    """infection.present, infection.immunity: infections that exclude, now, ever or within a time; immunity that is asked for."""
    found = [m for m in r.mentions if m.family == "infection"]
    if not found:
        return []
    out: list[Constraint] = []
    text = r.text
    immune = _immunity(r, found)
    if immune is not None:
        return [immune]
    for clause_start, clause_end in r.clauses:
        clause = text[clause_start:clause_end]
        mentions = [m for m in found if clause_start <= m.start < clause_end and not r.in_exception(m.start)]
        if not mentions or r.permits(clause_start, clause_end):
            continue
        kept: list[Mention] = []
        for m in mentions:
            before = text[clause_start : m.start]
            block = _INFECTION_BLOCK.search(before)
            # "Active infection or high risk for infection, e.g. latent tuberculosis": examples of both
            if block and not (kept and _OR_AT_RISK.search(before)):
                at_risk = re.search(r"at\s+risk\s+of\s+(?:developing|having|reactivation|hepatitis)", before)
                if not (at_risk and m.term not in _GENERIC):
                    continue
            if re.match(r"\s*(?:vaccin\w*|immuni[sz]ation|prophyla\w*)", text[m.end : m.end + 20]):
                continue
            if m.term in ("any infection", *_OF_GERMS) and _ORGAN_INFECTION.search(before):
                continue
            # "serology … indicating acute or chronic infection" says what the test shows.
            if m.term in _GENERIC and re.search(
                r"\b(?:indicat\w+|suggest\w+|consistent)\s+(?:of\s+|with\s+)?(?:an?\s+)?(?:\w+\s+or\s+)?$",
                before,
            ):
                continue
            # "Infections: …" and "… has a history of infection:" introduce what follows.
            if m.term in _GENERIC and re.match(r"[^.;]{0,40}:\s*$|\s*:", text[m.end :]):
                continue
            if m.term == "aids" and re.search(
                r"\b(?:sleep\w*|hearing|walking|visual|mobility|ambulatory|memory|decision)\s+$", before
            ):
                continue
            if m.term == "covid-19" and not re.search(
                r"infect|diagnos|positive|active|history|known|current|symptom|\bwithin\b|\blast\b|\bpast\b",
                clause,
            ):
                continue
            if re.search(r"\bcontact\s+(?:with|to)\b[^.;]{0,40}$", before):
                continue
            kept.append(m)
        risk = re.search(r"(?:at\s+)?high\s+risk\s+(?:for|of)\s+infection", clause)
        if risk and not _OR_AT_RISK.search(clause):
            kept = [m for m in kept if m.end <= clause_start + risk.start()]
        if r.sense == "require":
            kept = [
                m
                for m in kept
                if re.search(
                    r"\b(?:no|not|without|absence\s+of|free\s+(?:of|from)|negative|non|never|neither|nor)\b[^.;]{0,70}$",
                    text[max(clause_start, m.start - 80) : m.start],
                )
                or re.match(r"[^.;]{0,40}\b(?:negative|non-?reactive)\b", text[m.end : m.end + 50])
            ]
        if not kept:
            continue
        floor = clause_start
        for group in _families(r, kept):
            first, last = group[0].start, group[-1].end
            another = _ANOTHER_TEST.search(text, floor, first)
            floor = another.start() if another else clause_start
            terms = _infection_terms(r, group, clause_start)
            near = text[floor : min(clause_end, last + 40)]
            windows = [s for s in r.spans if s.role == "back" and clause_start <= s.start < clause_end]
            window: Span | None = None
            after = [s for s in windows if last - 1 <= s.start]
            before_windows = [s for s in windows if s.end <= first]
            generic = any(m.term in _GENERIC for m in group)
            if (
                after
                and (generic or len(after) == len(windows))
                and after[0].start - last < 120
                and (
                    all(m.term in _PASSING for m in group)
                    or not re.search(
                        r"\bor\s+(?:any|major|hospitali\w*|an?\b)",
                        text[last : after[0].start].rpartition(")")[2],
                    )
                )
            ):
                window = after[0]
            elif generic and (
                between := [
                    s for s in windows
                    if group[0].end <= s.start < group[-1].start and re.search(r"\b(?:including|such as|e\.g|for example)\b", text[s.end : last])
                ]
            ):  # fmt: skip
                # "Systemic infections within 6 months, including tuberculosis"
                window = between[0]
            elif (
                before_windows
                and first - before_windows[-1].end < 60
                # "neoplasm within 5 years, active infections": another condition's time
                and not _ANOTHER_CONDITION.search(text, clause_start, before_windows[-1].start)
            ):
                window = before_windows[-1]
            elif [s for s in r.head_spans if s.role == "back"]:
                window = next(s for s in reversed(r.head_spans) if s.role == "back")
            fields: dict = {}
            end = last
            if window is not None:
                fields = {
                    "window_value": window.value,
                    "window_unit": window.unit,
                    "window_anchor": window.anchor,
                }
                end = max(last, window.end) if window in windows and window.start > first else last
            elif _HISTORY.search(text[max(floor, first - 75) : first]):
                fields = {"window_anchor": "ever"}
            elif re.search(r"screening", near):
                fields = {"window_anchor": "screening"}
            elif re.search(r"history", r.head):
                fields = {"window_anchor": "ever"}
            exceptions = r.exceptions_in(clause_start, clause_end)
            begin = _status_start(text, floor, first)
            qualified = bool(exceptions) or bool(
                re.search(
                    r"\b(?:not adequately treated|untreated|uncontrolled|considers?|clinically significant|requiring|sufficiently|interfere\s+with|viral\s+load|detectable|copy\s+number|\d+\s+(?:\w+\s+){0,2}infections|\bdna\b|\brna\b|that would|which would|not controlled)\b",
                    clause,
                )
            )
            out.append(
                Constraint("infection", "forbid", begin, end, "infection.present", terms=terms, exceptions=exceptions, is_qualified=qualified, **fields)
            )  # fmt: skip
            oral = _ORAL_WITHIN.search(text, end, clause_end) if terms == ("severe infection",) else None
            second = next(
                (s for s in windows if oral and oral.start() < s.start and s.start - oral.end() < 30), None
            )
            if second is not None:
                # "… requiring hospitalisation within 8 weeks or oral antibiotics within 2 weeks"
                out.append(
                    Constraint(
                        "infection", "forbid", oral.start(), second.end, "infection.present", terms=("any infection",), is_qualified=True,
                        window_value=second.value, window_unit=second.unit, window_anchor=second.anchor,
                    )
                )  # fmt: skip
    return out


def _status_start(text: str, clause_start: int, first: int) -> int:
    found = re.search(
        r"(?:\b(?:known|history|active|current|positive|chronic|acute|ongoing|severe|serious|clinically|prior|persistent|uncontrolled|evidence|presence|signs|infection|negative|no)\b[\w\s,/'-]{0,60})$",
        text[clause_start:first],
    )
    return clause_start + found.start() if found else first


def _families(r: Reading, mentions: list[Mention]) -> list[list[Mention]]:
    """Named viruses, general infections and grave rare ones are different statements even in one sentence."""
    named = [m for m in mentions if m.term not in _GENERIC and m.term not in _GRAVE]
    # "active infection with hepatitis B": the noun of the named virus, no statement of its own
    mentions = [
        m
        for m in mentions
        if m.term not in ("any infection", "active infection")
        or not (
            re.match(r"\s*(?:with|by|of|due\s+to)\s", r.text[m.end :])
            and any(0 <= n.start - m.end < 44 for n in named)
        )
    ]
    # "hepatitis C infection or hepatitis B infection": each noun is its virus's.
    mentions = [
        m for m in mentions
        if not (m.term in ("any infection", "active infection") and any(0 <= m.start - n.end < 3 for n in named))
    ]  # fmt: skip
    groups: dict[str, list[Mention]] = {}
    for m in mentions:
        if m.term in _GRAVE and any(
            n.term == m.term or (re.fullmatch(r"[\s,()\w-]*,\s*", r.text[n.end : m.start]) and len(r.text[n.end : m.start]) < 24) for n in groups.get("named", [])[-1:]
        ):  # fmt: skip
            # "HIV, PML, hepatitis B": one list
            key = "named"
        elif m.term in _GRAVE:
            key = "grave"
        elif m.term in _GENERIC:
            key = "generic"
            last = groups.get("generic")
            if last and (
                _OR_ANY.search(r.text, last[-1].end, m.start)
                or (m.term in _BARE and _OR_HISTORY.search(r.text, last[-1].end, m.start))
            ):
                # "Active infection, or any severe infection within 4 weeks", "…, or a history of chronic infection"
                key = "another"
        else:
            key = "named"
            last = groups.get("named")
            if (
                last
                and _ANOTHER_TEST.search(r.text, last[-1].end, m.start)
                and _HISTORY.search(r.text[max(0, last[0].start - 75) : last[0].start])
            ):
                # "History of HIV, or a positive test for hepatitis B": ever, and now
                key = "tested"
            elif "tested" in groups:
                key = "tested"
        groups.setdefault(key, []).append(m)
    # "active infection (e.g. hepatitis B)" — examples belong to what they explain
    for general in ("another", "generic"):
        if general in groups and "named" in groups and groups["named"][0].start > groups[general][0].end:
            opened = max(
                (m for m in groups[general] if m.end <= groups["named"][0].start), key=lambda m: m.end
            )
            if _EXAMPLES.search(r.text[opened.end : groups["named"][0].start]):
                groups[general] += groups.pop("named")
    if (
        "generic" in groups
        and "grave" in groups
        and groups["grave"][0].start > groups["generic"][-1].end
        and len(groups["generic"]) > 1
        and _EXAMPLES.search(r.text[groups["generic"][0].end : groups["generic"][1].start])
        and not re.search(r"\bhistory\b", r.text[groups["generic"][-1].end : groups["grave"][0].start])
    ):
        groups["generic"] += groups.pop("grave")
    if "generic" in groups and "named" in groups:
        first_named = groups["named"][0]
        if groups["generic"][-1].start > groups["named"][-1].end and all(
            m.term == "any infection" for m in groups["generic"]
        ):
            # "HIV or hepatitis C infection": the noun of the list
            groups.pop("generic")
        elif (
            (
                len(groups["generic"]) == 1
                and any(0 <= groups["generic"][0].start - n.end < 14 for n in groups["named"])
            )
            or (
                all(m.term == "any infection" for m in groups["generic"])
                and len(groups["generic"]) == 1
                and re.match(r"\s*(?:with|by|or\s+\w*positive|\(|:|of)", r.text[groups["generic"][0].end :])
                and first_named.start - groups["generic"][0].end < 60
            )
            or (
                all(m.term in ("any infection", "active infection") for m in groups["generic"])
                and all(0 <= g.start - n.end < 12 for g in groups["generic"] for n in groups["named"][-1:])
            )
        ):
            groups.pop("generic")
    return [sorted(g, key=lambda m: m.start) for g in sorted(groups.values(), key=lambda g: g[0].start)]


_OF_GERMS = frozenset(
    ("systemic bacterial infection", "systemic viral infection", "systemic fungal infection")
)
_OR_ANY = re.compile(r"\bor\s+any\s+(?:\w+\s+){0,3}$")
_BARE = frozenset(("any infection", "active infection", "systemic infection"))
_OR_HISTORY = re.compile(r",\s*or\s+(?:an?\s+|known\s+)*history\s+of\b")
_ANOTHER_CONDITION = re.compile(
    r"\b(?:neoplas\w*|malignan\w*|cancers?|tumou?rs?|infarction|stroke|surgery|transplant\w*|pregnan\w*|relapses?)\b"
)
_EXAMPLES = re.compile(r"\b(?:including|such as|e\.?g\.?|i\.?e\.?|for example|eg)\b|^\s*\(")
_ANOTHER_TEST = re.compile(
    r"\bor\s+(?:known\s+)?history\s+of\b|\bor\s+(?:an?\s+)?positive\s+(?:\w+\s+){0,2}?(?:test|serology|result|screening)"
)


def _infection_terms(r: Reading, group: list[Mention], clause_start: int) -> tuple[str, ...]:
    terms: list[str] = []
    for m in group:
        before = r.text[max(clause_start, m.start - 60) : m.start]
        near = before[-46:]
        if m.term in ("any infection", "systemic infection", "severe infection", "active infection"):
            words = near + " " + r.text[m.start : m.end]
            germs = [g for g in ("bacterial", "viral", "fungal") if re.search(rf"\b{g}\b", near)]
            active = re.search(r"\b(?:active|ongoing|current|uncontrolled)\b", words)
            if re.search(r"\bopportunistic\s*(?:,|/|or|and)[\w\s,/]{0,24}$", near):
                terms.append("opportunistic infection")
                continue
            if re.match(
                r"\s*(?:\([^)]*\)\s*)?(?:that\s+\w+\s+)?requir\w+\s+(?:hospitali|intravenous|i\.?v\.?\b|parenteral|inpatient)",
                r.text[m.end :],
            ):
                # What brings a patient to hospital or onto a drip is severe.
                terms.append("severe infection")
                continue
            if (
                germs
                and re.search(r"\b(?:active|ongoing|current|uncontrolled)\b", before)
                and not re.search(r"\bsystemic\b", words)
            ):
                terms.append("active infection")
                continue
            severe = re.search(r"\b(?:severe|serious|significant|major)\b", words)
            systemic = re.search(r"\bsystemic\b", words)
            if germs and m.term != "severe infection":
                terms += [f"systemic {g} infection" for g in germs]
                continue
            if severe and active:
                terms.append("severe active infection")
            elif systemic and active:
                terms.append("active systemic infection")
            elif severe and m.term != "systemic infection":
                terms.append("severe infection")
            elif systemic:
                terms.append("systemic infection")
            elif active:
                terms.append("active infection")
            elif re.search(r"\bacute\b", near):
                terms.append("acute infection")
            elif re.search(r"\bopportunistic\b", near):
                terms.append("opportunistic infection")
            elif re.search(r"\bchronic\b", near):
                terms.append("active infection")
            else:
                terms.append(m.term)
            continue
        words = before + " " + r.text[m.start : m.end]
        if m.term in _OF_GERMS and not re.search(r"\bsystemic\b", words):
            if re.search(r"\b(?:severe|serious)\b", words):
                terms.append("severe infection")
                continue
            kinds = sum(g in words for g in ("bacterial", "viral", "fungal"))
            if kinds > 1 and re.search(r"\b(?:active|ongoing|current|uncontrolled)\b", words):
                terms.append("active infection")
                continue
        if m.term in (
            "systemic bacterial infection",
            "systemic viral infection",
            "systemic fungal infection",
        ):
            terms += [
                f"systemic {g} infection"
                for g in ("bacterial", "viral", "fungal")
                if re.search(rf"\b{g}\b", near + " " + r.text[m.start : m.end])
            ]
            continue
        terms.append(m.term)
    # "hepatitis B or C": the letter alone names the second virus
    joined = r.text[group[0].start : group[-1].end + 14]
    letters = re.search(r"hepatitis\s*a\s*,\s*b(?P<more>\s*(?:,|and|or)\s*c)?", joined)
    if letters:
        terms = [t for t in terms if t != "hepatitis"] + [
            "hepatitis b",
            *(["hepatitis c"] if letters["more"] else []),
        ]
    if re.search(
        r"hepatitis\s*b\s*(?:and/or|or|/|and|,)\s*(?:hepatitis\s*)?c\b|hepatitis\s*c\s*(?:and/or|or|/|and|,)\s*b\b",
        joined,
    ):
        terms += [t for t in ("hepatitis b", "hepatitis c") if t not in terms]
    # "pneumonia or urinary tract infection": the noun of an example is no term of its own.
    specific = [t for t in terms if t != "any infection"]
    return tuple(dict.fromkeys(specific or terms))


def _immunity(r: Reading, found: list[Mention]) -> Constraint | None:
    """Immunity against varicella, asked for or missing."""
    zoster = [m for m in found if m.term == "varicella zoster"]
    if not zoster or {m.term for m in found} - {"varicella zoster", "any infection"}:
        return None
    text = r.text
    first, last = zoster[0].start, zoster[-1].end
    around = text[max(0, first - 90) : last + 80]
    speaks = re.search(
        r"antibod|immun|igg|vaccinat|history\s+of\s+(?:chickenpox|chicken\s+pox|varicella)|serolog|seroneg|positive|titer|titre",
        around,
    )
    missing = re.search(r"\b(?:without|no\b|negative|not\b|lack|absence|seronegative|unvaccinated)\b", around)
    if not speaks or re.search(r"live|\bwithin\b", text[max(0, first - 60) : first]):
        return None
    if (r.sense == "forbid" and missing) or (
        r.sense == "require" and re.search(r"positive|history|immun|vaccinat|antibod", around)
    ):
        return Constraint(
            "infection",
            "require",
            first,
            last,
            "infection.immunity",
            terms=("varicella zoster immunity",),
            window_anchor="screening",
            is_qualified=False,
        )
    return None


# --------------------------------------------------------------------------------------------------------- malignancy
_MALIGNANCY = re.compile(
    r"malignanc(?:y|ies)|malignant\s+(?:disease|neoplas\w+|tumou?rs?|conditions?|disorders?|process|illness)|neoplas(?:m|ms|ia|tic disease|ias)|(?<![\w-])cancers?\b(?!-)|lymphoproliferative|(?<!basal cell )(?<!squamous cell )(?<!cell )\bcarcinomas?\b"
)
_MALIGNANCY_BLOCK = re.compile(
    r"\b(?:family\s+history|risk\s+(?:of|for|factors?)|suspicio\w+\s+(?:of|for)\s+(?:recurr\w+)|pre-?\s?malignant|non-?\s?malignant|screening\s+for|treatment\s+(?:for|of)|therapy\s+for|relative|cancer\s+therap\w+)\b[^.;]{0,30}$"
)
_ORGAN_CANCER = re.compile(
    r"\b(?:breast|lung|prostate|ovarian|pancrea\w+|colo\w+|colon|rectal|gastric|bladder|kidney|renal|liver|hepat\w+|thyroid|head\s+and\s+neck|endometrial|esophageal|cervical|skin|brain|bone|testicular|blood|metastatic|her2\S*|non-small|small|cell|urothelial|nasopharyngeal)\s*$"
)


def malignancy(r: Reading) -> Iterator[Constraint]:
    """malignancy.present: any malignancy, now, ever or within a time; single cancers are not read."""
    text = r.text
    if not re.search(r"malign|cancer|neoplas|carcinoma|lymphoprolif", text):
        return
    for clause_start, clause_end in r.clauses:
        for found in _MALIGNANCY.finditer(text, clause_start, clause_end):
            before = text[clause_start : found.start()]
            if r.in_exception(found.start()) or _MALIGNANCY_BLOCK.search(before):
                continue
            if re.match(r"(?:cancer|carcinoma)", found.group()) and (
                _ORGAN_CANCER.search(before)
                or re.match(
                    r"\s*(?:(?:immuno)?therap|treatment|drug|vaccin|directed|survivor|stage|patients|surgery|screening|diagnosis\s+is|type|center|institute|-related|society|pain|risk|in situ)",
                    text[found.end() : found.end() + 14],
                )
            ):
                continue
            if re.match(r"(?:carcinoma)", found.group()):
                continue
            if r.sense == "require" and not re.search(
                r"\b(?:no|not\s+have|not\s+had|without|absence\s+of|free\s+(?:of|from)|never|negative)\b[^.;]{0,60}$",
                before,
            ):
                continue
            # In an exclusion the permission is often the exception itself ("… are allowed").
            if r.sense == "require" and r.permits(clause_start, clause_end):
                continue
            windows = [s for s in r.spans if s.role == "back" and clause_start <= s.start < clause_end]
            in_zone = [s for s in windows if r.in_exception(s.start)]
            windows = [s for s in windows if s not in in_zone] or [
                s
                for s in in_zone
                if re.search(r"within|past|last", text[max(0, s.start - 20) : s.start])
                and re.search(r"[,)]", text[max(found.end(), s.start - 60) : s.start])
            ]
            # "history of cancer of less than 5 years"
            windows = windows or [
                s
                for s in r.spans
                if s.symbol in ("<", "≤") and s.start < clause_end
                and (0 <= s.start - found.end() < 24 or (clause_start <= s.start and re.fullmatch(r"\s*\)\s*(?:history\s+of\s+)?", text[s.end : found.start()])))
            ]  # fmt: skip
            head = [s for s in r.head_spans if s.role == "back"]
            window = windows[0] if windows else head[-1] if head else None
            exceptions = r.exceptions_in(clause_start, clause_end)
            fields: dict = {}
            end = found.end()
            if window is not None:
                fields = {
                    "window_value": window.value,
                    "window_unit": window.unit,
                    "window_anchor": window.anchor,
                }
                if window in windows and window.start > found.end():
                    end = window.end
            elif _HISTORY.search(before[-75:]) or re.search(r"history", r.head):
                fields = {"window_anchor": "ever"}
            begin = _status_start(text, clause_start, found.start())
            yield Constraint(
                "malignancy",
                "forbid",
                begin,
                end,
                "malignancy.present",
                terms=("malignancy",),
                exceptions=exceptions,
                is_qualified=bool(exceptions),
                **fields,
            )
            return


# ---------------------------------------------------------------------------------------------------------- pregnancy
_PREGNANT = re.compile(r"\bpregnan(?:t|cy|cies)\b|\bgravid\b|\bgestating\b|\bconceiv\w*|become pregnant")
# "Women who wish to become pregnant" are not.
_WISHED = re.compile(
    r"\b(?:become|becoming|plan(?:s|ning)?|wish\w*|want\w*|intend\w*|intention|desir\w*|consider\w*|attempt\w*|try\w*|contemplat\w*)\s+(?:to\s+|for\s+|a\s+|on\s+|of\s+|get\s+|be\s+|become\s+|becoming\s+|getting\s+)*$"
)
_PLANNED = re.compile(r"\s*(?:is\s+)?(?:planned|wish|plans?\b|desire)")
_NURSING = re.compile(
    r"breast[\s-]*feed\w*|\bbreast-?fed\b|\blactat\w+|\bnursing\b(?!\s+(?:home|staff|care|facilit|infant))|\bnurse\b(?=\s+(?:during|a|an|their|the))"
)
_PREGNANCY_TEST = re.compile(r"pregnancy\s+test\w*|\bhcg\b|\w-hcg\b|gonadotrop(?:h)?in")
_CONTRACEPTION = re.compile(
    r"contracept\w*|birth\s+control|method\s+of\s+birth|abstinen\w*|barrier\s+method|\bcondoms?\b|prevent\s+pregnancy|pregnancy\s+prevention|avoid\s+(?:becoming\s+)?pregnan\w+"
)


# "Pregnant women are eligible" stands among exclusions too.
_TAKEN_IN = re.compile(r"\b(?:are|is|remain)\s+(?:also\s+)?(?:eligible|allowed|permitted|welcome|included)\b")


def pregnancy(r: Reading) -> Iterator[Constraint]:
    """pregnancy.present: pregnancy, breastfeeding or a positive test excludes; a negative test is asked for."""
    text = r.text
    if not re.search(r"pregnan|breast|lactat|nursing|gravid|\bhcg\b", text):
        return
    for clause_start, clause_end in r.clauses:
        clause = text[clause_start:clause_end]
        pregnant = next(
            (
                m
                for m in _PREGNANT.finditer(text, clause_start, clause_end)
                if r.sense == "require"
                or not (_WISHED.search(text, clause_start, m.start()) or _PLANNED.match(text, m.end()))
            ),
            None,
        ) or re.compile(
            r"(?<=positive )(?:\w+ ){0,2}\S*\bhcg\b|\bhcg\b(?=[^.;]{0,30}\b(?:positive|negative))|(?<=negative )(?:\w+ ){0,2}\S*\bhcg\b"
        ).search(text, clause_start, clause_end)
        nursing = _NURSING.search(text, clause_start, clause_end)
        if not pregnant and not nursing:
            continue
        if r.sense == "forbid" and _TAKEN_IN.search(clause):
            continue
        test = _PREGNANCY_TEST.search(text, clause_start, clause_end)
        contraception = _CONTRACEPTION.search(text, clause_start, clause_end)
        first = min(m.start() for m in (pregnant, nursing) if m)
        last = max(m.end() for m in (pregnant, nursing) if m)
        if r.sense == "require":
            if test and re.search(r"negative", clause):
                negative = re.search(r"negative", clause)
                start = clause_start + negative.start()
                anchor = _screening(clause)
                terms = ("pregnancy", "breastfeeding") if nursing else ("pregnancy",)
                # "A negative test within 7 days before baseline": how old the test may be
                age = next(
                    (
                        s for s in r.spans
                        if s.role == "back" and test.end() <= s.start < min(clause_end, test.end() + 60) and not nursing
                        and not re.search(r"\b(?:and|or|;)\b", text[test.end() : s.start])
                    ),
                    None,
                )  # fmt: skip
                window = {"window_value": age.value, "window_unit": age.unit} if age else {}
                anchor = age.anchor if age and age.anchor else anchor
                yield Constraint(
                    "pregnancy_or_breastfeeding",
                    "forbid",
                    min(start, test.start()),
                    max(test.end(), start + 8, age.end if age else 0),
                    "pregnancy.present",
                    terms=terms,
                    window_anchor=anchor,
                    **window,
                )
                continue
            if contraception and not re.search(
                r"\b(?:not|non|neither)\s*-?\s*(?:be\s+|currently\s+|is\s+|are\s+)?(?:pregnant|breast|lactat|nursing)",
                clause,
            ):
                continue
            if re.search(
                r"\b(?:not|non|neither|no)\b[\s-]*(?:\w+\s+){0,6}?(?:pregnan|breast|lactat|nursing|gravid)",
                clause,
            ) and not re.search(r"pregnancy\s+(?:outcome|register)", clause):
                terms = tuple(t for t, m in (("pregnancy", pregnant), ("breastfeeding", nursing)) if m)
                yield Constraint(
                    "pregnancy_or_breastfeeding", "forbid", first, last, "pregnancy.present", terms=terms
                )
            continue
        if test and not nursing and not re.search(r"\bpregnant\b|\bpregnancy\b(?!\s+test)", clause):
            if re.search(r"positive|no(?:t)?\b[^.;]{0,20}negative|without\s+a?\s*negative", clause):
                yield Constraint(
                    "pregnancy_or_breastfeeding",
                    "forbid",
                    _positive(text, clause_start, test.start()),
                    test.end(),
                    "pregnancy.present",
                    terms=("pregnancy",),
                    window_anchor=_any_visit(clause),
                )
            continue
        if contraception and not nursing and not re.search(r"\bpregnant\b|^\W*pregnancy", clause):
            continue
        if (
            re.search(
                r"\bhistory\s+of\s+(?:\w+\s+){0,3}pregnan|\b(?:previous|prior|last|recent|during)\s+pregnanc|pregnancy[\s-]*(?:induced|related|associated)|partner\w*\s+(?:is|are|who)?\s*(?:is\s+|are\s+)?pregnan",
                clause,
            )
            and not nursing
        ):
            continue
        if re.search(r"tested\s+for\s+pregnancy|unwilling\s+(?:or\s+unable\s+)?to\s+be\s+tested", clause):
            continue
        terms = tuple(t for t, m in (("pregnancy", pregnant), ("breastfeeding", nursing)) if m)
        yield Constraint(
            "pregnancy_or_breastfeeding", "forbid", first, last, "pregnancy.present", terms=terms
        )


def _positive(text: str, clause_start: int, position: int) -> int:
    found = re.search(r"positive[^.;]{0,40}$", text[clause_start:position])
    return clause_start + found.start() if found else position


def _any_visit(clause: str) -> str | None:
    if re.search(r"day\s*-?\s*[01]\b|baseline", clause):
        return "baseline"
    return "screening" if "screening" in clause else None


def contraception(r: Reading) -> Iterator[Constraint]:
    """contraception.required: contraception is asked for, or its refusal excludes; the time after treatment where printed."""
    text = r.text
    found = _CONTRACEPTION.search(text)
    if not found:
        return
    wanted = re.compile(
        r"\b(?:must|agree\w*|willing\w*|practi[sc]\w+|us(?:e|es|ing|ed)|adequate|effective|acceptable|reliable|highly|commit\w*|require\w*|should|employ\w*|protected|accepted|appropriate|medically|consent\w*\s+to\s+use|take\s+precautions|refus\w*|unwilling\w*|not\s+(?:\w+\s+)?(?:using|willing|practi\w+)|unless|adhere|compl\w+|follow\w*|maintain\w*|abstain|ongoing|remain)\b"
    )
    for clause_start, clause_end in r.clauses:
        found = _CONTRACEPTION.search(text, clause_start, clause_end)
        if not found:
            continue
        clause = text[clause_start:clause_end]
        if not wanted.search(clause) or re.search(r"if\s+(?:they|she|he)\s+becomes?\b", clause):
            continue
        if r.in_exception(found.start()) and not re.search(r"unless", clause):
            continue
        if re.search(
            r"\b(?:allowed|permitted|such as|hormonal contraceptives? (?:is|are|that)|interact\w*|affect\w*\s+(?:the\s+)?(?:efficacy|hormonal))\b",
            clause[: found.start() - clause_start],
        ) and not re.search(r"must|agree|willing|practi|unless", clause):
            continue
        if r.sense == "forbid" and not re.search(
            r"\b(?:not|don.?t|doesn.?t|un\w+|missing|refus\w*|without|absence|unless|no\b|fail\w*|inadequate|lack\w*|inability|must|required\s+to|who\s+do)\b",
            clause,
        ):
            continue
        after = [
            s
            for s in r.spans
            if clause_start <= s.start < clause_end
            and s.start > found.start() - 4
            and (
                s.role in ("after", "since")
                or re.match(
                    r"\s*(?:or\s+(?:longer|more)\s+)?(?:after|following|post|from|thereafter)",
                    text[s.end : s.end + 24],
                )
            )
            and not re.search(
                r"menopaus|amenorr|postmeno|sterili", text[max(clause_start, s.start - 60) : s.start]
            )
        ]
        fields: dict = {}
        end = found.end()
        if after:
            fields = {"window_value": after[0].value, "window_unit": after[0].unit}
            end = max(end, after[0].end)
        begin = None
        for word in wanted.finditer(text, clause_start, found.start()):
            begin = word.start()
            break
        yield Constraint(
            "contraception_required",
            "require",
            begin if begin is not None else found.start(),
            end,
            "contraception.required",
            **fields,
        )
        return


# ------------------------------------------------------------------------------------------------------ MRI, consent
_MRI = r"(?:mri|magnetic\s+resonance(?:\s+imag\w+)?(?:\s*\(\s*mri\s*\))?|\bmr\s+imaging|\bmr\s+scans?|nmr)"
_MRI_RULES: tuple[tuple[str, re.Pattern], ...] = (
    ("mri contraindication", re.compile(rf"contra-?\s?indicat\w*\s+(?:\w+\s+){{0,3}}?(?:to|for|of|against|with|from)?\s*(?:\w+\s+){{0,4}}?(?:\w+\s+or\s+)?{_MRI}|{_MRI}[^.;]{{0,20}}contra-?\s?indicat|(?:incompatible|not\s+compatible)\s+with\s+(?:\w+\s+)?{_MRI}|{_MRI}[\s-]*(?:incompatib\w+\b(?!\s+with\s+(?:ms\b|multiple|the\s+diagnosis))|unsafe)|non-?\s?{_MRI}[\s-]*compatible|interfere\s+with\s+(?:\w+\s+){{0,3}}{_MRI}|precludes?\s+(?:\w+\s+){{0,4}}{_MRI}|condition\w*\s+(?:that\s+)?(?:would\s+)?(?:preclud\w+|prevent\w*)\s+(?:\w+\s+){{0,4}}{_MRI}")),
    ("unable to undergo mri", re.compile(rf"{_MRI}\s+(?:is\s+|scan(?:ning)?\s+(?:is\s+)?)?(?:impossible|not\s+(?:possible|feasible))|(?:unable|inability|unwilling\w*|cannot|can\s+not|not\s+able|incapable|refusal|not\s+willing|impossib\w+)\s+(?:or\s+\w+\s+)?(?:to\s+|of\s+)?(?:[\w-]+\s+){{0,7}}?{_MRI}")),
    ("gadolinium hypersensitivity", re.compile(r"(?:allerg\w*|hypersensitiv\w*|sensitivit\w*|anaphyla\w*|intoleran\w*|contra-?\s?indicat(?:ion|ed)\w*|adverse\s+reaction|reactions?)[^.;]{0,140}?\b(?:gadolinium|gd\b|gadolin\w*|mri\s+contrast|contrast\s+(?:media|medium|agent|material|dye))|(?:unable|inability)\s+to\s+(?:receive|tolerate|be\s+administered)[^.;]{0,30}gadolinium|gadolinium[^.;]{0,20}(?:allerg|hypersensitiv|intoleran)")),
    ("pacemaker", re.compile(r"pace-?\s?makers?\b(?!\w)")),
    ("metal implant", re.compile(r"(?:metal\w*|ferromagnetic|ferrous|magnetic)\s+(?:\w+\s+){0,3}?(?:bod(?:y|ies)|implants?|clips?|objects?|foreign|fragments?|devices?|prosthes\w+|parts?|hardware|pieces?|material)|(?:implanted|implants?)\s+(?:\w+\s+){0,3}?(?:metal|ferromagnetic)|aneurysm\s+clips?|cochlear\s+implants?|metal\s+(?:in|within)\s+")),
    ("artificial heart valve", re.compile(r"(?:artificial|mechanical|metal\w*|prosthetic)\s+(?:heart\s+|cardiac\s+)?valves?")),
    ("claustrophobia", re.compile(r"claustrophob\w+")),
    ("orthopedic implant", re.compile(r"ortho?paedic\s+implant|orthopedic\s+implant")),
    ("orthodontic treatment", re.compile(r"orthodontic\s+(?:treatment|device|work|brace)s?")),
)  # fmt: skip


def mri_contraindication(r: Reading) -> Iterator[Constraint]:
    """mri.contraindication: what keeps a patient from MRI or its contrast medium."""
    text = r.text
    if not re.search(
        r"mri\b|magnetic|gadolin|\bgd\b|pacemaker|claustrophob|implant|contrast|nmr|valve|\bmr\b", text
    ):
        return
    hits: list[tuple[int, int, str, bool]] = []
    for term, pattern in _MRI_RULES:
        for found in pattern.finditer(text):
            hits.append((found.start(), found.end(), term, False))
            break
    if not hits:
        return
    names = {h[2] for h in hits}
    speaks = bool(re.search(rf"{_MRI}|gadolin|\bgd\b", text)) or bool(
        names & {"mri contraindication", "unable to undergo mri"}
    )
    # A pacemaker can also stand among cardiac conditions: on its own it says nothing about MRI.
    if not speaks and (
        re.search(r"stimulat|\btms\b|\btdcs\b|\brtms\b|magnet(?:ic)? therap", text)
        or not (
            names & {"claustrophobia"}
            or ("metal implant" in names and len(text) < 60)
            or {"pacemaker", "metal implant"} <= names
        )
    ):
        return
    for clause_start, clause_end in r.clauses:
        own = sorted(h for h in hits if clause_start <= h[0] < clause_end and not r.in_exception(h[0]))
        if not own:
            continue
        before = text[clause_start : own[0][0]]
        if r.sense == "require" and not re.search(
            r"\b(?:no|not|without|absence\s+of|free\s+of|never)\b[^.;]{0,50}$", before
        ):
            continue
        terms = tuple(dict.fromkeys(h[2] for h in own))
        if (
            len(terms) > 1
            and "mri contraindication" in terms
            and {
                "claustrophobia",
                "orthopedic implant",
                "orthodontic treatment",
                "pacemaker",
                "metal implant",
            }
            & set(terms)
        ):
            pass
        exceptions = r.exceptions_in(clause_start, clause_end)
        yield Constraint(
            "mri_contraindication", r.sense, own[0][0], max(h[1] for h in own), "mri.contraindication", terms=terms,
            window_anchor="baseline" if re.search(r"baseline", text[clause_start:clause_end]) else None, exceptions=exceptions, is_qualified=bool(exceptions),
        )  # fmt: skip


_CONSENT = re.compile(
    r"(?:sign\w*|provid\w*|giv\w*|written|able|ability|willing\w*|capable|capacity|parental|obtain\w*|understand\w*|voluntar\w*|consent\w*\s+(?:form|document)|dated?|complet\w*|read)\b[^.;]{0,90}?\b(?:informed\s+(?:written\s+)?(?:assent|consent)|consents?|assent|\bicf\b)|\b(?:informed\s+consent|consent\s+form|written\s+(?:informed\s+)?consent|informed\s+assent|\bicf\b)\b[^.;]{0,60}?\b(?:sign\w*|obtain\w*|provid\w*|given|must|willing|available|completed)|^\W*(?:written\s+|signed\s+)?informed\s+consent\b|^\W*(?:be\s+)?(?:capable|able)\s+of\s+(?:giving\s+)?(?:informed\s+)?consent|\b(?:assent|consent)\s+of\s+(?:the|an?|both)\b"
)
_NO_CONSENT = re.compile(
    r"\b(?:inability|unable|unwilling\w*|refus\w*|not\s+(?:able|willing)|fail\w*|incapable|lack\w*\s+of|no\b|without|absence\s+of|cannot|not\s+capable|impossib\w+|(?:does|do|did)\s+not\s+(?:give|provide|sign|agree)|not\s+(?:giving|providing|signing))\b[^.;]{0,40}?\b(?:informed\s+consent|consent)\b"
)


_UNABLE_TO_CONSENT = re.compile(
    r"\b(?:unable|inability|unwilling\w*|not\s+(?:able|willing))\b[^.;]{0,90}?\b(?:or|and)\s+(?:to\s+)?(?:give|provide|sign)\s+(?:\w+\s+){0,3}?consent\b"
)


def informed_consent(r: Reading) -> Iterator[Constraint]:
    """consent.given: informed consent or assent is asked for; its lack excludes."""
    text = r.text
    if "consent" not in text and "assent" not in text and "icf" not in text:
        return
    if r.sense == "require":
        if re.search(r"\bfluen\w*|\benglish\b", text) and not re.search(
            r"sign|provid|giv|willing|obtain", text
        ):
            return
        found = _CONSENT.search(text)
        if (
            found
            and not re.search(
                r"^\W*(?:at|by|on)\s+(?:the\s+)?(?:time|date)\s+of\s+(?:signing\s+)?(?:the\s+)?(?:informed\s+)?consent",
                text,
            )
            and not _only_a_date(text, found)
        ):
            yield Constraint("informed_consent", "require", found.start(), found.end(), "consent.given")
        return
    found = _NO_CONSENT.search(text) or _UNABLE_TO_CONSENT.search(text)
    if found and len(text) < 260:
        yield Constraint("informed_consent", "require", found.start(), found.end(), "consent.given")


def _only_a_date(text: str, found: re.Match) -> bool:
    """ "… at the time of signing informed consent" says when something else holds."""
    before = text[: found.start()]
    if re.match(r"date\b", found.group()) and re.search(
        r"\b(?:of|from|to|on|by|before)\s+(?:the\s+)?$", before
    ):
        return True
    return (
        bool(
            re.search(
                r"\b(?:time|date|day|prior|before|moment|within|at|as|when|after|since|upon|from)\s*(?:of\s+|to\s+|the\s+|their\s+|\w+\s+){0,4}$",
                before[-40:],
            )
        )
        and len(before.strip()) > 12
    )


RULES = (
    ("lab.limit", 3, ("lab_limit",), lab_limit),
    ("infection.present", 3, ("infection",), infection),
    ("malignancy.present", 3, ("malignancy",), malignancy),
    ("pregnancy.present", 3, ("pregnancy_or_breastfeeding",), pregnancy),
    ("contraception.required", 3, ("contraception_required",), contraception),
    ("mri.contraindication", 3, ("mri_contraindication",), mri_contraindication),
    ("consent.given", 3, ("informed_consent",), informed_consent),
)
