"""The invented trials themselves: what each asks of patients, what it measures, and what five of them posted.

The criteria use the language of protocols with all that makes it hard (alternatives printed on one level,
exceptions, windows with two edges, wording of an exclusion inside an inclusion), in sentences of our own.
"""

from __future__ import annotations

from study_records import Json, analysis, arm, drug, earlier, not_posted, outcome, posted, results, study

ARR_TITLE = "Annualized Relapse Rate (ARR)"
EVENTS = [
    ("Infusion related reaction", "Injury, poisoning and procedural complications", False, [38, 2]),
    ("Nasopharyngitis", "Infections and infestations", False, [21, 18]),
    ("Headache", "Nervous system disorders", False, [17, 12]),
    ("Pneumonia", "Infections and infestations", True, [2, 1]),
    ("Basedow's disease", "Endocrine disorders", True, [3, 0]),
]


def switch_trial() -> Json:
    """RRMS with a relapse on prior therapy: randomised, two arms, everything posted."""
    arms = [("Relampamab 12 mg", 124), ("Interferon beta-1a", 61)]
    measures = [
        posted("PRIMARY", ARR_TITLE, "Up to 2 years", "relapses per year", "NUMBER", "95% Confidence Interval", arms,
               [(None, [(None, [(0.31, None, 0.24, 0.40), (0.58, None, 0.45, 0.75)])])],
               description="Relapses divided by the person-years of follow-up; negative binomial regression with robust variance, "
               "adjusted for region.", population="All invented participants who received at least one dose.",
               analyses=[analysis("<0.001", "Negative binomial regression", paramType="Rate Ratio", paramValue="0.53",
                                  ciPctValue="95", ciNumSides="TWO_SIDED", ciLowerLimit="0.37", ciUpperLimit="0.77")]),
        posted("SECONDARY", "Change From Baseline in Expanded Disability Status Scale (EDSS) Score at Month 12 and Month 24",
               "Baseline, Month 12 and Month 24", "score on a scale", "MEAN", "Standard Deviation", arms,
               [("Month 12", [(None, [(-0.24, 0.91), (0.05, 0.88)])]), ("Month 24", [(None, [(-0.31, 1.08), (0.14, 1.02)])])],
               description="A negative change is an improvement. EDSS ranges from 0 to 10.",
               class_participants={"Month 12": [121, 58], "Month 24": [113, 49]}),
        posted("SECONDARY", "Number of Participants With 6-month Confirmed Disability Worsening", "Up to 2 years", "Participants",
               "COUNT_OF_PARTICIPANTS", None, arms, [(None, [(None, [(11,), (12,)])])],
               analyses=[analysis("= 0.03", "Log Rank", paramType="Hazard Ratio (HR)", paramValue="0.42", ciPctValue="95",
                                  ciNumSides="TWO_SIDED", ciLowerLimit="0.19", ciUpperLimit="0.95")]),
        posted("SECONDARY", "Number of New or Enlarging T2 Lesions per Scan", "Month 12, Month 24", "lesions per scan", "MEAN",
               "Standard Error", arms, [("Month 12", [(None, [(0.9, 0.2), (3.1, 0.5)])]), ("Month 24", [(None, [(0.4, 0.1), (2.7, 0.4)])])]),
        posted("SECONDARY", "Symbol Digit Modalities Test (SDMT): Change From Baseline", "Baseline up to Week 96", "correct answers",
               "LEAST_SQUARES_MEAN", "Standard Error", arms,
               [(None, [(None, [(1.8, 0.6), ("NA", "NA", None, None, "Not estimated: fewer than half were assessed.")])])]),
        not_posted("SECONDARY", "Serum Concentration of Relampamab", "Day 1 to Month 24", "2027-01"),
    ]  # fmt: skip
    criteria = """Inclusion Criteria:

* Diagnosis of relapsing-remitting multiple sclerosis (RRMS) according to the 2010 revised McDonald criteria
* Age 18 to 65 years, inclusive
* EDSS score of 2.0 to 7.0 (inclusive) at screening
* At least 1 relapse within the 24 months prior to screening
* Prior treatment with an interferon beta, glatiramer acetate, natalizumab or fingolimod
* Signed written informed consent

Exclusion Criteria:

* Any progressive form of MS
* Previous treatment with alemtuzumab
* Treatment with mitoxantrone, cyclophosphamide or cladribine at any time
* Relapse within 30 days prior to screening
* Pregnant or breast-feeding women
* History of malignancy
* Known infection with HIV, hepatitis B or hepatitis C
* Platelet count \\< 100 x 10\\^9/L
* Any condition that, in the opinion of the investigator, makes participation unsafe"""
    return study(
        1, "Relampamab After Failure of an Earlier Therapy in Relapsing MS",
        "A Randomised, Rater-blinded Study of Relampamab Against Interferon Beta-1a in Relapsing-remitting MS With Disease Activity on Prior Therapy",
        criteria,
        [outcome(ARR_TITLE, "Up to 2 years", "Relapses divided by person-years.")],
        [outcome("Change From Baseline in Expanded Disability Status Scale (EDSS) Score at Month 12 and Month 24", "Baseline, Month 12 and Month 24"),
         outcome("Number of Participants With 6-month Confirmed Disability Worsening", "Up to 2 years"),
         outcome("Number of New or Enlarging T2 Lesions per Scan", "Month 12, Month 24"),
         outcome("Symbol Digit Modalities Test (SDMT): Change From Baseline", "Baseline up to Week 96"),
         outcome("Serum Concentration of Relampamab", "Day 1 to Month 24")],
        maximum="65 Years", enrolment=185, acronym="INVENT-SWITCH", sites=3,
        arms=[arm("Relampamab 12 mg", "EXPERIMENTAL", "Drug: Relampamab"), arm("Interferon beta-1a", "ACTIVE_COMPARATOR", "Drug: Interferon beta-1a")],
        interventions=[drug("Relampamab", "Relampamab 12 mg", other=["INV-0012"]), drug("Interferon beta-1a", "Interferon beta-1a", other=["Rebif"])],
        results_section=results(arms, [113, 49], [(38.1, 8.9), (37.4, 9.3)], [83, 40], [(3.9, 1.3), (3.8, 1.2)], measures, EVENTS,
                                "Raters could often guess the arm from infusion reactions."),
    )  # fmt: skip


