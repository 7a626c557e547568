"""What an outcome measures: its kind, and the words that decided it.

Rules over the measure's title; where the title says nothing, the plainest of them over the description.
Works on registered outcomes and, with the posted title in `measure`, on posted results. No time frames here.

A rule is a kind and a pattern; the first rule in `RULES` that matches wins, so narrow kinds stand before the
wide ones that they also satisfy ("annualized relapse rate" before "relapse", "confirmed disability
progression on EDSS" before "EDSS").
"""

from __future__ import annotations

import polars as pl

OTHER = "other"

# Kind and pattern (Rust regex, case ignored; abbreviations that are also words keep their case).
RULES: tuple[tuple[str, str], ...] = (
    # Composite of the others, so it comes first.
    (
        "neda",
        r"\bneda\b[- ]?[345]?|no evidence of disease activity|free (?:of|from) disease activity|disease activity[- ]free",
    ),
    (
        "arr",
        r"annuali[sz]ed (?:[a-z-]+ ){0,3}?relapses?(?:[- ]rates?)?|annual (?:ms )?relapse[- ]rates?|yearly relapse rates?"
        r"|relapses? per (?:patient|participant|person|subject)?[- ]?year|relapse rate per year|(?-i:\bARR\b)",
    ),
    ("pira", r"(?-i:\bPIRA\b)|progression independent of relapse"),
    (
        "cdi",
        r"(?:confirmed|sustained)(?: [a-z0-9()-]+){0,4}? (?:improvement|reduction|decrease) (?:in|of)(?: [a-z-]+){0,3} (?:disability|edss)"
        r"|(?:confirmed|sustained)(?: [a-z0-9()-]+){0,3}? (?:disability|edss) (?:improvement|reduction|decrease)"
        r"|disability improvement|improvement (?:in|of) disability|(?:3|6|12|24)[- ](?:month|week) (?-i:CDI)\b",
    ),
    (
        "cdw",
        r"(?:confirmed|sustained)(?: [a-z0-9()-]+){0,4}? (?:disability|edss|neurological)(?: [a-z()-]+){0,2}? (?:progression|worsening|accumulation|increase|deterioration)"
        r"|(?:confirmed|sustained)(?: [a-z0-9()-]+){0,3}? (?:progression|worsening|accumulation|increase|deterioration) (?:in|of|on)(?: [a-z-]+){0,3}? (?:disability|edss)"
        r"|(?:disability|edss)(?: score)? (?:progression|worsening|accumulation|deterioration)(?:,? (?:confirmed|sustained))?"
        r"|accumulation of disability|(?:progression|worsening) of (?:[a-z-]+ )?disability|(?-i:\b(?:CDP|CDW|SAD)\b)",
    ),
    ("msss", r"multiple sclerosis severity s(?:core|cale)|(?-i:\b(?:MSSS|ARMSS|gARMSS)\b)"),
    (
        "edss_change",
        r"(?:change|difference|increase|decrease|improvement|worsening|reduction|evolution)s?[^.;]{0,80}?(?:\bedss\b|expanded disability status)"
        r"|(?:\bedss\b|expanded disability status s(?:cale|core))[^.;]{0,60}?(?:change|difference|increase|decrease|improvement|worsening|from baseline)",
    ),
    ("edss", r"\bedss\b|expanded disability status s(?:cale|core)"),
    ("msfc", r"multiple sclerosis functional composite|(?-i:\bMSFC(?:-\d)?\b)"),
    ("sdmt", r"symbol[- ]digits? modalit(?:y|ies)(?: tests?)?|(?-i:\bSDMT\b)"),
    ("bvmt_r", r"brief visuo-?spatial memory(?: test)?|(?-i:\bBVMT(?:[- ]?R)?\b)"),
    ("cvlt", r"california verbal learning(?: test)?|(?-i:\bCVLT(?:[- ]?(?:II|2|3))?\b)"),
    ("pasat", r"paced auditory serial addition(?: test)?|(?-i:\bPASAT(?:[- ]?[23])?\b)"),
    (
        "t25fw",
        r"timed 25[- ]?(?:foot|feet|ft)[- ]walk(?: test)?|25[- ]?(?:foot|feet|ft) (?:timed )?walk(?:ing)?(?: test)?|(?-i:\b(?:T25[- ]?FW|T25W|25FW)\b)",
    ),
    ("nhpt", r"(?:nine|9)[- ]hole[- ]peg(?: test)?|(?-i:\b(?:9[- ]?HPT|NHPT)\b)"),
    (
        "cognition",
        r"\bcogniti(?:on|ve)\b(?: (?:function(?:ing)?|impairment|performance|decline|abilit(?:y|ies)|test(?:s|ing)?|battery|change))?|(?-i:\bBICAMS\b)|neuropsychological",
    ),
    # Before PedsQL, whose name it contains: "Pediatric Quality of Life in Neurological Disorders".
    (
        "neuroqol",
        r"neuro[- ]?qol|quality of life in (?:pa?ediatric )?neurological disorders|neurological (?:disorders )?quality of life",
    ),
    ("pedsql", r"pa?ediatric quality of life(?: inventory| questionnaire)?|(?-i:PedsQL)|\bpedsql\b"),
    (
        "t2_lesion_volume",
        r"(?:\bt2\b|flair)[^.;]{0,40}?lesion (?:volume|load|burden)s?|(?:volume|load) of [^.;]{0,30}?\bt2\b[^.;]{0,30}?lesions?",
    ),
    (
        "gd_lesions",
        r"(?:gadolinium|\bgd\b|\bgde\b|contrast)[^.;]{0,30}?(?:enhanc[a-z]*|\+|positive)?[^.;]{0,20}?lesions?|(?:t1[- ])?gd[- ]?\+|\bgd[- ]enhancing|gadolinium[- ]enhanc[a-z]*",
    ),
    (
        "mri_activity",
        r"combined unique active|(?-i:\bCUA(?:L)?s?\b)|new (?:active|mri) lesions?|active (?:mri )?lesions?|mri (?:disease )?activity",
    ),
    (
        "t2_lesions",
        r"(?:new(?:ly)?|enlarg(?:ing|ed)|newly enlarg(?:ing|ed))[^.;]{0,40}?\bt2\b[^.;]{0,40}?lesions?|\bt2\b[^.;]{0,40}?lesions?|lesions?[^.;]{0,30}?\bt2\b(?:[- ]weighted)?",
    ),
    ("t1_lesions", r"\bt1\b[^.;]{0,40}?(?:lesions?|black holes?|hypo-?intens[a-z]*)|black holes?"),
    (
        "brain_volume",
        r"(?:brain|grey matter|gray matter|white matter|thalam[a-z]+|cortical|cerebral) (?:volume|atrophy)(?: loss| change)?|brain parenchymal fraction|(?-i:\b(?:PBVC|BPF)\b)",
    ),
    (
        "survival",
        r"(?:overall|progression[- ]free|event[- ]free|disease[- ]free|relapse[- ]free|recurrence[- ]free|metastasis[- ]free|failure[- ]free|leuk[a-z]+[- ]free|invasive[- ]disease[- ]free|graft|patient)[- ]survival"
        r"|\bsurvival\b(?: rate| time)?|(?-i:\b(?:PFS|OS|DFS|EFS|RFS)\b)|time to (?:disease )?progression",
    ),
    (
        "relapses",
        r"relapse[- ]free|(?:time to|number of|total|proportion|percentage|rate of|severity of|freedom from)(?: [a-z-]+){0,6}? relapses?(?:[ ,.;)]|$)|\brelapse rates?",
    ),
    (
        "oct",
        r"optical coherence tomography|retinal nerve fib(?:er|re) layer|ganglion cell[^.;]{0,20}?layer|(?-i:\b(?:OCT|RNFL|pRNFL|GCIPL)\b)",
    ),
    (
        "visual_acuity",
        r"visual acuity|low[- ]contrast letter acuity|sloan (?:chart|letter)s?|(?-i:\b(?:BCVA|LCLA|LCVA)\b)",
    ),
    ("neurofilament", r"neurofilament(?: light(?: chain)?)?s?|(?-i:\bs?NfL\b)"),
    (
        "antidrug_antibodies",
        r"anti[- ]?drug[- ]antibod(?:y|ies)|anti[- ]?[a-z]+mab antibod(?:y|ies)|neutrali[sz]ing antibod(?:y|ies)|immunogenicity|antibod(?:y|ies) (?:to|against) (?:[a-z-]+mab|interferon|study drug|drug)"
        r"|anti-[a-z0-9]+ antibod(?:y|ies)|(?-i:\b(?:ADAs?|NAbs?)\b)",
    ),
    (
        "lymphocytes",
        r"\blymphocytes?(?: (?:phenotyp[a-z]*|subsets?|counts?|populations?|depletion|repletion|reconstitution))?|immunophenotyp[a-z]*|\b[bt][- ]cells? (?:counts?|subsets?|depletion|repletion|levels?|numbers?)|\bcd(?:3|4|8|16|19|20|27|56)\+? ?(?:positive |\+ ?)?(?:[bt] )?(?:cells?|counts?|lymphocytes?)",
    ),
    (
        "pharmacokinetics",
        r"pharmacokinetics?|serum concentrations?|plasma concentrations?|serum (?:trough|levels?)|concentrations? of [a-z0-9-]+ (?:in|over time)|\bc ?\(?(?:max|min|trough|ss|avg)\)?\b|\bt ?\(?max\)?\b"
        r"|area under the[^.;]{0,40}?(?:concentration|curve|time)[^.;]{0,20}?|(?-i:\bAUC)[a-z0-9_ ()-]{0,16}|(?:terminal |elimination )?half[- ]?life|\bt ?1/2z?\b|\bclearance\b(?: \(cl[^)]*\))?|volume of distribution|bioavailability|trough concentration|maximum (?:observed )?(?:serum|plasma) concentration",
    ),
    (
        "mortality",
        r"(?:all[- ]cause |cardiovascular |overall |in-hospital |\d+-day )?mortality(?: rate)?|\bdeaths?\b",
    ),
    (
        "adverse_events",
        r"treatment[- ]emergent[^.;]{0,30}?adverse (?:events?|reactions?)|(?:serious |severe |drug[- ]related )*adverse (?:events?|reactions?|effects?|experiences?)|(?-i:\b(?:TE)?S?AES?I?s?\b|\bTESAEs?\b)"
        r"|side[- ]effects?|toxicit(?:y|ies)|safety(?: and tolerability)?|tolerability|dose[- ]limiting toxicit(?:y|ies)|(?-i:\bDLTs?\b)|complications?|infusion[- ](?:associated|related) reactions?|infections?\b(?: rate)?|malignanc(?:y|ies)|injection[- ]site reactions?",
    ),
    (
        "tumour_response",
        r"(?:objective|overall|complete|partial|best overall|clinical|pathologic(?:al)?(?: complete)?|haematologic(?:al)?|tumou?r) response(?: rate)?|duration of response|disease control rate|(?-i:\b(?:ORR|DOR|DCR|pCR|BOR)\b)|complete remission(?: rate)?",
    ),
    ("fatigue", r"\bfatigue\b(?: (?:severity|impact|score))?|(?-i:\b(?:MFIS|FSS|FSMC)\b)"),
    (
        "depression_anxiety",
        r"depress[a-z]+(?: [a-z]+){0,2}?|anxiety|\bbeck\b|(?-i:\b(?:HADS|PHQ-?\d|GAD-?7|BDI(?:-II)?|HAM-?D|MADRS)\b)",
    ),
    (
        "quality_of_life",
        r"(?:health[- ]related )?quality[- ]of[- ]life|\bqol\b|\bhrqol\b|(?-i:\b(?:MSQ[oO]L(?:-54)?|MSIS(?:-29)?|SF-?(?:36|12|6D)|EQ-?5D(?:-[35]L|-Y)?|FAMS|PRIMUS|EORTC[A-Z0-9 -]*|FACT-[A-Z]|WHOQOL[A-Z-]*|NEI-VFQ[- ]?\d*|KIDSCREEN[- ]?\d*)\b)|multiple sclerosis impact scale|patient[- ]reported outcomes?",
    ),
    (
        "pain",
        r"\bpain\b(?: (?:intensity|severity|score|scale))?|\bvas\b|visual analogu?e scale|brief pain inventory",
    ),
    (
        "walking",
        r"(?:six|6|two|2)[- ]min(?:ute)?[- ]walk(?: test)?|\bgait\b(?: (?:velocity|speed|quality))?|walking (?:speed|ability|distance|scale)|(?-i:\b(?:6MWT|2MWT|MSWS(?:-12)?|TUG)\b)|timed up and go",
    ),
    (
        "treatment_satisfaction",
        r"treatment satisfaction(?: questionnaire)?|(?-i:\bTSQM\b)|patient satisfaction|satisfaction",
    ),
    ("adherence", r"adherence|compliance|persistence(?: (?:with|on))?|treatment discontinuation"),
    (
        "vaccine_response",
        r"seroconversion|seroprotection|antibody (?:titer|titre|response)s?|geometric mean (?:titer|titre)s?|immune response",
    ),
    (
        "laboratory",
        r"\blaborator(?:y|ies)(?: (?:values?|parameters?|tests?|abnormalit(?:y|ies)))?|h(?:a|ae)?emoglobin(?: a1c)?|\bhba1c\b|creatinine|cholesterol|glucose|immunoglobulins?(?: [gma])?|(?-i:\bIg[GMA]\b)|biomarkers?|cytokines?",
    ),
    (
        "vital_signs",
        r"blood pressure|heart rate|vital signs?|body (?:weight|mass index)|\bbmi\b|\becg\b|electrocardiogram",
    ),
    ("hospitalization", r"hospitali[sz]ations?|length of (?:hospital )?stay|readmissions?"),
    ("mri_other", r"magnetic resonance|(?-i:\bMRI\b)"),
)

