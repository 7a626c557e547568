"""How sponsors write one thing in many ways: invented sentences, and all that may be read in each.

`test_rules.py` holds what every rule says field by field; here each line names the constraints in short, so that a
wording that is read wrongly, or read where nothing is asked for (an empty list), shows at once.
"""

from __future__ import annotations

import pytest

INC, EXC = "Inclusion", "Exclusion"


def said(c: dict) -> str:
    """A constraint in one line: kind, bounds with their measure, terms, window, exceptions, group."""
    words = [c["kind"] if c["polarity"] == "require" or c["kind"] in NO_POLARITY else f"not {c['kind']}"]
    if c["min_value"] is not None:
        words.append(f"{'≥' if c['min_inclusive'] else '>'}{c['min_value']:g}")
    if c["max_value"] is not None:
        words.append(f"{'≤' if c['max_inclusive'] else '<'}{c['max_value']:g}")
    if c["unit"] not in (None, "points", "count"):
        words.append(c["unit"])
    if c["measure"] is not None:
        words.append(f"({c['measure']})")
    words.extend(["+".join(c["terms"])] if c["terms"] else [])
    if c["window_value"] is not None:
        words.append(f"in {c['window_value']:g} {c['window_unit']}")
    words.extend([f"@{c['window_anchor']}"] if c["window_anchor"] else [])
    words.extend([f"but {'+'.join(c['exception_terms'])}"] if c["exception_terms"] else [])
    words.extend([f"[{c['all_of_group'] or c['any_of_group']}]"] if c["any_of_group"] else [])
    words.extend(["?"] if c["is_qualified"] else [])
    return " ".join(words)


# Kinds that mean absence, or a demand, whatever section prints them.
NO_POLARITY = frozenset(
    ("washout", "prior_therapy_forbidden", "concomitant_therapy_forbidden", "steroid_use_forbidden", "other_investigational_drug",
     "no_relapse_within", "mri_contraindication", "contraception_required", "informed_consent")
)  # fmt: skip