def before_after_trial() -> Json:
    """One arm, before against after the switch, with MRI periods counted from the first dose."""
    arms = [("Relampamab", 96)]
    measures = [
        posted("PRIMARY", "Number of New or Enlarged T2 Lesions Per MRI Scan", "Period 1: Month -4 up to Month 0, Period 2: Month 4 to Month 8",
               "lesions per scan", "NUMBER", None, arms, [("Period 1", [(None, [(2.21,)])]), ("Period 2", [(None, [(0.18,)])])]),
        posted("SECONDARY", ARR_TITLE, "Up to 5 years", "relapses per patient-year", "MEAN", "Standard Deviation", arms,
               [(None, [(None, [(0.27, 0.61)])])], description="Unadjusted rate per patient-year."),
        posted("SECONDARY", "Change From Baseline in EDSS Score at Months 4 and 8", "Baseline, Months 4 and 8", "units on a scale", "MEAN",
               "Standard Deviation", arms, [("Month 4", [(None, [(-0.12, 0.74)])]), ("Month 8", [(None, [(-0.20, 0.93)])])],
               class_participants={"Month 4": [94], "Month 8": [90]}),
        posted("SECONDARY", "Number of Participants With Treatment-emergent Adverse Events (TEAE) and Serious Adverse Events (TESAE)",
               "Up to 5 years", "Participants", "COUNT_OF_PARTICIPANTS", None, arms, [("TEAE", [(None, [(88,)])]), ("TESAE", [(None, [(17,)])])]),
    ]  # fmt: skip
    criteria = """Inclusion criteria :

* Participants with RRMS aged from 18 years to \\<66 years at study entry
* EDSS score of 2.0 to 7.5 (inclusive) at screening
* At least 1 relapse in the last 2 years
* At least 1 of the following:
* \\>=1 gadolinium-enhancing lesion on the brain MRI within 12 months before screening, or
* Two or more relapses in the prior year, or
* Tried at least 2 MS DMTs.
* Signed informed consent.

Exclusion criteria:

* Any progressive or non-relapsing forms of MS.
* Previous treatment with alemtuzumab.
* Previous treatment with mitoxantrone, cyclophosphamide, cladribine, rituximab or any cytotoxic therapy.
* Treatment with teriflunomide in the last 12 months except if the participant underwent an accelerated elimination procedure.
* Current participation in another interventional study.
* Conditions such as claustrophobia or a pacemaker that make MRI impossible.
* Pregnant or breast-feeding participants, or those who plan to become pregnant during the study.
* Active infection, e.g., pneumonia or urinary tract infection, that the Investigator considers serious."""
    return study(
        2, "Before and After the Switch to Relampamab in Active Relapsing MS",
        "A Single-arm Before and After Switch Study of Relampamab in Relapsing-remitting MS With Disease Activity",
        criteria,
        [outcome("Number of New or Enlarged T2 Lesions Per MRI Scan", "Period 1: Month -4 up to Month 0, Period 2: Month 4 to Month 8")],
        [outcome(ARR_TITLE, "Up to 5 years"), outcome("Change From Baseline in EDSS Score at Months 4 and 8", "Baseline, Months 4 and 8"),
         outcome("Number of Participants With Treatment-emergent Adverse Events (TEAE) and Serious Adverse Events (TESAE)", "Up to 5 years"),
         outcome("Change From Baseline in Brief Visuospatial Memory Test - Revised (BVMT-R)", "Baseline, every 6 months up to 5 years"),
         outcome("Maximum Serum Concentration (Cmax) of Relampamab", "Days 1 to 5 of each course"),
         outcome("Lymphocyte Phenotyping", "Monthly for 12 months after each course"),
         outcome("Percentage of Participants With Anti-drug Antibodies", "Pre-dose and 1, 3 and 12 months after each course")],
        maximum="65 Years", enrolment=96, start="2011-09-12",
        arms=[arm("Relampamab", "EXPERIMENTAL", "Drug: Relampamab")], interventions=[drug("Relampamab", "Relampamab")],
        results_section=results(arms, [81], [(39.6, 9.4)], [70], [(4.1, 1.5)], measures,
                                [(term, organ, serious, counts[:1]) for term, organ, serious, counts in EVENTS]),
    )  # fmt: skip


