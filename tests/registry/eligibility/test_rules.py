"""Every rule on invented sentences: what it says, and what it must not say."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.registry import eligibility
from pipeline.registry.eligibility.grammar import RULE_TABLE

INC, EXC = "Inclusion", "Exclusion"

# section, sentence, and for each constraint in order the fields that matter
CASES: list[tuple[str, str, list[dict]]] = [
    # --- EDSS
    (INC, "EDSS of 0 to 5.5 inclusive", [{"rule_id": "edss.range", "min_value": 0, "max_value": 5.5, "min_inclusive": True, "max_inclusive": True}]),
    (INC, "Expanded Disability Status Scale (EDSS) score \\<= 6.5 at baseline", [{"max_value": 6.5, "max_inclusive": True, "min_value": None, "window_anchor": "baseline"}]),
    (INC, "EDSS ≥ 3.0 and < 6.5", [{"min_value": 3, "min_inclusive": True, "max_value": 6.5, "max_inclusive": False}]),
    (INC, "EDSS score, as assessed by the examining neurologist, of 6.0 or less", [{"max_value": 6}]),
    (INC, "EDSS (Kurtzke 1983) score between 2 and 6", [{"min_value": 2, "max_value": 6}]),
    (INC, "a score of 0 - 5 on the Expanded Disability Status Scale (EDSS)", [{"min_value": 0, "max_value": 5}]),
    (INC, "EDSS 0-5,5", [{"max_value": 5.5}]),
    (EXC, "EDSS greater than (>) 5.5", [{"polarity": "forbid", "min_value": 5.5, "min_inclusive": False}]),
    (EXC, "EDSS score below 2 or above 6", [{"max_value": 2, "max_inclusive": False}, {"min_value": 6, "min_inclusive": False}]),
    (EXC, "Disease duration of more than 10 years in patients with an EDSS score of 2 or less",
     [{"kind": "disease_duration", "any_of_group": "1"}, {"kind": "edss_range", "max_value": 2, "any_of_group": "1"}]),
    (INC, "Disease duration of less than 10 years in patients with an EDSS of 5.0 or less", []),
    (INC, "EDSS progression of at least 1 point in the 2 years before screening",
     [{"rule_id": "edss.change", "min_value": 1, "window_value": 2, "window_unit": "years"}]),
    (INC, "Score of at least 3 in the pyramidal functional system of the EDSS", []),
    # --- age
    (INC, "Men and women, 18 to 55 years of age", [{"rule_id": "age.range", "min_value": 18, "max_value": 55, "unit": "years"}]),
    (INC, "aged from 10 years to \\<18 years at study entry", [{"min_value": 10, "max_value": 18, "max_inclusive": False, "window_anchor": "study_entry"}]),
    (INC, "Aged 6 months to 16 years", [{"min_value": 6, "max_value": 192, "unit": "months"}]),
    (INC, "Adults 18 years or older", [{"min_value": 18, "max_value": None}]),
    (INC, "≥ 18 years", [{"min_value": 18}]),
    (EXC, "Age < 18 or > 60 years", [{"polarity": "forbid", "max_value": 18}, {"polarity": "forbid", "min_value": 60}]),
    (INC, "Karnofsky (age ≥16 years) or Lansky (age <16 years) performance status of 50", []),
    (INC, "Onset of MS before age 40", []),
    # --- relapses
    (INC, "At least two documented relapses in the prior twenty-four (24) months", [{"rule_id": "relapse.count", "min_value": 2, "window_value": 24, "window_unit": "months"}]),
    (INC, "one or more documented relapse(s) within the last year", [{"min_value": 1, "window_value": 1, "window_unit": "years"}]),
    (INC, "One relapse 12 to 1 months prior to screening", [{"window_value": 12, "window_near_value": 1, "window_near_unit": "months"}]),
    (INC, "Relapse with onset ≤ 42 days prior to the Baseline Visit", [{"min_value": 1, "window_value": 42, "window_unit": "days"}]),
    (INC, "At least 1 relapse in the last 12 months, or 2 in the last 24 months",
     [{"min_value": 1, "window_value": 12}, {"min_value": 2, "window_value": 24}]),
    (INC, "1 relapse in the previous year or at least 1 Gd-enhancing lesion within 6 months before screening",
     [{"kind": "relapse_count", "any_of_group": "1"}, {"kind": "gd_or_t2_activity", "any_of_group": "1", "window_value": 6}]),
    (INC, "no more than 3 relapses in the previous year", [{"max_value": 3, "max_inclusive": True, "min_value": None}]),
    (EXC, "More than 2 relapses in the past 12 months", [{"kind": "relapse_count", "polarity": "forbid", "min_value": 2, "min_inclusive": False}]),
    (EXC, "Clinical relapse (within 3 months) prior to randomization", [{"rule_id": "relapse.none_within", "window_value": 3, "window_anchor": "randomization"}]),
    (INC, "Neurologically stable for at least 30 days before baseline", [{"kind": "no_relapse_within", "window_value": 30}]),
    (INC, "Free of relapse for 3 months", [{"kind": "no_relapse_within", "window_value": 3}]),
    (INC, "At least 1 relapse in the last year while on an interferon beta or glatiramer acetate",
     [{"rule_id": "relapse.on_therapy", "min_value": 1, "window_value": 1, "terms": ["interferon beta", "glatiramer acetate"]}]),
    (INC, "A relapse is defined as new symptoms that last for at least 24 hours", []),
    # --- course, diagnosis, duration
    (INC, "Relapsing MS: relapsing-remitting (RRMS) or secondary progressive (SPMS)", [{"rule_id": "course.is", "terms": ["rrms", "spms"]}]),
    (EXC, "Any progressive form of MS", [{"polarity": "forbid", "terms": ["ppms", "spms", "prms"]}]),
    (EXC, "Any other type of MS than RRMS", [{"polarity": "forbid", "terms": ["ppms", "spms", "prms"]}]),
    (EXC, "Progressive multifocal leukoencephalopathy", [{"kind": "infection"}]),
    (INC, "MS by the 2010 revised McDonald criteria (Polman 2011)", [{"rule_id": "diagnosis.criteria", "terms": ["mcdonald 2010"]}]),
    (INC, "Poser or McDonald criteria for MS", [{"terms": ["poser", "mcdonald"]}]),
    (INC, "IPMSSG criteria and the 2017 McDonald criteria", [{"terms": ["ipmssg"]}, {"terms": ["mcdonald 2017"]}]),
    (EXC, "PPMS by McDonald criteria", [{"kind": "disease_course"}]),
    (EXC, "McDonald criteria not met at screening", [{"kind": "diagnosis_criteria", "polarity": "require"}]),
    (INC, "Disease duration of at least 6 months (from the first symptom)", [{"rule_id": "duration.of_disease", "min_value": 6, "unit": "months"}]),
    (INC, "Disease duration > 6 months and < 10 years", [{"min_value": 6, "max_value": 120, "unit": "months"}]),
    (INC, "Onset of MS within 5 years before enrolment", [{"max_value": 5, "unit": "years"}]),
    (INC, "SPMS with progression for at least 2 years", [{"kind": "disease_course"}, {"terms": ["spms progression"], "min_value": 2}]),
    # --- MRI activity
    (INC, "≥1 new or enlarging T2 lesion or gadolinium enhancing lesion", [{"rule_id": "mri.activity", "min_value": 1, "terms": ["new or enlarging t2", "gadolinium-enhancing"]}]),
    (INC, "Between 1 and 10 Gd+ lesions on the screening MRI", [{"min_value": 1, "max_value": 10}]),
    # --- therapies
    (INC, "Treated with Rebif or Avonex for at least 12 months prior to screening", [{"rule_id": "therapy.prior_required", "terms": ["interferon beta-1a"], "window_value": 12, "window_anchor": "screening"}]),
    (INC, "Tried at least 2 MS DMTs", [{"min_value": 2, "measure": "therapies"}]),
    (INC, "On fingolimod for at least 1 month and at most 4 months prior to screening", [{"min_value": 1, "max_value": 4, "unit": "months", "measure": "exposure", "window_value": 1}]),
    (INC, "Treatment-naive, or on interferon beta for at least 6 months", [{"rule_id": "therapy.naive", "any_of_group": "1"}, {"kind": "prior_therapy_required", "any_of_group": "1"}]),
    (INC, "Treated with no more than one class of DMT (interferon beta or glatiramer acetate)", [{"rule_id": "therapy.cap", "max_value": 1, "measure": "therapies", "terms": ["interferon beta", "glatiramer acetate"]}]),
    (INC, "Treated with dimethyl fumarate for less than 2 months", [{"rule_id": "therapy.cap", "max_value": 2, "max_inclusive": False, "measure": "exposure"}]),
    (INC, "No previous treatment with natalizumab", [{"rule_id": "therapy.prior_forbidden", "window_anchor": "ever"}]),
    (INC, "No immunosuppressants within 6 months", [{"rule_id": "therapy.washout", "polarity": "require", "window_value": 6}]),
    (INC, "If on interferon, stable dose for at least 3 months", []),
    (EXC, "Previous treatment with alemtuzumab", [{"rule_id": "therapy.prior_forbidden", "terms": ["alemtuzumab"], "window_anchor": "ever"}]),
    (EXC, "Fingolimod within 1 month, natalizumab within 2 months, or mitoxantrone at any time",
     [{"terms": ["fingolimod"], "window_value": 1}, {"terms": ["natalizumab"], "window_value": 2}, {"kind": "prior_therapy_forbidden", "terms": ["mitoxantrone"]}]),
    (EXC, "CYP3A4 inhibitors within 2 weeks prior to baseline (1 month for fluoxetine)", [{"window_value": 2, "window_unit": "weeks"}, {"terms": ["fluoxetine"], "window_value": 1, "window_unit": "months"}]),
    (EXC, "Teriflunomide in the last 12 months except after accelerated elimination", [{"kind": "washout", "terms": ["teriflunomide"], "exception_terms": ["accelerated elimination"]}]),
    (EXC, "Prior use of ocrelizumab unless at least 12 months have passed", [{"kind": "washout", "window_value": 12}]),
    (EXC, "Prior or concomitant use of cytokine therapy (except interferons) in the 3 months before randomization",
     [{"kind": "washout", "terms": ["cytokine therapy"], "exception_terms": ["interferon"]}, {"rule_id": "therapy.concomitant"}]),
    (EXC, "DMF exposure of 2 months or longer", [{"min_value": 2, "unit": "months", "measure": "exposure"}]),
    (EXC, "More than one prior course of mitoxantrone", [{"min_value": 1, "min_inclusive": False, "measure": "courses"}]),
    (EXC, "Corticosteroids or ACTH within 30 days before screening", [{"rule_id": "therapy.steroids", "terms": ["corticosteroid", "corticotropin"], "window_value": 30}]),
    (EXC, "Chronic (more than 30 consecutive days) corticosteroid treatment within 6 months", [{"min_value": 30, "measure": "course", "window_value": 6}]),
    (EXC, "Participation in another clinical trial within 3 months", [{"rule_id": "therapy.investigational", "window_value": 3}]),
    (EXC, "Allergy to interferon or glatiramer acetate", []),
    (EXC, "A disease that would preclude treatment with natalizumab", []),
    (EXC, "Immunocompromised due to prior immunosuppressive treatment", []),
    (EXC, "Antibodies against natalizumab", []),
    # --- laboratory
    (INC, "Platelets ≥100,000/µL", [{"rule_id": "lab.limit", "terms": ["platelets"], "min_value": 100000, "unit": "/µL"}]),
    (EXC, "Lymphocytes \\< 0.8 x 10\\^9/L", [{"max_value": 0.8, "unit": "10^9/L"}]),
    (EXC, "ALT, AST or direct bilirubin > 2 times the upper limit of normal (ULN)", [{"terms": ["alt", "ast", "direct bilirubin"], "min_value": 2, "unit": "xULN"}]),
    (INC, "AST and ALT not > 2x ULN", [{"max_value": 2, "max_inclusive": True}]),
    (INC, "Normal serum creatinine", [{"rule_id": "lab.normal", "min_value": None, "max_value": None}]),
    (INC, "Oxygen saturation > 90 %, AST in the record", []),
    # --- infection, malignancy, pregnancy, contraception, MRI, consent
    (EXC, "Known HIV, hepatitis B or C", [{"rule_id": "infection.present", "terms": ["hiv", "hepatitis b", "hepatitis c"]}]),
    (EXC, "Active systemic infection, or findings consistent with PML", [{"terms": ["active systemic infection"]}, {"terms": ["progressive multifocal leukoencephalopathy"]}]),
    (EXC, "Infection requiring antibiotics within 4 weeks before baseline", [{"window_value": 4, "window_anchor": "baseline", "is_qualified": True}]),
    (EXC, "High risk for infection", []),
    (INC, "Negative for hepatitis B", [{"polarity": "forbid", "terms": ["hepatitis b"]}]),
    (EXC, "No history of chickenpox and no vaccination against varicella zoster", [{"rule_id": "infection.immunity", "polarity": "require"}]),
    (EXC, "Malignancy within 5 years except basal cell carcinoma of the skin", [{"rule_id": "malignancy.present", "window_value": 5, "exceptions": ["except basal cell carcinoma of the skin"]}]),
    (EXC, "Family history of cancer", []),
    (INC, "Histologically confirmed breast cancer", []),
    (EXC, "Pregnant or nursing women", [{"rule_id": "pregnancy.present", "terms": ["pregnancy", "breastfeeding"]}]),
    (INC, "Negative pregnancy test at screening", [{"polarity": "forbid", "terms": ["pregnancy"], "window_anchor": "screening"}]),
    (EXC, "Unwilling to use effective contraception during the study and for 4 months after the last dose", [{"rule_id": "contraception.required", "polarity": "require", "window_value": 4}]),
    (EXC, "Claustrophobia, pacemaker or allergy to gadolinium", [{"rule_id": "mri.contraindication", "terms": ["claustrophobia", "pacemaker", "gadolinium hypersensitivity"]}]),
    (INC, "Signed written informed consent", [{"rule_id": "consent.given"}]),
    (INC, "Age 18-55 at the time of informed consent", [{"kind": "age_range"}]),
]  # fmt: skip


@pytest.mark.parametrize(("section", "text", "expected"), CASES, ids=[c[1][:60] for c in CASES])
def test_rule(read, section: str, text: str, expected: list[dict]) -> None:
    found = read(section, text)
    assert len(found) == len(expected), [(c["kind"], c["quote"]) for c in found]
    for constraint, wanted in zip(found, expected, strict=True):
        assert {name: constraint[name] for name in wanted} == wanted


def test_what_is_excluded_together_is_one_group(read) -> None:
    together = read("Exclusion", "Disease duration of >10 years and EDSS ≤2.0 at screening")
    assert [c["any_of_group"] for c in together] == ["1", "1"]
    apart = read("Exclusion", "Disease duration of >10 years or EDSS >6.5 at screening")
    assert [c["any_of_group"] for c in apart] == [None, None]


def test_alternatives_keep_what_belongs_together(read) -> None:
    text = "1 relapse in the last year, or 1 relapse between 12 and 24 months before screening with at least 1 Gd-enhancing lesion in the last year"
    rows = read("Inclusion", text)
    assert [(c["kind"], c["any_of_group"], c["all_of_group"]) for c in rows] == [
        ("relapse_count", "1", None),
        ("relapse_count", "1", "1.2"),
        ("gd_or_t2_activity", "1", "1.2"),
    ]
    assert (rows[1]["window_value"], rows[1]["window_near_value"]) == (24, 12)


def test_a_washout_per_drug(read) -> None:
    text = (
        "Current DMT is allowed, with a washout of 4 weeks for interferon beta and 6 months for natalizumab"
    )
    assert [(c["kind"], c["window_value"], c["terms"]) for c in read("Inclusion", text)] == [
        ("washout", 4, ["interferon beta"]),
        ("washout", 6, ["natalizumab"]),
    ]


def test_every_rule_is_tested() -> None:
    named = {fields["rule_id"] for _, _, expected in CASES for fields in expected if "rule_id" in fields}
    assert named == set(RULE_TABLE)


def test_rules_about_ms_read_no_other_disease(read) -> None:
    assert read("Inclusion", "At least 2 exacerbations of asthma in the last year", ms=False) == []
    assert read("Inclusion", "At least 2 exacerbations in the last year", ms=True) != []


def test_a_therapy_without_a_name_is_the_one_asked_for_before(read) -> None:
    text = "Treated with glatiramer acetate for at least 12 months\n* At least one relapse in the last year while on therapy"
    relapse = next(c for c in read("Inclusion", text) if c["kind"] == "relapse_on_therapy")
    assert relapse["terms"] == ["glatiramer acetate"]


def test_an_introduction_lends_its_words_to_its_list(read) -> None:
    text = "Patients who have been treated with any of the following within 3 months before screening:\n  * Azathioprine\n  * Cladribine at any time"
    rows = read("Exclusion", text)
    assert [(c["kind"], c["terms"], c["window_value"]) for c in rows] == [
        ("washout", ["azathioprine"], 3),
        ("prior_therapy_forbidden", ["cladribine"], None),
    ]


def test_an_introduction_of_therapies_asks_for_one_of_them(read) -> None:
    text = "Treatment with one or more of the following for at least 5 months:\n  * Interferon beta\n  * Teriflunomide for 1 year"
    assert [(c["kind"], c["terms"], c["window_value"]) for c in read("Inclusion", text)] == [
        ("prior_therapy_required", ["interferon beta"], 5),
        ("prior_therapy_required", ["teriflunomide"], 1),
    ]


def test_an_introduction_lends_the_least_time_on_the_drug(read) -> None:
    """Found by evaluating a trial: a relapse in the third month on the drug passed."""
    text = "Activity in the past year on glatiramer acetate, seen after a minimum of 6 months on therapy, that is:\n  * One or more relapses, or\n  * Two or more new MRI lesions (T2 and/or gadolinium [Gd+])"
    relapse, lesions = read("Inclusion", text)
    assert (relapse["kind"], relapse["on_therapy_value"], relapse["on_therapy_unit"]) == ("relapse_on_therapy", 6, "months")  # fmt: skip
    assert (lesions["min_value"], lesions["terms"]) == (2, ["gadolinium-enhancing", "new t2"])


def test_a_second_definition_is_an_alternative(read) -> None:
    """Found by evaluating a trial: both definitions of one failure were asked for together."""
    text = "Failure of a disease-modifying therapy, defined as two or more relapses on it within the last year. Failure may also be defined as one relapse on it and, apart from that, a gadolinium enhancing lesion within the last year"
    first, second, lesion = read("Inclusion", text)
    assert [c["min_value"] for c in (first, second, lesion)] == [2, 1, 1]
    assert first["any_of_group"] == second["any_of_group"] == lesion["any_of_group"] is not None
    assert first["all_of_group"] is None
    assert second["all_of_group"] == lesion["all_of_group"] is not None


def test_another_therapy_is_another_one(read) -> None:
    text = "Treatment with at least 6 months of interferon beta and another disease modifying therapy"
    named, other = read("Inclusion", text)
    assert (named["terms"], named["exception_terms"]) == (["interferon beta"], [])
    assert (other["terms"], other["exception_terms"]) == (["ms disease-modifying therapy"], ["interferon beta"])  # fmt: skip


def test_a_comma_parts_two_drugs(read) -> None:
    """Found by evaluating a trial: read as interferon gamma, which no clinic records, the wash-out was unknown for all."""
    (row,) = read(
        "Exclusion", "Interferon, gamma-globulin or glatiramer acetate within 4 months before entry"
    )
    assert row["terms"] == ["interferon", "immunoglobulin", "glatiramer acetate"]


def test_immunosuppressants_are_not_the_drug_that_the_study_asks_for() -> None:
    """Found by evaluating a trial of patients on fingolimod, which excluded all who were on fingolimod."""
    head = "Inclusion criteria:\n\n* Relapsing multiple sclerosis\n* Treated with fingolimod for at least 12 months before screening\n\nExclusion criteria:\n\n"

    def excepted(line: str, before: str = head) -> list[list[str]]:
        studies = pl.DataFrame({"nct_id": ["NCT90000001"], "eligibility_text": [before + line]})
        found = eligibility.parse(studies)["criterion_constraints"].filter(pl.col("kind") == "washout")
        return found["exception_terms"].to_list()

    assert excepted("* Immunosuppressants in the 12 months before screening") == [["fingolimod"]]
    assert excepted("* Immunosuppressants (e.g. fingolimod) in the 12 months before screening") == [[]]
    assert excepted("* Monoclonal antibodies in the 12 months before screening") == [[]]
    ever = head.replace(" for at least 12 months before screening", " at any time")
    assert excepted("* Immunosuppressants in the 12 months before screening", ever) == [[]]


def test_non_relapsing_is_not_relapsing():
    """Found by evaluating a trial: read as "relapsing", the sentence excluded nearly every patient."""
    text = "Inclusion criteria:\n\n* RRMS\n\nExclusion criteria:\n\n* Any progressive or non-relapsing forms of MS."
    studies = pl.DataFrame({"nct_id": ["NCT90000001"], "eligibility_text": [text]})
    found = eligibility.parse(studies)["criterion_constraints"].filter(pl.col("polarity") == "forbid")
    assert sorted(found["terms"][0]) == ["ppms", "prms", "spms"]