WORDINGS: list[tuple[str, str, list[str]]] = [
    # --- EDSS
    (INC, "3.0 ≤ EDSS ≤ 6.5", ["edss_range ≥3 ≤6.5"]),
    (INC, "EDSS score under 6", ["edss_range <6"]),
    (INC, "Maximum EDSS score of 6.0", ["edss_range ≤6"]),
    (INC, "EDSS between zero and five", ["edss_range ≥0 ≤5"]),
    (INC, "EDSS of =\\< 4.5", ["edss_range ≤4.5"]),
    (INC, "EDSS, at both the screening and the baseline visit, in the range of 1 - 5", ["edss_range ≥1 ≤5"]),
    (INC, "EDSS ≥ 3.0 with a pyramidal functional score of at least 2", ["edss_range ≥3"]),
    (INC, "EDSS 3.0 - 6.5 (for SPMS) or 2.0 - 6.0 (for PPMS)", ["edss_range ≥3 ≤6.5 [1]", "edss_range ≥2 ≤6 [1]"]),
    (INC, "No EDSS > 5.5", ["not edss_range >5.5"]),
    (EXC, "EDSS outside of the range 0 to 5.5", ["edss_range ≥0 ≤5.5"]),
    (INC, "At least 1 point EDSS worsening within the last 2 years", ["edss_change ≥1 in 2 years"]),
    (INC, "Patients with an EDSS of 3 or less must have had 2 relapses in the last year", ["relapse_count ≥2 in 1 years"]),
    (INC, "EDSS worsening in the 2 years before entry of 1 point or more, or of 0.5 points if the EDSS was above 5.5", ["edss_change ≥1 in 2 years @study_entry [1]", "edss_change ≥0.5 in 2 years @study_entry [1]"]),
    (INC, "Disease duration < 12 years if EDSS > 4.0, or < 8 years if EDSS ≤ 4.0", ["disease_duration <12 years [edss.1]", "edss_range >4 [edss.1]", "disease_duration <8 years [edss.2]", "edss_range ≤4 [edss.2]"]),
    # --- age
    (INC, "Aged eighteen to fifty-five", ["age_range ≥18 ≤55 years"]),
    (INC, "18-60 y/o", ["age_range ≥18 ≤60 years"]),
    (INC, "Minimum age 21 years", ["age_range ≥21 years"]),
    (INC, "12 years ≤ age < 18 years", ["age_range ≥12 <18 years"]),
    (EXC, "Under the age of 18 or over the age of 60", ["not age_range <18 years", "not age_range >60 years"]),
    (EXC, "Patients older than 70", ["not age_range >70 years"]),
    (INC, "Age over 20 and under 50", ["age_range >20 <50 years"]),
    # --- relapses
    (INC, "Two or more relapses in the last three years, with at least one in the last year", ["relapse_count ≥2 in 3 years", "relapse_count ≥1 in 1 years"]),
    (INC, "At least 3 attacks, one of them within the 18 months before inclusion", ["relapse_count ≥3", "relapse_count ≥1 in 18 months @enrolment"]),
    (INC, "1 relapse within the last 2 years but not within 6 weeks of screening", ["relapse_count ≥1 in 2 years @screening", "no_relapse_within in 6 weeks @screening"]),
    (INC, "Number of relapses: ≥ 2 in the last 3 years", ["relapse_count ≥2 in 3 years"]),
    (INC, "An average of one relapse per year over the last two years", []),
    (INC, "Last relapse more than 2 months before randomisation", ["no_relapse_within in 2 months @randomization"]),
    (INC, "At least 45 days since the last relapse", ["no_relapse_within in 45 days"]),
    (EXC, "No relapse in the last 3 years", ["not relapse_count ≤0 in 3 years"]),
    (INC, "2 relapses within 24 months with at least one during treatment with glatiramer", ["relapse_count ≥2 in 24 months", "relapse_on_therapy ≥1 glatiramer acetate in 24 months"]),
    (INC, "SPMS with progression for 12 months in the absence of relapses", ["disease_course spms", "disease_duration ≥12 months spms progression"]),
    # --- course, diagnosis, duration
    (INC, "Progressive MS, primary or secondary", ["disease_course ppms+spms"]),
    (INC, "SPMS, i.e. a relapsing course followed by steady worsening", ["disease_course spms"]),
    (INC, "McDonald criteria 2010 or 2017", ["diagnosis_criteria mcdonald 2010+mcdonald 2017"]),
    (INC, "MS by the Thompson 2018 criteria", ["diagnosis_criteria mcdonald 2017"]),
    (INC, "MS according to the International Panel criteria", ["diagnosis_criteria mcdonald"]),
    (INC, "MS of at least 2 years' duration", ["disease_duration ≥2 years"]),
    (INC, "Tremor due to MS of at least 1 year's duration", []),
    (INC, "At least 2 years of disease progression", ["disease_duration ≥2 years spms progression"]),
    # --- MRI
    (INC, "No gadolinium-enhancing lesions on the screening MRI", ["not gd_or_t2_activity ≥1 gadolinium-enhancing"]),
    (INC, "No new T2 lesion for at least 2 years", ["not gd_or_t2_activity ≥1 new t2 in 2 years"]),
    (EXC, "Any Gd-enhancing lesion on the screening scan", ["not gd_or_t2_activity ≥1 gadolinium-enhancing"]),
    (INC, "New T2 lesion within the past 12 months", ["gd_or_t2_activity ≥1 new t2 in 12 months"]),
    (INC, "MRI activity in the last year, defined by 2 or more new T2 lesions", ["gd_or_t2_activity ≥2 new t2 in 1 years"]),
    # --- treatments
    (EXC, "Natalizumab - 6 months", ["washout natalizumab in 6 months"]),
    (EXC, "Washout: fingolimod 6 weeks; alemtuzumab 24 months", ["washout fingolimod in 6 weeks", "washout alemtuzumab in 24 months"]),
    (EXC, "Teriflunomide: 12 months (unless it was eliminated)", ["washout teriflunomide in 12 months ?"]),
    (EXC, "A washout period of less than 4 weeks from interferon", ["washout interferon in 4 weeks"]),
    (EXC, "Prior or concomitant use of cladribine", ["concomitant_therapy_forbidden cladribine", "prior_therapy_forbidden cladribine @ever"]),
    (EXC, "Currently on an antipsychotic, or started an antidepressant within the last 4 weeks", ["concomitant_therapy_forbidden antipsychotic", "washout antidepressant in 4 weeks"]),
    (EXC, "Start of fampridine less than 3 weeks before baseline", ["washout fampridine in 3 weeks @baseline"]),
    (EXC, "Start of fampridine more than 3 weeks before baseline", []),
    (EXC, "Starting or changing a DMT within 4 months of entry", ["concomitant_therapy_forbidden ms disease-modifying therapy in 4 months @study_entry ?"]),
    (EXC, "Treatment with fampridine unless on a stable dose for 2 months", ["concomitant_therapy_forbidden fampridine ?"]),
    (EXC, "Stroke within 6 months, heart failure, or arrhythmia requiring current treatment with amiodarone", ["concomitant_therapy_forbidden amiodarone"]),
    (EXC, "Current use of other DMTs than glatiramer acetate", ["concomitant_therapy_forbidden ms disease-modifying therapy but glatiramer acetate"]),
    (EXC, "Prior therapy for MS other than steroids, for example, interferon or natalizumab", ["prior_therapy_forbidden ms disease-modifying therapy+interferon+natalizumab @ever but corticosteroid"]),
    (EXC, "Any previous treatment with cladribine, mitoxantrone (except if the last dose was > 5 years ago), or alemtuzumab", ["prior_therapy_forbidden cladribine+mitoxantrone+alemtuzumab @ever ?"]),
    (EXC, "PML while on natalizumab", ["not infection progressive multifocal leukoencephalopathy"]),
    (EXC, "Positive interferon gamma release assay", []),
    (EXC, "Bone marrow transplantation or total lymphoid irradiation", ["prior_therapy_forbidden bone marrow transplantation+total lymphoid irradiation @ever"]),
    (INC, "Natalizumab-naive", ["prior_therapy_forbidden natalizumab @ever"]),
    (INC, "Must not have used natalizumab", ["prior_therapy_forbidden natalizumab @ever"]),
    (INC, "Patients starting treatment with ofatumumab", []),
    (INC, "Eligible for treatment with cladribine", []),
    (INC, "Willing to stop taking interferon", []),
    (INC, "Patients may be on a DMT", []),
    (INC, "Less than 3 years of prior interferon use", ["prior_therapy_forbidden <3 years (exposure) interferon @ever"]),
    (INC, "Received at most 3 infusions of natalizumab", ["prior_therapy_forbidden ≤3 (courses) natalizumab @ever"]),
    (INC, "Received at least 2 courses of alemtuzumab", ["prior_therapy_required ≥2 (courses) alemtuzumab"]),
    (INC, "Treated with interferon for between 3 and 12 months", ["prior_therapy_required ≥3 ≤12 months (exposure) interferon in 3 months"]),
    (INC, "On interferon for 6 months, or no treatment", ["prior_therapy_required interferon in 6 months [1]", "concomitant_therapy_forbidden ms disease-modifying therapy [1]"]),
    (INC, "Either not on a DMT or on a stable DMT for at least 3 months", ["concomitant_therapy_forbidden ms disease-modifying therapy [1]", "prior_therapy_required ms disease-modifying therapy in 3 months [1]"]),
    (INC, "Untreated, or treated only with interferons", ["prior_therapy_forbidden ms disease-modifying therapy @ever but interferon"]),
    (INC, "At least 4 weeks since the last dose of corticosteroids", ["steroid_use_forbidden corticosteroid in 4 weeks"]),
    (INC, "If treated with natalizumab before, a wash-out of 2 months is required", ["washout natalizumab in 2 months"]),
    (INC, "Active inflammation despite treatment with interferon, that is:", ["prior_therapy_required interferon"]),
    # --- laboratory
    (EXC, "Transaminases more than twice the upper limit of normal", ["not lab_limit >2 xULN transaminases"]),
    (EXC, "Liver enzymes > 2.5x normal", ["not lab_limit >2.5 xULN transaminases"]),
    (EXC, "Lymphopenia (< 0.6 x 10^9/L)", ["not lab_limit <0.6 10^9/L lymphocytes"]),
    (EXC, "Creatinine > 1.3 mg/dL for women or > 1.5 mg/dL for men", ["not lab_limit >1.3 mg/dL creatinine ?", "not lab_limit >1.5 mg/dL creatinine ?"]),
    (EXC, "≥ 2 x ULN for ALT or AST, or platelets < 120 x 10^9/L", ["not lab_limit ≥2 xULN alt+ast", "not lab_limit <120 10^9/L platelets"]),
    (EXC, "Platelets < 120 G/L", ["not lab_limit <120 10^9/L platelets"]),
    # --- infection, pregnancy, contraception, MRI, consent
    (EXC, "Active bacterial, viral or fungal infection", ["not infection active infection"]),
    (EXC, "Infection requiring hospitalisation within 6 weeks or oral antibiotics within 2 weeks of baseline", ["not infection severe infection in 6 weeks ?", "not infection any infection in 2 weeks @baseline ?"]),
    (EXC, "History of HIV, or a positive test for hepatitis B at screening", ["not infection hiv @ever", "not infection hepatitis b @screening"]),
    (EXC, "Urinary tract infection", []),
    (EXC, "Vulnerability to infections", []),
    (EXC, "Any disease other than MS, or known HIV", ["not infection hiv ?"]),
    (EXC, "Positive serum hCG at screening", ["not pregnancy_or_breastfeeding pregnancy @screening"]),
    (INC, "Neither pregnant nor breastfeeding, and using contraception", ["not pregnancy_or_breastfeeding pregnancy+breastfeeding", "contraception_required"]),
    (INC, "Men must use condoms until 60 days after the last dose", ["contraception_required in 60 days"]),
    (EXC, "MRI impossible because of a pacemaker", ["mri_contraindication unable to undergo mri+pacemaker"]),
    (EXC, "Renal failure contraindicating gadolinium", []),
    (EXC, "Does not give informed consent", ["informed_consent"]),
    # --- more of the same
    (INC, "Recent relapse (within the last 15 months)", ["relapse_count ≥1 in 15 months"]),
    (INC, "Relapses: at least 3 in the last 3 years", ["relapse_count ≥3 in 3 years"]),
    (INC, "Relapses in the last 2 years: ≥ 2", ["relapse_count ≥2 in 2 years"]),
    (INC, "1 relapse in the last year, 2 in the last 2 years, or ≥ 1 Gd-enhancing lesion in the last year", ["relapse_count ≥1 in 1 years [1]", "relapse_count ≥2 in 2 years [1]", "gd_or_t2_activity ≥1 gadolinium-enhancing in 1 years [1]"]),
    (INC, "Absence of relapses and of MRI activity for at least 2 years", ["no_relapse_within in 2 years", "not gd_or_t2_activity ≥1 mri activity in 2 years"]),
    (INC, "No relapse in the last 5 months and no change of the EDSS > 0.5", ["no_relapse_within in 5 months"]),
    (INC, "EDSS score (0-10) of at least 2", ["edss_range ≥2"]),
    (INC, "EDSS < 3 or EDSS ≥ 5", ["edss_range <3 [1]", "edss_range ≥5 [1]"]),
    (INC, "At least 21 years of age and no older than 55 years", ["age_range ≥21 ≤55 years"]),
    (INC, "Treated with interferon beta-1a s.c. for at least 2 months but no longer than 20 months", ["prior_therapy_required ≥2 ≤20 months (exposure) interferon beta-1a in 2 months"]),
    (INC, "Discontinued natalizumab at least 2 months before enrolment", ["washout natalizumab in 2 months @enrolment"]),
    (INC, "Discontinued natalizumab within the last 2 months", []),
    (INC, "Last infusion of ocrelizumab at least 6 months ago", ["washout ocrelizumab in 6 months"]),
    (INC, "Last dose of rituximab between 6 and 12 months before baseline", ["washout rituximab in 6 months @baseline"]),
    (INC, "No DMT, or on a stable dose of interferon for at least 5 months", ["concomitant_therapy_forbidden ms disease-modifying therapy [1]", "prior_therapy_required interferon in 5 months [1]"]),
    (INC, "On a DMT or not", []),
    (EXC, "Planned treatment with immunosuppressants", []),
    (EXC, "Anticoagulant use", ["concomitant_therapy_forbidden anticoagulant"]),
    (EXC, "Creatinine clearance (CCr) or glomerular filtration rate < 50 mL/min", ["not lab_limit <50 mL/min creatinine clearance+egfr"]),
    (INC, "EDSS ≤ 5, at least 1 relapse in the last year or 2 in the last 2 years", ["edss_range ≤5", "relapse_count ≥1 in 1 years [1]", "relapse_count ≥2 in 2 years [1]"]),
    (INC, "EDSS ≤ 6.0 with or without an aid, and at least 1 relapse in the last 18 months", ["edss_range ≤6", "relapse_count ≥1 in 18 months"]),
    (INC, "Disease duration < 8 years or EDSS ≤ 2.0", ["disease_duration <8 years [1]", "edss_range ≤2 [1]"]),
    (INC, "First MS symptoms between 6 months and 8 years before inclusion", ["disease_duration ≥6 ≤96 months @enrolment"]),
    (INC, "MS (by McDonald 2017) for at least 10 months, 20 to 60 years, EDSS 2-5", ["disease_duration ≥10 months", "diagnosis_criteria mcdonald 2017", "age_range ≥20 ≤60 years", "edss_range ≥2 ≤5"]),
    (INC, "Newly diagnosed MS (within 5 months)", ["disease_duration ≤5 months"]),
    (EXC, "MS for less than 5 months", ["not disease_duration <5 months"]),
    (EXC, "Benign MS (EDSS ≤ 3 after 10 years)", []),
    (EXC, "Younger than 20 or older than 65 years", ["not age_range <20 years", "not age_range >65 years"]),
    (EXC, "Age outside 20-65", ["age_range ≥20 ≤65 years"]),
    (INC, "21+ years", ["age_range ≥21 years"]),
    (INC, "Adults (20-60)", ["age_range ≥20 ≤60 years"]),
    (INC, "A relapse is an event with an EDSS increase of at least 0.5 points", []),
    (EXC, "Asthma with an exacerbation within 2 months", []),
    (EXC, "Lesions on MRI incompatible with MS", []),
    (INC, "On first-line therapy for at least 5 months", ["prior_therapy_required ms disease-modifying therapy in 5 months"]),
    (INC, "At least 1 but not more than 3 relapses in the last 2 years", ["relapse_count ≥1 ≤3 in 2 years"]),
    (INC, "3 relapses or 1 severe relapse in the last 2 years", ["relapse_count ≥3 in 2 years [1]", "relapse_count ≥1 in 2 years [1]"]),
    (INC, "2 attacks in all and 1 attack in the last year", ["relapse_count ≥2", "relapse_count ≥1 in 1 years"]),
    (INC, "1 Gd-enhancing lesion or 2 new T2 lesions in the last 18 months", ["gd_or_t2_activity ≥1 gadolinium-enhancing in 18 months [1]", "gd_or_t2_activity ≥2 new t2 in 18 months [1]"]),
    (EXC, "Gd-enhancing lesions > 12", ["not gd_or_t2_activity >12 gadolinium-enhancing"]),
    (INC, "RRMS for ≥ 2 years and ≤ 12 years", ["disease_course rrms", "disease_duration ≥2 ≤12 years"]),
    (INC, "≥ 20 years, ≤ 60 years", ["age_range ≥20 ≤60 years"]),
    (EXC, "Immunosuppressants in the past 2 years (azathioprine, methotrexate), cladribine ever", ["washout immunosuppressant+azathioprine+methotrexate in 2 years", "prior_therapy_forbidden cladribine @ever"]),
    (EXC, "Interferon within 5 weeks (glatiramer acetate within 3 weeks)", ["washout interferon in 5 weeks", "washout glatiramer acetate in 3 weeks"]),
    (INC, "Naive of any DMT or treated with interferon for at least 5 months", ["prior_therapy_forbidden ms disease-modifying therapy @ever [1]", "prior_therapy_required interferon in 5 months [1]"]),
    (EXC, "Stroke within 5 months; treatment with class Ia or III antiarrhythmics", ["concomitant_therapy_forbidden class ia antiarrhythmic+class iii antiarrhythmic"]),
    (EXC, "Cancer less than 4 years ago", ["not malignancy malignancy in 4 years"]),
    (EXC, "Current use of SSRIs", ["concomitant_therapy_forbidden ssri"]),
    (INC, "MS by the consensus definition (Krupp 2013) with a relapsing-remitting course", ["diagnosis_criteria ipmssg", "disease_course rrms"]),
    (EXC, "Serology for hepatitis A, B and C that indicates an acute or chronic infection", ["not infection hepatitis b+hepatitis c"]),
    (INC, "Completed at least 10 months of ocrelizumab", ["prior_therapy_required ocrelizumab in 10 months"]),
    (INC, "Last ocrelizumab infusion 4 to 8 months ago", ["washout ocrelizumab in 4 months"]),
    (EXC, "Gd-enhancing or new/enlarging T2 lesions in the past 5 months", ["not gd_or_t2_activity ≥1 gadolinium-enhancing+new or enlarging t2 in 5 months"]),
    (EXC, "Prior treatment with cladribine < 3 years", ["washout cladribine in 3 years"]),
    (EXC, "More than 3 serious infections in the last 12 months", ["not infection severe infection in 12 months ?"]),
    (EXC, "Women who want to become pregnant", []),
    (EXC, "Pregnant or planning to become pregnant", ["not pregnancy_or_breastfeeding pregnancy"]),
    (EXC, "AST ≥ 1.5 times of the normal value", ["not lab_limit ≥1.5 xULN ast"]),
    (INC, "First clinical demyelinating event within 70 days of randomisation", ["disease_duration ≤70 days @randomization"]),
    (INC, "A first attack suggestive of MS in the last 4 months", ["disease_duration ≤4 months"]),
    (EXC, "Definite MS by the McDonald criteria", ["not diagnosis_criteria mcdonald"]),
    (EXC, "Clinically definite MS", ["not diagnosis_criteria clinically definite ms"]),
    (INC, "On glatiramer acetate, interferon beta, or neither", ["prior_therapy_required glatiramer acetate+interferon beta [1]", "concomitant_therapy_forbidden ms disease-modifying therapy [1]"]),
    (INC, "Active inflammation on MRI within the last 10 months", ["gd_or_t2_activity ≥1 mri activity in 10 months"]),
    (EXC, "Clinically significant infection (e.g., one requiring IV antibiotics or hospitalisation) in the last 3 months", ["not infection severe infection in 3 months ?"]),
    (EXC, "Use of ocrelizumab or other B-cell therapy within 10 months", ["washout ocrelizumab+b cell-targeted therapy in 10 months"]),
    (EXC, "RRMS that has converted to SPMS", ["not disease_course spms"]),
    (INC, "RRMS without transition to SPMS", ["disease_course rrms"]),
    (INC, "History of RRMS that evolved into a secondary progressive course", ["disease_course spms"]),
    (INC, "CIS at risk of conversion to MS", ["disease_course cis"]),
    (EXC, "Previous treatment with siponimod or ozanimod, or with cladribine in the last 3 years", ["prior_therapy_forbidden siponimod+ozanimod @ever", "washout cladribine in 3 years"]),
    (INC, "At least one relapse or one new T2 lesion in the last 10 months", ["relapse_count ≥1 in 10 months [1]", "gd_or_t2_activity ≥1 new t2 in 10 months [1]"]),
    (INC, "Two or more relapses, or an enhancing lesion, during the previous 14 months", ["relapse_count ≥2 in 14 months [1]", "gd_or_t2_activity ≥1 gadolinium-enhancing in 14 months [1]"]),
    (INC, "At least one relapse in the last 14 months or one enhancing lesion in the last 5 months", ["relapse_count ≥1 in 14 months [1]", "gd_or_t2_activity ≥1 gadolinium-enhancing in 5 months [1]"]),
    (INC, "Two steroid-treated relapses in the last 14 months", ["relapse_count ≥2 in 14 months"]),
    (INC, "A relapse treated with steroids in the last 10 months", ["relapse_count ≥1 in 10 months"]),
    (INC, "Less than 7 years of disease duration", ["disease_duration <7 years"]),
    (INC, "At least 3 years of MS duration", ["disease_duration ≥3 years"]),
    (INC, "RRMS by the McDonald criteria, diagnosed within the last 14 months", ["disease_course rrms", "diagnosis_criteria mcdonald", "disease_duration ≤14 months"]),
    (INC, "Onset of SPMS within the last 7 years", ["disease_duration ≤7 years spms progression"]),
    (INC, "Increase of at least 1.5 on the EDSS in the last 14 months", ["edss_change ≥1.5 in 14 months"]),
    (INC, "Prior ofatumumab allowed if the last dose was more than 7 months ago", ["washout ofatumumab in 7 months"]),
    (INC, "Prior ofatumumab not allowed if given within 7 months", ["washout ofatumumab in 7 months"]),
    (INC, "Previous interferon is acceptable provided it was stopped at least 5 weeks before screening", ["washout interferon in 5 weeks @screening"]),
    (EXC, "Any earlier treatment with glatiramer acetate or interferon lasting over 2 months", ["prior_therapy_forbidden >2 months (exposure) glatiramer acetate+interferon @ever"]),
    (INC, "No prior teriflunomide for more than 5 months", ["prior_therapy_forbidden >5 months (exposure) teriflunomide @ever"]),
    (INC, "No teriflunomide for more than 5 months before screening", ["washout teriflunomide in 5 months @screening"]),
    (INC, "At least 5 weeks since prior experimental agents", ["other_investigational_drug investigational drug in 5 weeks"]),
    (EXC, "Azathioprine within 5 half-lives", []),
    (EXC, "Experimental drugs (in the last 50 days or 5 half-lives)", ["other_investigational_drug investigational drug in 50 days"]),
    (EXC, "Ofatumumab within 14 months of lymphocyte collection; cladribine within 3 years of leukapheresis", ["washout ofatumumab in 14 months", "washout cladribine in 3 years"]),
    (INC, "Prior ofatumumab is not permitted", ["prior_therapy_forbidden ofatumumab @ever"]),
    (INC, "RRMS patients:", []),
    (INC, "RRMS subjects must have had 1 relapse in the last 10 months, and subjects with SPMS must have had a relapse in the last 20 months", ["relapse_count ≥1 in 10 months", "relapse_count ≥1 in 20 months"]),
    (INC, "Patients with RRMS must have an EDSS of 1.0 to 5.0", ["disease_course rrms", "edss_range ≥1 ≤5"]),
    (INC, "Children from 9 to <17 years of age (before their 17th birthday)", ["age_range ≥9 <17 years"]),
    (INC, "Two exacerbations in the last 4 years; one exacerbation may rest on MRI alone", ["relapse_count ≥2 in 4 years"]),
    (INC, "One relapse in the last 14 months and, on an occasion separate from the clinical relapse, an enhancing lesion", ["relapse_count ≥1 in 14 months", "gd_or_t2_activity ≥1 gadolinium-enhancing"]),
]  # fmt: skip


@pytest.mark.parametrize(("section", "text", "expected"), WORDINGS, ids=[w[1][:60] for w in WORDINGS])
def test_wording(read, section: str, text: str, expected: list[str]) -> None:
    assert [said(c) for c in read(section, text)] == expected