def naive_trial() -> Json:
    """Early disease without earlier treatment: most treated patients fail on one criterion."""
    arms = [("Quietumab", 210), ("Placebo", 104)]
    measures = [
        posted("PRIMARY", "Adjusted Annualized Relapse Rate at Week 96", "Week 96", "relapses per patient-year", "LEAST_SQUARES_MEAN",
               "95% Confidence Interval", arms, [(None, [(None, [(0.19, None, 0.15, 0.24), (0.44, None, 0.36, 0.54)])])],
               description="Adjusted for baseline EDSS and number of earlier relapses.",
               analyses=[analysis("<0.0001", "Negative binomial regression", paramType="Rate ratio", paramValue="0.43",
                                  ciPctValue="95", ciNumSides="TWO_SIDED", ciLowerLimit="0.32", ciUpperLimit="0.58",
                                  estimateComment="Quietumab over placebo.")]),
        posted("SECONDARY", "Change From Baseline in EDSS at Week 96", "Baseline, Week 96", "units on a scale", "LEAST_SQUARES_MEAN",
               "Standard Error", arms, [(None, [(None, [(-0.05, 0.06), (0.21, 0.08)])])]),
        posted("OTHER_PRE_SPECIFIED", "Proportion of Participants With No Evidence of Disease Activity (NEDA)", "Baseline to Week 96",
               "percentage of participants", "NUMBER", None, arms, [(None, [(None, [(41.4,), (17.3,)])])]),
    ]  # fmt: skip
    criteria = """Inclusion Criteria:

1. Relapsing forms of MS as defined by the 2005 McDonald criteria
2. Disease duration of less than 10 years from the first symptom
3. Between 18 and 55 years of age, inclusive
4. EDSS 0 - 5.5
5. One documented relapse in the previous year, or two relapses in the previous 2 years

Exclusion Criteria:

1. Any previous disease-modifying therapy for MS
2. Corticosteroids within 30 days before baseline
3. ALT or AST \\> 3 times the upper limit of normal (ULN)
4. Absolute lymphocyte count \\< 0.8 x 10\\^9/L
5. Women who are pregnant, breast-feeding or unwilling to use effective contraception
6. History of epilepsy, psychosis or suicidal behaviour
7. Participation in another clinical trial within 3 months"""
    return study(
        3, "Quietumab as First Treatment of Relapsing MS",
        "A Placebo-controlled Study of Quietumab in Treatment-naive Relapsing MS", criteria,
        [outcome("Adjusted Annualized Relapse Rate at Week 96", "Week 96")],
        [outcome("Change From Baseline in EDSS at Week 96", "Baseline, Week 96"), outcome("Time to 3-month Confirmed Disability Progression", "From randomization until the end of the double-blind period")],
        other=[outcome("Proportion of Participants With No Evidence of Disease Activity (NEDA)", "Baseline to Week 96")],
        maximum="55 Years", enrolment=314, status="COMPLETED",
        arms=[arm("Quietumab", "EXPERIMENTAL", "Drug: Quietumab"), arm("Placebo", "PLACEBO_COMPARATOR", "Drug: Placebo")],
        interventions=[drug("Quietumab", "Quietumab"), drug("Placebo", "Placebo")],
        results_section=results(arms, [188, 87], [(33.2, 8.1), (34.0, 8.4)], [141, 70], [(2.3, 1.0), (2.4, 1.1)], measures, EVENTS),
    )  # fmt: skip


