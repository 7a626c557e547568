"""Invented trials in the shape of ClinicalTrials.gov API v2 study records.

Every text and number is written for this repository; sponsors, drugs and sites do not exist. The shape is the
registry's own (its OpenAPI document), so that everything downstream meets what the real registry sends.
"""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]
VERSION = "2026-11-02"


def outcome(measure: str, time_frame: str | None, description: str | None = None) -> Json:
    """A registered outcome; a missing time frame is left out, as the registry does."""
    parts = {"measure": measure, "description": description, "timeFrame": time_frame}
    return {name: value for name, value in parts.items() if value is not None}


def measurement(
    group: str, value: Any, spread: Any = None, low: Any = None, high: Any = None, comment: str | None = None
) -> Json:
    """One posted number, as the strings that the registry posts."""
    parts = {
        "groupId": group,
        "value": value,
        "spread": spread,
        "lowerLimit": low,
        "upperLimit": high,
        "comment": comment,
    }
    return {name: str(part) for name, part in parts.items() if part is not None}


def posted(
    kind: str,
    title: str,
    time_frame: str,
    unit: str,
    param: str,
    dispersion: str | None,
    arms: list[tuple[str, int]],
    classes: list[tuple[str | None, list[tuple[str | None, list[tuple]]]]],
    *,
    description: str | None = None,
    population: str | None = None,
    analyses: list[Json] | None = None,
    class_participants: dict[str, list[int]] | None = None,
) -> Json:
    """A posted outcome measure. `classes` holds (class title, [(category title, [measurement arguments per arm])])."""
    ids = [f"OG{n:03d}" for n in range(len(arms))]
    measure: Json = {"type": kind, "title": title}
    if description:
        measure["description"] = description
    if population:
        measure["populationDescription"] = population
    measure |= {"reportingStatus": "POSTED", "paramType": param}
    if dispersion:
        measure["dispersionType"] = dispersion
    measure |= {
        "unitOfMeasure": unit,
        "timeFrame": time_frame,
        "groups": [
            {"id": i, "title": arm, "description": f"Invented participants of the arm {arm}."}
            for i, (arm, _) in zip(ids, arms, strict=True)
        ],
        "denoms": [_denom(ids, [n for _, n in arms])],
        "classes": [],
    }
    for title_of_class, categories in classes:
        entry: Json = {}
        if title_of_class:
            entry["title"] = title_of_class
        if class_participants and title_of_class in class_participants:
            entry["denoms"] = [_denom(ids, class_participants[title_of_class])]
        entry["categories"] = []
        for title_of_category, values in categories:
            category: Json = {"title": title_of_category} if title_of_category else {}
            category["measurements"] = [measurement(i, *value) for i, value in zip(ids, values, strict=False)]
            entry["categories"].append(category)
        measure["classes"].append(entry)
    if analyses:
        measure["analyses"] = analyses
    return measure


def not_posted(kind: str, title: str, time_frame: str, posting: str) -> Json:
    """A registered outcome whose results are announced for later."""
    return {
        "type": kind,
        "title": title,
        "reportingStatus": "NOT_POSTED",
        "anticipatedPostingDate": posting,
        "timeFrame": time_frame,
    }


def analysis(p_value: str, method: str, **more: Any) -> Json:
    """A posted statistical analysis of the first two arms."""
    return {
        "groupIds": ["OG000", "OG001"],
        "pValue": p_value,
        "statisticalMethod": method,
        "nonInferiorityType": "SUPERIORITY",
    } | more


def _denom(ids: list[str], counts: list[int]) -> Json:
    return {
        "units": "Participants",
        "counts": [{"groupId": i, "value": str(n)} for i, n in zip(ids, counts, strict=True)],
    }


