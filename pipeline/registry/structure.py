"""The declared structure of one study document (API v2), as DuckDB reads it.

Every leaf is text: numbers, booleans and dates are cast later and non-strictly, so that a value which
is not what the registry's contract promises costs one cell and not the record. What a record holds
beyond this structure is listed in `schema_drift`. Source: the API's own /studies/metadata, version 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

T = "VARCHAR"

PARTIAL_DATE_STRUCT = {"date": T, "type": T}
DATE_STRUCT = {"date": T, "type": T}
SPONSOR = {"name": T, "class": T}
OUTCOME = {"measure": T, "description": T, "timeFrame": T}
CONTACT = {"name": T, "role": T, "phone": T, "phoneExt": T, "email": T}
RETRACTION = {"pmid": T, "source": T}
FLOW_STATS = {"groupId": T, "comment": T, "numSubjects": T, "numUnits": T}
MEASURE_GROUP = {"id": T, "title": T, "description": T}
DENOM_COUNT = {"groupId": T, "value": T}
DENOM = {"units": T, "counts": [DENOM_COUNT]}
MEASUREMENT = {"groupId": T, "value": T, "spread": T, "lowerLimit": T, "upperLimit": T, "comment": T}
MEASURE_CATEGORY = {"title": T, "measurements": [MEASUREMENT]}
MEASURE_CLASS = {"title": T, "denoms": [DENOM], "categories": [MEASURE_CATEGORY]}
EVENT_STATS = {"groupId": T, "numEvents": T, "numAffected": T, "numAtRisk": T}
ADVERSE_EVENT = {
    "term": T,
    "organSystem": T,
    "sourceVocabulary": T,
    "assessmentType": T,
    "notes": T,
    "stats": [EVENT_STATS],
}
MESH = {"id": T, "term": T}
BROWSE_LEAF = {"id": T, "name": T, "asFound": T, "relevance": T}
BROWSE_BRANCH = {"abbrev": T, "name": T}
BROWSE_MODULE = {
    "meshes": [MESH],
    "ancestors": [MESH],
    "browseLeaves": [BROWSE_LEAF],
    "browseBranches": [BROWSE_BRANCH],
}

STUDY: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {
            "nctId": T,
            "nctIdAliases": [T],
            "orgStudyIdInfo": {"id": T, "type": T, "link": T},
            "secondaryIdInfos": [{"id": T, "type": T, "domain": T, "link": T}],
            "briefTitle": T,
            "officialTitle": T,
            "acronym": T,
            "organization": {"fullName": T, "class": T},
        },
        "statusModule": {
            "statusVerifiedDate": T,
            "overallStatus": T,
            "lastKnownStatus": T,
            "delayedPosting": T,
            "whyStopped": T,
            "expandedAccessInfo": {"hasExpandedAccess": T, "nctId": T, "statusForNctId": T},
            "startDateStruct": PARTIAL_DATE_STRUCT,
            "primaryCompletionDateStruct": PARTIAL_DATE_STRUCT,
            "completionDateStruct": PARTIAL_DATE_STRUCT,
            "studyFirstSubmitDate": T,
            "studyFirstSubmitQcDate": T,
            "studyFirstPostDateStruct": DATE_STRUCT,
            "resultsWaived": T,
            "resultsFirstSubmitDate": T,
            "resultsFirstSubmitQcDate": T,
            "resultsFirstPostDateStruct": DATE_STRUCT,
            "dispFirstSubmitDate": T,
            "dispFirstSubmitQcDate": T,
            "dispFirstPostDateStruct": DATE_STRUCT,
            "lastUpdateSubmitDate": T,
            "lastUpdatePostDateStruct": DATE_STRUCT,
        },
        "sponsorCollaboratorsModule": {
            "responsibleParty": {
                "type": T,
                "investigatorFullName": T,
                "investigatorTitle": T,
                "investigatorAffiliation": T,
                "oldNameTitle": T,
                "oldOrganization": T,
            },
            "leadSponsor": SPONSOR,
            "collaborators": [SPONSOR],
        },
        "oversightModule": {
            "oversightHasDmc": T,
            "isFdaRegulatedDrug": T,
            "isFdaRegulatedDevice": T,
            "isUnapprovedDevice": T,
            "isPpsd": T,
            "isUsExport": T,
            "fdaaa801Violation": T,
        },
        "descriptionModule": {"briefSummary": T, "detailedDescription": T},
        "conditionsModule": {"conditions": [T], "keywords": [T]},
        "designModule": {
            "studyType": T,
            "nPtrsToThisExpAccNctId": T,
            "expandedAccessTypes": {"individual": T, "intermediate": T, "treatment": T},
            "patientRegistry": T,
            "targetDuration": T,
            "phases": [T],
            "designInfo": {
                "allocation": T,
                "interventionModel": T,
                "interventionModelDescription": T,
                "primaryPurpose": T,
                "observationalModel": T,
                "timePerspective": T,
                "maskingInfo": {"masking": T, "maskingDescription": T, "whoMasked": [T]},
            },
            "bioSpec": {"retention": T, "description": T},
            "enrollmentInfo": {"count": T, "type": T},
        },
        "armsInterventionsModule": {
            "armGroups": [{"label": T, "type": T, "description": T, "interventionNames": [T]}],
            "interventions": [
                {"type": T, "name": T, "description": T, "armGroupLabels": [T], "otherNames": [T]}
            ],
        },
        "outcomesModule": {
            "primaryOutcomes": [OUTCOME],
            "secondaryOutcomes": [OUTCOME],
            "otherOutcomes": [OUTCOME],
        },
        "eligibilityModule": {
            "eligibilityCriteria": T,
            "healthyVolunteers": T,
            "sex": T,
            "genderBased": T,
            "genderDescription": T,
            "minimumAge": T,
            "maximumAge": T,
            "stdAges": [T],
            "studyPopulation": T,
            "samplingMethod": T,
        },
        "contactsLocationsModule": {
            "centralContacts": [CONTACT],
            "overallOfficials": [{"name": T, "affiliation": T, "role": T}],
            "locations": [
                {
                    "facility": T,
                    "status": T,
                    "city": T,
                    "state": T,
                    "zip": T,
                    "country": T,
                    "countryCode": T,
                    "contacts": [CONTACT],
                    "geoPoint": {"lat": T, "lon": T},
                }
            ],
        },
        "referencesModule": {
            "references": [{"pmid": T, "type": T, "citation": T, "retractions": [RETRACTION]}],
            "seeAlsoLinks": [{"label": T, "url": T}],
            "availIpds": [{"id": T, "type": T, "url": T, "comment": T}],
        },
        "ipdSharingStatementModule": {
            "ipdSharing": T,
            "description": T,
            "infoTypes": [T],
            "timeFrame": T,
            "accessCriteria": T,
            "url": T,
        },
    },
    "resultsSection": {
        "participantFlowModule": {
            "preAssignmentDetails": T,
            "recruitmentDetails": T,
            "typeUnitsAnalyzed": T,
            "groups": [{"id": T, "title": T, "description": T}],
            "periods": [
                {
                    "title": T,
                    "milestones": [{"type": T, "comment": T, "achievements": [FLOW_STATS]}],
                    "dropWithdraws": [{"type": T, "comment": T, "reasons": [FLOW_STATS]}],
                }
            ],
        },
        "baselineCharacteristicsModule": {
            "populationDescription": T,
            "typeUnitsAnalyzed": T,
            "groups": [MEASURE_GROUP],
            "denoms": [DENOM],
            "measures": [
                {
                    "title": T,
                    "description": T,
                    "populationDescription": T,
                    "paramType": T,
                    "dispersionType": T,
                    "unitOfMeasure": T,
                    "calculatePct": T,
                    "denomUnitsSelected": T,
                    "denoms": [DENOM],
                    "classes": [MEASURE_CLASS],
                }
            ],
        },
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "type": T,
                    "title": T,
                    "description": T,
                    "populationDescription": T,
                    "reportingStatus": T,
                    "anticipatedPostingDate": T,
                    "paramType": T,
                    "dispersionType": T,
                    "unitOfMeasure": T,
                    "calculatePct": T,
                    "timeFrame": T,
                    "typeUnitsAnalyzed": T,
                    "denomUnitsSelected": T,
                    "groups": [MEASURE_GROUP],
                    "denoms": [DENOM],
                    "classes": [MEASURE_CLASS],
                    "analyses": [
                        {
                            "paramType": T,
                            "paramValue": T,
                            "dispersionType": T,
                            "dispersionValue": T,
                            "statisticalMethod": T,
                            "statisticalComment": T,
                            "pValue": T,
                            "pValueComment": T,
                            "ciNumSides": T,
                            "ciPctValue": T,
                            "ciLowerLimit": T,
                            "ciUpperLimit": T,
                            "ciLowerLimitComment": T,
                            "ciUpperLimitComment": T,
                            "estimateComment": T,
                            "testedNonInferiority": T,
                            "nonInferiorityType": T,
                            "nonInferiorityComment": T,
                            "otherAnalysisDescription": T,
                            "groupDescription": T,
                            "groupIds": [T],
                        }
                    ],
                }
            ],
        },
        "adverseEventsModule": {
            "frequencyThreshold": T,
            "timeFrame": T,
            "description": T,
            "allCauseMortalityComment": T,
            "eventGroups": [
                {
                    "id": T,
                    "title": T,
                    "description": T,
                    "deathsNumAffected": T,
                    "deathsNumAtRisk": T,
                    "seriousNumAffected": T,
                    "seriousNumAtRisk": T,
                    "otherNumAffected": T,
                    "otherNumAtRisk": T,
                }
            ],
            "seriousEvents": [ADVERSE_EVENT],
            "otherEvents": [ADVERSE_EVENT],
        },
        "moreInfoModule": {
            "limitationsAndCaveats": {"description": T},
            "certainAgreement": {
                "piSponsorEmployee": T,
                "restrictionType": T,
                "restrictiveAgreement": T,
                "otherDetails": T,
            },
            "pointOfContact": {"title": T, "organization": T, "email": T, "phone": T, "phoneExt": T},
        },
    },
    "annotationSection": {
        "annotationModule": {
            "unpostedAnnotation": {
                "unpostedResponsibleParty": T,
                "unpostedEvents": [{"type": T, "date": T, "dateUnknown": T}],
            },
            "violationAnnotation": {
                "violationEvents": [
                    {
                        "type": T,
                        "description": T,
                        "creationDate": T,
                        "issuedDate": T,
                        "releaseDate": T,
                        "postedDate": T,
                    }
                ],
            },
        },
    },
    "documentSection": {
        "largeDocumentModule": {
            "noSap": T,
            "largeDocs": [
                {
                    "typeAbbrev": T,
                    "hasProtocol": T,
                    "hasSap": T,
                    "hasIcf": T,
                    "label": T,
                    "date": T,
                    "uploadDate": T,
                    "filename": T,
                    "size": T,
                }
            ],
        },
    },
    "derivedSection": {
        "miscInfoModule": {
            "versionHolder": T,
            "removedCountries": [T],
            "submissionTracking": {
                "estimatedResultsFirstSubmitDate": T,
                "firstMcpInfo": {"postDateStruct": DATE_STRUCT},
                "submissionInfos": [
                    {
                        "releaseDate": T,
                        "unreleaseDate": T,
                        "unreleaseDateUnknown": T,
                        "resetDate": T,
                        "mcpReleaseN": T,
                    }
                ],
            },
        },
        "conditionBrowseModule": BROWSE_MODULE,
        "interventionBrowseModule": BROWSE_MODULE,
    },
    "hasResults": T,
}

# One level below the section the names are unique, so a batch of studies is held module by module.
SECTIONS = ("protocolSection", "resultsSection", "annotationSection", "documentSection", "derivedSection")
MODULES: dict[str, str] = {module: section for section in SECTIONS for module in STUDY[section]}


def duckdb_type(node: Any = STUDY) -> str:
    """The DuckDB type of a node of the structure."""
    if isinstance(node, list):
        return duckdb_type(node[0]) + "[]"
    if isinstance(node, dict):
        return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(child)}' for name, child in node.items()) + ")"
    return node


def paths(node: Any = STUDY, prefix: str = "") -> Iterator[str]:
    """Every declared path, dotted, lists not marked: `protocolSection.conditionsModule.conditions`."""
    if isinstance(node, list):
        yield from paths(node[0], prefix)
    elif isinstance(node, dict):
        for name, child in node.items():
            path = f"{prefix}.{name}" if prefix else name
            yield path
            yield from paths(child, path)