def refractory_trial() -> Json:
    """Two parts in one text, as refractory-MS programmes print them."""
    criteria = """Inclusion Criteria:

Prospective part:

* Relapsing or secondary progressive MS with documented relapses on therapy within the past 2 years
* Prior treatment with at least one disease-modifying therapy
* EDSS 3.0 to 7.0
* Age \\>= 18 years

Exclusion Criteria:

* Primary progressive MS
* Current pregnancy
* Active neoplasm, or history of malignancy except basal cell carcinoma of the skin
* Active infection
* Uncontrolled autoimmune disease other than MS
* Previous treatment with alemtuzumab"""
    return study(
        4, "Open-label Relampamab in Refractory MS", "A Prospective Cohort of Relampamab in Treatment-refractory MS", criteria,
        [outcome("Change in EDSS", "Baseline to 36 months"), outcome("Change in Multiple Sclerosis Severity Score (MSSS)", "Baseline to 36 months")],
        [outcome("Multiple Sclerosis Functional Composite (MSFC)", "Baseline, 12, 24 and 36 months"), outcome("Retinal nerve fiber layer thickness (OCT)", "Yearly up to 3 years"),
         outcome("Relapse rate compared with the two years before treatment", "24 months before to 36 months after the first infusion"),
         outcome("Adverse events", "36 months")],
        phase="PHASE1", enrolment=60, status="ACTIVE_NOT_RECRUITING", primary_completion="2017-06", completion="2017-12",
        arms=[arm("Relampamab open label", "EXPERIMENTAL", "Drug: Relampamab")], interventions=[drug("Relampamab", "Relampamab open label")],
    )  # fmt: skip


def paediatric_trial() -> Json:
    """Children, with structured ages that say something else than the text."""
    criteria = """Inclusion criteria:

* Participants with RRMS aged from 10 years to \\<18 years at study entry, diagnosed by the International Pediatric MS Study Group (IPMSSG) criteria
* EDSS score of 0.0 to 5.0 (inclusive) at screening
* At least 1 relapse in the last year during treatment with a beta interferon or glatiramer acetate after being on that therapy for at least 6 months
* Assent of the child and consent of a parent or guardian

Exclusion criteria:

* Treatment with natalizumab, fingolimod or azathioprine in the last 6 months prior to screening
* Previous treatment with alemtuzumab, mitoxantrone or rituximab
* History of human immunodeficiency virus (HIV) positivity
* Pregnant or breast-feeding female participants
* Epileptic seizures that are not adequately controlled by treatment"""
    return study(
        5, "Relampamab in Children With Active RRMS", "A Single-arm Switch Study of Relampamab in Paediatric RRMS", criteria,
        [outcome("Number of New or Enlarged T2 Lesions Per MRI Scan", "Period 1: Month -4 up to Month 0, Period 2: Month 4 to Month 8")],
        [outcome(ARR_TITLE, "Up to 5 years"), outcome("Change From Baseline in EDSS Score at Months 4 and 8", "Baseline, Months 4 and 8"),
         outcome("Change From Baseline in Pediatric Quality of Life (PedsQL) Score", "Baseline, Months 4, 8 and 12"),
         outcome("Change From Baseline in NeuroQoL Score", "Up to 5 years")],
        minimum="10 Years", maximum="18 Years", status="TERMINATED", why_stopped="Invented: enrolment closed early, too few children.", enrolment=12,
        arms=[arm("Relampamab", "EXPERIMENTAL", "Drug: Relampamab")], interventions=[drug("Relampamab", "Relampamab")],
    )  # fmt: skip