def results(arms: list[tuple[str, int]], completed: list[int], ages: list[tuple[float, float]], women: list[int],
            edss: list[tuple[float, float]], measures: list[Json], events: list[tuple[str, str, bool, list[int]]],
            limitations: str | None = None) -> Json:  # fmt: skip
    """A results section: participant flow, baseline, outcome measures, adverse events and the rest."""
    n = len(arms)
    fg, bg, eg = ([f"{prefix}{i:03d}" for i in range(n)] for prefix in ("FG", "BG", "EG"))

    def groups(ids: list[str]) -> list[Json]:
        return [
            {"id": i, "title": arm, "description": f"Invented arm {arm}."}
            for i, (arm, _) in zip(ids, arms, strict=True)
        ]

    def flow(values: list[int]) -> list[Json]:
        return [{"groupId": i, "numSubjects": str(v)} for i, v in zip(fg, values, strict=True)]

    left = [size - done for (_, size), done in zip(arms, completed, strict=True)]
    lost = [value // 2 for value in left]
    serious = [event for event in events if event[2]]
    other = [event for event in events if not event[2]]

    def event_rows(rows: list[tuple[str, str, bool, list[int]]]) -> list[Json]:
        return [
            {
                "term": term, "organSystem": organ, "sourceVocabulary": "MedDRA 19.0", "assessmentType": "SYSTEMATIC_ASSESSMENT",
                "stats": [
                    {"groupId": i, "numEvents": count + count // 4, "numAffected": count, "numAtRisk": size}
                    for i, count, (_, size) in zip(eg, counts, arms, strict=True)
                ],
            }
            for term, organ, _, counts in rows
        ]  # fmt: skip

    more: Json = {
        "certainAgreement": {"piSponsorEmployee": False, "restrictiveAgreement": False},
        "pointOfContact": {
            "title": "Trial office",
            "organization": "Invented Sponsor",
            "email": "office@example.org",
            "phone": "000-000",
        },
    }
    if limitations:
        more = {"limitationsAndCaveats": {"description": limitations}} | more
    return {
        "participantFlowModule": {
            "preAssignmentDetails": "Invented participants were screened within 28 days before baseline.",
            "recruitmentDetails": "Invented sites in invented cities.",
            "groups": groups(fg),
            "periods": [
                {
                    "title": "Overall Study",
                    "milestones": [
                        {"type": "STARTED", "achievements": flow([size for _, size in arms])},
                        {"type": "COMPLETED", "achievements": flow(completed)},
                        {"type": "NOT COMPLETED", "achievements": flow(left)},
                    ],
                    "dropWithdraws": [
                        {"type": "Lost to Follow-up", "reasons": flow(lost)},
                        {"type": "Withdrawal by Subject", "reasons": flow([a - b for a, b in zip(left, lost, strict=True)])},
                    ],
                }
            ],
        },
        "baselineCharacteristicsModule": {
            "populationDescription": "All invented participants who received at least one dose.",
            "groups": groups(bg),
            "denoms": [_denom(bg, [size for _, size in arms])],
            "measures": [
                {
                    "title": "Age, Continuous", "paramType": "MEAN", "dispersionType": "STANDARD_DEVIATION", "unitOfMeasure": "years",
                    "classes": [{"categories": [{"measurements": [measurement(i, *age) for i, age in zip(bg, ages, strict=True)]}]}],
                },
                {
                    "title": "Sex: Female, Male", "paramType": "COUNT_OF_PARTICIPANTS", "unitOfMeasure": "Participants",
                    "classes": [{"categories": [
                        {"title": "Female", "measurements": [measurement(i, count) for i, count in zip(bg, women, strict=True)]},
                        {"title": "Male", "measurements": [measurement(i, size - count) for i, count, (_, size) in zip(bg, women, arms, strict=True)]},
                    ]}],
                },
                {
                    "title": "Expanded Disability Status Scale (EDSS) Score", "paramType": "MEAN", "dispersionType": "STANDARD_DEVIATION",
                    "unitOfMeasure": "units on a scale",
                    "description": "EDSS ranges from 0 (normal) to 10 (death due to MS) in steps of half a point.",
                    "classes": [{"categories": [{"measurements": [measurement(i, *value) for i, value in zip(bg, edss, strict=True)]}]}],
                },
            ],
        },
        "outcomeMeasuresModule": {"outcomeMeasures": measures},
        "adverseEventsModule": {
            "frequencyThreshold": "5",
            "timeFrame": "From the first dose up to 30 days after the last dose",
            "description": "Invented events of invented people.",
            "eventGroups": [
                {
                    "id": i, "title": arm, "deathsNumAffected": 0, "deathsNumAtRisk": size,
                    "seriousNumAffected": min(size, sum(event[3][k] for event in serious)), "seriousNumAtRisk": size,
                    "otherNumAffected": min(size, sum(event[3][k] for event in other)), "otherNumAtRisk": size,
                }
                for k, (i, (arm, size)) in enumerate(zip(eg, arms, strict=True))
            ],
            "seriousEvents": event_rows(serious),
            "otherEvents": event_rows(other),
        },
        "moreInfoModule": more,
    }  # fmt: skip


def study(number: int, title: str, official: str, criteria: str, primary: list[Json], secondary: list[Json], *,
          minimum: str | None = "18 Years", maximum: str | None = None, sex: str = "ALL", phase: str | None = "PHASE3",
          status: str = "COMPLETED", why_stopped: str | None = None, enrolment: int = 120, start: str = "2012-03",
          primary_completion: str = "2015-06-30", completion: str = "2015-12-15", arms: list[Json] | None = None,
          interventions: list[Json] | None = None, acronym: str | None = None, other: list[Json] | None = None,
          results_section: Json | None = None, conditions: list[str] | None = None, observational: bool = False,
          summary: str | None = None, healthy: bool = False, sites: int = 2) -> Json:  # fmt: skip
    """A whole study record."""
    nct_id = f"NCT9{number:07d}"
    finished = status in ("COMPLETED", "TERMINATED")
    identification: Json = {
        "nctId": nct_id,
        "orgStudyIdInfo": {"id": f"INVENTED-{number:03d}"},
        "secondaryIdInfos": [{"id": f"2011-00000{number % 10}-00", "type": "EUDRACT_NUMBER"}],
        "organization": {"fullName": "Invented Sponsor", "class": "OTHER"},
        "briefTitle": f"Invented Trial: {title}",
        "officialTitle": f"Invented Trial, Not Real: {official}",
    }
    if acronym:
        identification["acronym"] = acronym
    state: Json = {"statusVerifiedDate": "2016-01", "overallStatus": status}
    if why_stopped:
        state["whyStopped"] = why_stopped
    kind = "ACTUAL" if finished else "ESTIMATED"
    state |= {
        "expandedAccessInfo": {"hasExpandedAccess": False},
        "startDateStruct": {"date": start, "type": "ACTUAL"} if len(start) == 10 else {"date": start},
        "primaryCompletionDateStruct": {"date": primary_completion, "type": kind},
        "completionDateStruct": {"date": completion, "type": kind},
        "studyFirstSubmitDate": "2012-01-10",
        "studyFirstSubmitQcDate": "2012-01-12",
        "studyFirstPostDateStruct": {"date": "2012-01-16", "type": "ESTIMATED"},
    }
    if results_section:
        state |= {
            "resultsFirstSubmitDate": "2016-05-02",
            "resultsFirstSubmitQcDate": "2016-06-20",
            "resultsFirstPostDateStruct": {"date": "2016-07-01", "type": "ACTUAL"},
        }
    state |= {
        "lastUpdateSubmitDate": "2016-08-01",
        "lastUpdatePostDateStruct": {"date": "2016-08-04", "type": "ACTUAL"},
    }
    design: Json = {"studyType": "OBSERVATIONAL" if observational else "INTERVENTIONAL"}
    if observational:
        design |= {"patientRegistry": True, "targetDuration": "5 Years",
                   "designInfo": {"observationalModel": "COHORT", "timePerspective": "PROSPECTIVE"}}  # fmt: skip
    else:
        design |= {
            "phases": [phase] if phase else ["NA"],
            "designInfo": {
                "allocation": "RANDOMIZED" if arms and len(arms) > 1 else "NA",
                "interventionModel": "PARALLEL" if arms and len(arms) > 1 else "SINGLE_GROUP",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "SINGLE", "whoMasked": ["OUTCOMES_ASSESSOR"]} if arms and len(arms) > 1 else {"masking": "NONE"},
            },
        }  # fmt: skip
    design["enrollmentInfo"] = {"count": enrolment, "type": kind}
    eligibility: Json = {"eligibilityCriteria": criteria, "healthyVolunteers": healthy, "sex": sex}
    if minimum:
        eligibility["minimumAge"] = minimum
    if maximum:
        eligibility["maximumAge"] = maximum
    eligibility["stdAges"] = (["CHILD"] if minimum and int(minimum.split()[0]) < 18 else []) + ["ADULT"] * (maximum not in ("18 Years", "17 Years"))  # fmt: skip
    places = [
        ("Musterstadt", "Germany", 51.0, 10.0),
        ("Villa Prova", "Italy", 42.5, 12.5),
        ("Sampleton", "United Kingdom", 52.5, -1.5),
    ]
    record: Json = {
        "protocolSection": {
            "identificationModule": identification,
            "statusModule": state,
            "sponsorCollaboratorsModule": {
                "responsibleParty": {"type": "SPONSOR"},
                "leadSponsor": {"name": "Invented Sponsor", "class": "OTHER"},
                "collaborators": [{"name": "Invented Sponsor's Invented Friends", "class": "OTHER"}],
            },
            "oversightModule": {"oversightHasDmc": True, "isFdaRegulatedDrug": False, "isFdaRegulatedDevice": False},
            "descriptionModule": {
                "briefSummary": summary or f"This trial is invented and was never run. It shows how Remit reads a record about: {title}.",
                "detailedDescription": "No person took part. All figures were written for the examples of this repository.",
            },
            "conditionsModule": {"conditions": conditions or ["Multiple Sclerosis"], "keywords": ["invented", "example"]},
            "designModule": design,
            "armsInterventionsModule": {"armGroups": arms or [], "interventions": interventions or []},
            "outcomesModule": {"primaryOutcomes": primary, "secondaryOutcomes": secondary} | ({"otherOutcomes": other} if other else {}),
            "eligibilityModule": eligibility,
            "contactsLocationsModule": {
                "overallOfficials": [{"name": "Nobody Invented, MD", "affiliation": "Invented Sponsor", "role": "STUDY_DIRECTOR"}],
                "locations": [
                    {"facility": f"Invented Site {number}-{k + 1}", "city": city, "country": country, "geoPoint": {"lat": lat, "lon": lon}}
                    for k, (city, country, lat, lon) in enumerate(places[:sites])
                ],
            },
            "referencesModule": {"references": [{"type": "BACKGROUND", "citation": "Nobody I. An article that does not exist. Invented Journal 2012."}]},
        },
        "derivedSection": {
            "miscInfoModule": {"versionHolder": VERSION},
            "conditionBrowseModule": {
                "meshes": [{"id": "D009103", "term": "Multiple Sclerosis"}],
                "ancestors": [{"id": "D003711", "term": "Demyelinating Diseases"}, {"id": "D009422", "term": "Nervous System Diseases"}],
            },
        },
        "hasResults": results_section is not None,
    }  # fmt: skip
    if results_section:
        record = {"protocolSection": record["protocolSection"], "resultsSection": results_section, **{k: record[k] for k in ("derivedSection", "hasResults")}}  # fmt: skip
    return record


def earlier(record: Json, posted_on: str, status: str, sentences: list[tuple[str, str]], **eligibility: str) -> Json:  # fmt: skip
    """An earlier version of a study record: before its results, with sentences of its criteria (now, then) as they were.

    Raises:
        ValueError: a sentence does not stand in the record.
    """
    version = copy.deepcopy(record)
    version.pop("resultsSection", None)
    version["hasResults"] = False
    section = version["protocolSection"]
    state = section["statusModule"]
    for name in [name for name in state if name.startswith("resultsFirst")]:
        del state[name]
    state |= {
        "statusVerifiedDate": posted_on[:7],
        "overallStatus": status,
        "lastUpdateSubmitDate": posted_on,
        "lastUpdatePostDateStruct": {"date": posted_on, "type": "ACTUAL"},
    }
    for name in ("primaryCompletionDateStruct", "completionDateStruct"):
        state[name]["type"] = "ESTIMATED"
    section["designModule"]["enrollmentInfo"]["type"] = "ESTIMATED"
    section["eligibilityModule"] |= eligibility
    text = section["eligibilityModule"]["eligibilityCriteria"]
    for now, then in sentences:
        if now not in text:
            raise ValueError(f"no such sentence: {now}")
        text = text.replace(now, then)
    section["eligibilityModule"]["eligibilityCriteria"] = text
    return version


def arm(label: str, kind: str, *names: str) -> Json:
    """An arm with the interventions that it gets."""
    return {
        "label": label,
        "type": kind,
        "description": f"Invented arm: {label}.",
        "interventionNames": list(names),
    }


def drug(name: str, *arms: str, other: list[str] | None = None) -> Json:
    """A drug intervention and the arms that get it."""
    entry: Json = {
        "type": "DRUG",
        "name": name,
        "description": f"{name}, invented regimen.",
        "armGroupLabels": list(arms),
    }
    return entry | ({"otherNames": other} if other else {})