KINDS = (*dict.fromkeys(kind for kind, _ in RULES), OTHER)

# A description mentions many things in passing; only kinds with names that mean nothing else are taken from it.
_FROM_DESCRIPTION = (
    "neda", "arr", "pira", "msss", "msfc", "sdmt", "bvmt_r", "cvlt", "pasat", "t25fw", "nhpt", "pedsql", "neuroqol",
    "oct", "neurofilament", "edss",
)  # fmt: skip


def classify(outcomes: pl.DataFrame) -> pl.DataFrame:
    """The outcomes with `outcome_kind` and `outcome_kind_words`.

    Args:
        outcomes: at least `measure`; `description` is used where it is there. One row an outcome, any order.

    Returns:
        The same rows in the same order with two more columns: the kind (one of `KINDS`, never null) and the
        words of the title, or of the description, that decided it (null for `other`).
    """
    described = (
        outcomes
        if "description" in outcomes.columns
        else outcomes.with_columns(description=pl.lit(None, pl.String))
    )
    texts = described.select(
        pl.col("measure", "description").cast(pl.String).fill_null(""),
    ).unique(maintain_order=True)
    decided = texts.lazy().with_columns(_found(pl.col("measure"), KINDS).alias("_found")).collect()
    undecided = decided.filter(pl.col("_found").struct.field("kind").is_null())
    decided = pl.concat(
        [
            decided.filter(pl.col("_found").struct.field("kind").is_not_null()),
            undecided.with_columns(_found(pl.col("description"), _FROM_DESCRIPTION).alias("_found")),
        ]
    ).select(
        "measure",
        "description",
        pl.col("_found").struct.field("kind").fill_null(OTHER).alias("outcome_kind"),
        pl.col("_found").struct.field("words").alias("outcome_kind_words"),
    )
    keys = described.select(pl.col("measure", "description").cast(pl.String).fill_null(""))
    found = keys.join(decided, on=["measure", "description"], how="left", maintain_order="left")
    return outcomes.drop("outcome_kind", "outcome_kind_words", strict=False).with_columns(
        found.get_column("outcome_kind"), found.get_column("outcome_kind_words")
    )


def _found(text: pl.Expr, kinds: tuple[str, ...]) -> pl.Expr:
    """The first rule of `kinds` that matches, as a struct of kind and words."""
    words = {
        index: text.str.extract(f"(?i)({pattern})", 1)
        for index, (kind, pattern) in enumerate(RULES)
        if kind in kinds
    }
    decision = pl.coalesce(
        pl.when(found.is_not_null()).then(
            pl.struct(pl.lit(RULES[index][0]).alias("kind"), found.str.strip_chars().alias("words"))
        )
        for index, found in words.items()
    )
    return decision