def progressive_trial() -> Json:
    """Secondary progression without relapses: what the switch trials exclude."""
    arms = [("Steadylast 300 mg", 140), ("Placebo", 70)]
    measures = [
        posted("PRIMARY", "Percentage of Participants With 12-week Confirmed Disability Progression", "Baseline up to Week 120",
               "percentage of participants", "NUMBER", "95% Confidence Interval", arms, [(None, [(None, [(26.4, None, 19.4, 34.6), (37.1, None, 26.1, 49.5)])])],
               analyses=[analysis("0.11", "Cochran-Mantel-Haenszel")]),
        posted("SECONDARY", "Change From Baseline in EDSS at Month 24", "Month 24", "units on a scale", "MEDIAN", "Inter-Quartile Range", arms,
               [(None, [(None, [(0.5, None, 0.0, 1.0), (0.5, None, 0.0, 1.0)])])]),
        posted("SECONDARY", "Change From Baseline in Timed 25-Foot Walk", "Baseline, Week 120", "seconds", "MEDIAN", "Full Range", arms,
               [(None, [(None, [(0.9, None, -6.1, ">180", "Unable to walk counted as 180 seconds."), (1.8, None, -4.0, ">180")])])]),
    ]  # fmt: skip
    criteria = """Inclusion Criteria:

- Secondary progressive MS (SPMS) with progression for at least 6 months
- 18 through 60 years of age
- EDSS between 3.0 and 6.5
- Disease duration of at least 2 years

Exclusion Criteria:

- Relapse within the 3 months before randomization
- RRMS or primary progressive MS
- Prior use of rituximab or ocrelizumab unless at least 12 months have passed
- Immunosuppressants (including but not limited to azathioprine, methotrexate and mycophenolate mofetil) within 6 months before randomization
- Clinically significant cardiovascular disease
- Unable to undergo MRI"""
    return study(
        6, "Steadylast in Secondary Progressive MS", "A Randomised Placebo-controlled Study of Steadylast in SPMS", criteria,
        [outcome("Percentage of Participants With 12-week Confirmed Disability Progression", "Baseline up to Week 120")],
        [outcome("Change From Baseline in EDSS at Month 24", "Month 24"), outcome("Change From Baseline in Timed 25-Foot Walk", "Baseline, Week 120")],
        maximum="60 Years", enrolment=210,
        arms=[arm("Steadylast 300 mg", "EXPERIMENTAL", "Drug: Steadylast"), arm("Placebo", "PLACEBO_COMPARATOR", "Drug: Placebo")],
        interventions=[drug("Steadylast", "Steadylast 300 mg"), drug("Placebo", "Placebo")],
        results_section=results(arms, [118, 57], [(48.2, 7.7), (47.5, 8.0)], [88, 41], [(5.1, 1.1), (5.0, 1.1)], measures, EVENTS),
    )  # fmt: skip


def high_activity_trial() -> Json:
    """Highly active disease, with washouts per drug."""
    arms = [("Relampamab", 88), ("Natalizumab", 43)]
    measures = [
        posted("PRIMARY", "Annualised relapse rate during year 1 and year 2", "Year 1, Year 2", "relapses per year", "MEAN", "95% Confidence Interval", arms,
               [("Year 1", [(None, [(0.33, None, 0.22, 0.47), (0.36, None, 0.19, 0.60)])]), ("Year 2", [(None, [(0.28, None, 0.18, 0.42), (0.31, None, 0.16, 0.56)])])]),
        posted("SECONDARY", "EDSS change from baseline at Year 2", "2 years", "score", "MEAN", "Standard Error", arms, [(None, [(None, [(-0.42, 0.11), (-0.18, 0.15)])])]),
        posted("SECONDARY", "Gadolinium-enhancing lesions at Month 12", "Month 12", "lesions", "MEAN", "Standard Deviation", arms, [(None, [(None, [(0.1, 0.4), (0.1, 0.5)])])]),
        posted("SECONDARY", "Number of Participants With Improved, Stable or Worsened EDSS", "Months 12 and 24", "Participants", "COUNT_OF_PARTICIPANTS", None, arms,
               [("Month 12", [("Improved", [(27,), (9,)]), ("Stable", [(49,), (25,)]), ("Worsened", [(8,), (6,)])]),
                ("Month 24", [("Improved", [(26,), (8,)]), ("Stable", [(44,), (23,)]), ("Worsened", [(11,), (8,)])])],
               class_participants={"Month 12": [84, 40], "Month 24": [81, 39]}),
    ]  # fmt: skip
    criteria = """Key inclusion criteria:

* Relapsing-remitting MS
* Age 18-60
* EDSS \\<= 7.0
* Highly active disease, defined as either:
   * at least 2 relapses in the 12 months before screening, or
   * at least 1 relapse in the 24 months before screening while on disease-modifying therapy for at least 6 months

Key exclusion criteria:

* Treatment with fingolimod within 1 month, natalizumab within 2 months, or mitoxantrone within 12 months before screening
* Prior treatment with alemtuzumab or cladribine
* Known hypersensitivity to gadolinium
* Progressive multifocal leukoencephalopathy, tuberculosis or other opportunistic infection at any time
* Neutrophils \\< 1.5 x 10\\^9/L
* Breast-feeding or pregnancy"""
    return study(
        7, "Relampamab or Natalizumab in Highly Active RRMS", "An Open-label Comparison of Relampamab and Natalizumab in Highly Active RRMS", criteria,
        [outcome("Annualised relapse rate during year 1 and year 2", "Year 1, Year 2")],
        [outcome("EDSS change from baseline at Year 2", "2 years"), outcome("Gadolinium-enhancing lesions at Month 12", "Month 12"),
         outcome("Number of Participants With Improved, Stable or Worsened EDSS", "Months 12 and 24"),
         outcome("Change in MSSS", "Screening to 24 months"), outcome("Rate of brain volume loss", "Week 0 to Week 48 and Week 48 to Week 96")],
        maximum="60 Years", enrolment=131, phase="PHASE4",
        arms=[arm("Relampamab", "EXPERIMENTAL", "Drug: Relampamab"), arm("Natalizumab", "ACTIVE_COMPARATOR", "Drug: Natalizumab")],
        interventions=[drug("Relampamab", "Relampamab"), drug("Natalizumab", "Natalizumab", other=["Tysabri"])],
        results_section=results(arms, [80, 38], [(36.0, 9.0), (35.1, 8.8)], [61, 31], [(3.6, 1.4), (3.4, 1.3)], measures, EVENTS),
    )  # fmt: skip


def transition_trial() -> Json:
    """From natalizumab or fingolimod to the next drug."""
    arms = [("Short washout", 40), ("Long washout", 38)]
    measures = [
        posted("PRIMARY", "Annualized relapse rate in the first 12 months after the switch", "12 months", "relapses per person-year", "NUMBER",
               "95% Confidence Interval", arms, [(None, [(None, [(0.42, None, 0.25, 0.68), (0.71, None, 0.47, 1.04)])])]),
        posted("SECONDARY", "Mean change in EDSS from baseline", "6 and 12 months", "points", "MEAN", "Standard Deviation", arms,
               [("6 months", [(None, [(-0.1, 0.8), (0.1, 0.9)])]), ("12 months", [(None, [(-0.2, 1.0), (0.2, 1.1)])])]),
    ]  # fmt: skip
    criteria = """Inclusion Criteria

• RRMS or SPMS with superimposed relapses
• EDSS 2.5-7.0 at baseline
• Natalizumab or fingolimod stopped no more than 24 months before screening
• Adults 18 years or older

Exclusion Criteria

• Alemtuzumab at any time
• More than one prior course of mitoxantrone
• Active hepatitis B
• Substance abuse
• Major psychiatric disorder not controlled by treatment
• Serum creatinine \\> 2 x ULN"""
    return study(
        8, "How Long to Wait After Natalizumab or Fingolimod", "A Randomised Comparison of Two Washout Periods Before Relampamab", criteria,
        [outcome("Annualized relapse rate in the first 12 months after the switch", "12 months")],
        [outcome("Mean change in EDSS from baseline", "6 and 12 months"), outcome("Time to first relapse", "Up to 24 months or last contact, whichever comes first")],
        enrolment=78, phase="PHASE2", arms=[arm("Short washout", "EXPERIMENTAL", "Drug: Relampamab"), arm("Long washout", "ACTIVE_COMPARATOR", "Drug: Relampamab")],
        interventions=[drug("Relampamab", "Short washout", "Long washout")],
        results_section=results(arms, [36, 33], [(41.9, 9.9), (42.6, 9.1)], [29, 26], [(4.6, 1.4), (4.7, 1.3)], measures,
                                [(term, organ, serious, [min(20, c) for c in counts]) for term, organ, serious, counts in EVENTS]),
    )  # fmt: skip


def simple_trials() -> list[Json]:
    """Records without results: a relapse treatment, a cohort, a walking drug, cognition, a stopped and a withdrawn trial."""
    one = [arm("Treatment", "EXPERIMENTAL", "Drug: Inventol")]
    inventol = [drug("Inventol", "Treatment")]
    acute = study(
        9, "Inventol for Acute Relapses", "Inventol Against Methylprednisolone in Acute MS Relapses",
        """Inclusion Criteria:

a) Clinically definite MS
b) Relapse with onset \\<= 42 days prior to the Baseline Visit
c) EDSS 2.0 to 6.5 at baseline, with an increase of at least 1.0 point from the last stable score
d) 18 to 55 years

Exclusion Criteria:

a) Corticosteroids or ACTH within 30 days before baseline
b) More than 2 relapses in the past 12 months
c) Diabetes with HbA1c \\> 8 %""",
        [outcome("EDSS change from Day 1 to Day 28", "Day 1 to Day 28")], [outcome("Complete recovery", "Day 28, Day 84")],
        maximum="55 Years", status="RECRUITING", enrolment=90, arms=one, interventions=inventol, primary_completion="2027-03", completion="2027-09",
    )  # fmt: skip
    registry = study(
        10, "A Cohort of Relapsing MS on Second-line Therapy", "A Prospective Observational Cohort of Relapsing MS",
        """Inclusion Criteria:

* Relapsing-remitting MS or secondary progressive MS
* EDSS 0 to 8.0
* Starting a second-line therapy after at least one prior disease-modifying therapy

Exclusion Criteria:

* Participation in an interventional clinical trial
* Unable to give consent""",
        [outcome("Annualised relapse rate", "Yearly for 5 years")], [outcome("EDSS", "Every 6 months from baseline through year 5"), outcome("Pregnancies and their outcome", None)],
        observational=True, status="RECRUITING", enrolment=500, primary_completion="2028-01", completion="2030-12",
    )  # fmt: skip
    walking = study(
        11, "Walkeridine for Walking in Any Form of MS", "Walkeridine in Adults With MS and Walking Impairment",
        """Inclusion Criteria:

* Diagnosis of multiple sclerosis of any course
* EDSS of 4.0 to 7.0
* 25-foot walk completed in 8 to 45 seconds

Exclusion Criteria:

* History of seizures
* Creatinine clearance \\< 60 mL/min
* Relapse in the last 60 days
* Change of disease-modifying therapy within 90 days prior to screening""",
        [outcome("Change From Baseline in Timed 25-Foot Walk", "Baseline, Weeks 2, 4 and 12")], [outcome("9-Hole Peg Test", "Baseline to Week 12")],
        maximum="70 Years", phase="PHASE2", status="RECRUITING", enrolment=150, arms=one, interventions=inventol, primary_completion="2027-05", completion="2027-08",
    )  # fmt: skip
    cognition = study(
        12, "Attention Training for MS", "Attention Training Against Waiting List in RRMS",
        """Inclusion Criteria:

* RRMS, diagnosed for at least 1 year
* 21 to 60 years of age
* EDSS no greater than 6.5
* SDMT at least 1 standard deviation below the norm

Exclusion Criteria:

* Relapse or corticosteroids in the last 4 weeks
* Major depression or other psychiatric disorder
* Neurological disease other than MS""",
        [outcome("SDMT", "8 weeks, 6 months")], [outcome("PASAT", "Baseline, end of training (8 weeks), follow-up (6 months)")],
        minimum="21 Years", maximum="60 Years", phase=None, status="RECRUITING", enrolment=64,
        arms=[arm("Training", "EXPERIMENTAL", "Behavioral: Attention training"), arm("Waiting list", "NO_INTERVENTION")],
        interventions=[{"type": "BEHAVIORAL", "name": "Attention training", "description": "Invented.", "armGroupLabels": ["Training"]}],
        primary_completion="2027-04-30", completion="2027-06-30",
    )  # fmt: skip
    stopped = study(
        13, "Repairin for Remyelination", "Repairin Added to Interferon Beta in RRMS",
        """Inclusion Criteria:

* RRMS by the McDonald criteria
* Stable treatment with interferon beta for at least 12 months
* No relapse within 3 months prior to randomization
* Disease duration \\<= 15 years
* EDSS 1.5 to 6.5

Exclusion Criteria:

* Natalizumab, fingolimod or daclizumab within 6 months; rituximab within 12 months
* Men unwilling to use contraception for 90 days after the last dose
* Total bilirubin \\> 1.5 x ULN""",
        [outcome("Visual evoked potential latency", "Week 24")], [outcome("EDSS", "Week 24 and Week 48")],
        maximum="50 Years", phase="PHASE2", status="TERMINATED", why_stopped="Invented: the drug could not be made.", enrolment=21, arms=one, interventions=inventol,
    )  # fmt: skip
    withdrawn = study(
        14, "Nothing in Primary Progressive MS", "A Withdrawn Study in PPMS",
        """Inclusion Criteria:

* Primary progressive MS
* Age 45 to 70 years
* EDSS 3.0 - 6.5

Exclusion Criteria:

* Any relapse ever
* Prior B-cell depleting therapy within 6 months""",
        [outcome("Time to 12-week confirmed disability progression", "Up to approximately 120 weeks")], [],
        minimum="45 Years", maximum="70 Years", status="WITHDRAWN", why_stopped="Invented: no participants.", enrolment=0, arms=one, interventions=inventol,
    )  # fmt: skip
    return [acute, registry, walking, cognition, stopped, withdrawn]


def all_trials() -> list[Json]:
    """Every invented study record, in order of its id."""
    return [
        switch_trial(), before_after_trial(), naive_trial(), refractory_trial(), paediatric_trial(), progressive_trial(),
        high_activity_trial(), transition_trial(), *simple_trials(),
    ]  # fmt: skip


def earlier_versions() -> list[Json]:
    """Records of the first trial as they stood before each of its two amendments, oldest first."""
    amended = switch_trial()
    score, relapses = (
        "* EDSS score of 2.0 to 7.0 (inclusive) at screening",
        "* At least 1 relapse within the 24 months",
    )
    later = [
        (score, "* EDSS score of 1.0 to 7.0 (inclusive) at screening"),
        (relapses, "* At least 2 relapses within the 24 months"),
        ("* Treatment with mitoxantrone, cyclophosphamide or cladribine at any time\n", ""),
    ]  # fmt: skip
    original = [(score, "* EDSS score of 1.0 to 4.5 (inclusive) at screening"), *later[1:]]
    return [
        earlier(amended, "2012-04-02", "NOT_YET_RECRUITING", original, maximumAge="55 Years"),
        earlier(amended, "2013-05-13", "RECRUITING", later),
    ]


MIRROR_ID = "NCT90000015"
MIRROR_PAGE = """---
title: An Invented Trial of Longer Relampamab After the Switch
nct_id: NCT90000015
overall_status: ENROLLING_BY_INVITATION
phase: PHASE4
sponsor: Invented Sponsor
study_type: INTERVENTIONAL
primary_condition: Multiple Sclerosis
countries: Germany, Italy
canonical_url: "https://mirror.example.org/agent/trials/NCT90000015.md"
clinicaltrials_gov: "https://clinicaltrials.gov/study/NCT90000015"
ct_last_update_post_date: 2026-09-30
last_seen_at: "2026-10-04T05:00:00.000Z"
source: ClinicalTrials.gov (mirrored, no enrichment)
---
# An Invented Trial of Longer Relampamab After the Switch

**Official Title:** Invented Trial, Not Real: A Long-term Extension of Relampamab in Relapsing Multiple Sclerosis

**NCT ID:** [NCT90000015](https://clinicaltrials.gov/study/NCT90000015)

## Key Facts

- **Status:** ENROLLING_BY_INVITATION
- **Phase:** PHASE4
- **Study Type:** INTERVENTIONAL
- **Target Enrollment:** 80
- **Lead Sponsor:** Invented Sponsor
- **Conditions:** Multiple Sclerosis
- **Start Date:** 2025-02-01
- **Completion Date:** 2030-01-31
- **CT.gov Last Update:** 2026-09-30

## Brief Summary

This trial is invented. It follows people who had relampamab in an earlier invented trial for (\\<) 5 more years.

## Detailed Description

No person took part.

## Eligibility

- **Minimum age:** 18 Years
- **Maximum age:** 70 Years
- **Sex:** ALL
- **Healthy Volunteers:** No

```
Inclusion criteria :

* Participants with relapsing MS aged \\>=18 years.
* EDSS score of 1.0 to 7.5 (inclusive) at screening.
* At least 1 of the following:
* At least 1 relapse in the 24 months before the first infusion, or
* \\>=1 new or enlarging T2 lesion in the 12 months before the first infusion.
* Treated with at least 1 MS DMT before.

Exclusion criteria:

* Primary progressive MS.
* Conditions/situations such as:
* Pregnancy or breast-feeding.
* Malignancy within the last 5 years.
* Treatment with cladribine at any time, or with ocrelizumab in the last 12 months.

The above information is not intended to contain all considerations relevant to a participant's potential participation in a clinical trial.
```

## Arms

- **Relampamab** (EXPERIMENTAL) — \\- relampamab 12 mg on 3 consecutive days, as needed \\[at least 12 months apart\\]. - Type: Experimental

## Interventions

- **Relampamab INV-0012** (DRUG) — Pharmaceutical form: solution, Route of administration: IV
- **Acyclovir** (DRUG) — Pharmaceutical form: tablet, Route of administration: oral

## Primary Outcomes

- **Annualized Relapse Rate (ARR)** _(time frame: Up to 5 years)_ — Relapses divided by person-years.

## Secondary Outcomes

- **Change From Baseline in Expanded Disability Status Scale (EDSS) Score** _(time frame: Baseline, Months 12, 24, 36, 48 and 60)_
- **Number of New or Enlarged T2 Lesions Per MRI Scan** _(time frame: Year 1 to Year 5)_
- **Number of Participants With Adverse Events** _(time frame: Up to 5 years)_

## Locations (2)

- Invented Site 15-1, Musterstadt, Germany
- Invented Site 15-2, Villa Prova, Prova, Italy

## Recent Field Changes (last 30 days)

- `status.overallStatus` — changed _(2026-09-30)_
- `eligibility.maxAge` — changed _(2026-09-30)_
- `locations.invented site 15-2|villa prova|prova|italy` — added _(2026-09-30)_

---

*Canonical: https://mirror.example.org/agent/trials/NCT90000015.md*@@
*Source data (authoritative): https://clinicaltrials.gov/study/NCT90000015*@@
*This page is invented in the form of a raw mirror: no such trial exists.*
""".replace("@@", "  ")  # markdown's line break: two blanks that no editor strips here
