"""The registry's lake tables: columns with kind, unit, meaning and the path of the record they come from.

This is the dictionary of the registry side: the SQL that reads study documents (tables.py), the pandera
schemas, dbt's YAML and the data dictionary are generated from it or tested against it. No reading here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import pandera.polars as pa
import polars as pl

from pipeline.registry import structure

# prose: the registry's markup; its escapes (`\\<`, `\\*`) are undone. text: as posted.
# day: a whole date. date: may be partial, and becomes four columns as on the cohort side.
# age: text like `6 Months`, to years.
Kind = Literal[
    "text", "prose", "code", "integer", "number", "boolean", "day", "date", "age", "list", "timestamp"
]

# `{m.title}` or `{#m}` in the SQL of a source.
REFERENCE = re.compile(r"\{(#?[\w.]+)\}")

_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "prose": pl.String(),
    "code": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "day": pl.Date(),
    "age": pl.Float64(),
    "list": pl.List(pl.String()),
    "timestamp": pl.Datetime("us"),
}


@dataclass(frozen=True)
class Column:
    """One column of a lake table.

    `path` is where the value stands: dotted, from a module (`statusModule.whyStopped`) or from a level of
    the table's source (`m.title`); `#m` is the item's number from 1. None: set per source, or by the loader.
    """

    name: str
    kind: Kind
    description: str
    path: str | None = None
    unit: str | None = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    codes: tuple[str, ...] = ()  # values that Remit itself writes; the registry's own codes are not closed


@dataclass(frozen=True)
class Source:
    """Where rows come from: a chain of nested lists, and the columns that differ between the chains of a table.

    A value of `set` is a path, or SQL when it starts with `=`, where `{m.title}` stands for a path. An item with
    nothing below it gives no row, unless that level is named in `outer`: then it keeps one, with nulls from there on.
    """

    levels: tuple[tuple[str, str], ...] = ()
    set: dict[str, str] = field(default_factory=dict)
    where: str = ""
    outer: tuple[str, ...] = ()


@dataclass(frozen=True)
class LakeColumn:
    """One column as it stands in the lake."""

    name: str
    type: pl.DataType
    description: str
    unit: str | None
    field: Column


@dataclass(frozen=True)
class Table:
    """One lake table. `sources` empty: the loader composes the rows."""

    name: str
    grain: str
    description: str
    fields: tuple[Column, ...]
    sources: tuple[Source, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[LakeColumn, ...]:
        """The columns of the table's Parquet, in order; a partial date is four of them."""
        return tuple(column for field in self.fields for column in _lake(field))


def _lake(field: Column) -> tuple[LakeColumn, ...]:
    if field.kind != "date":
        return (LakeColumn(field.name, _TYPES[field.kind], field.description, field.unit, field),)
    return tuple(
        LakeColumn(f"{field.name}_{part}", kind, description, None, field)
        for part, kind, description in (
            ("earliest", pl.Date(), f"{field.description} First day that the posted date allows."),
            ("latest", pl.Date(), f"{field.description} Last day that the posted date allows."),
            ("precision", pl.String(), f"{field.description} What was posted: day, month or year."),
            ("text", pl.String(), f"{field.description} The date as posted."),
        )
    )


def _c(name: str, kind: Kind, description: str, path: str | None = None, **options) -> Column:
    return Column(name, kind, description, path, **options)


NCT = _c("nct_id", "code", "ClinicalTrials.gov identifier of the study.", required=True)


def _ordinal(path: str | None, what: str) -> Column:
    return _c(
        "ordinal", "integer", f"Place of the {what} in the record, from 1.", path, required=True, minimum=1
    )


PROTOCOL: tuple[Table, ...] = (
    Table(
        "studies",
        "one row per study",
        "Registered studies, one column for each single value of the record.",
        (
            NCT,
            _c("brief_title", "text", "Short title.", "identificationModule.briefTitle"),
            _c("official_title", "text", "Official title.", "identificationModule.officialTitle"),
            _c("acronym", "text", "Acronym.", "identificationModule.acronym"),
            _c("organization", "text", "Organization that registered the study.", "identificationModule.organization.fullName"),
            _c("organization_class", "code", "Class of that organization.", "identificationModule.organization.class"),
            _c("overall_status", "code", "Recruitment status (RECRUITING, COMPLETED, TERMINATED …).", "statusModule.overallStatus"),
            _c("last_known_status", "code", "Last status before it became UNKNOWN.", "statusModule.lastKnownStatus"),
            _c("is_delayed_posting", "boolean", "Posting is delayed (devices not yet cleared).", "statusModule.delayedPosting"),
            _c("why_stopped", "prose", "Reason given for stopping.", "statusModule.whyStopped"),
            _c("phase", "code", "Phases joined with a slash, as PHASE2/PHASE3; NA where the registry says that none applies.", "designModule.phases"),
            _c("phases", "list", "Phases as posted.", "designModule.phases"),
            _c("study_type", "code", "INTERVENTIONAL, OBSERVATIONAL or EXPANDED_ACCESS.", "designModule.studyType"),
            _c("enrollment_count", "integer", "Participants planned or enrolled; null where 99999999 was posted as a placeholder.",
               "designModule.enrollmentInfo.count", unit="participants", minimum=0),
            _c("enrollment_type", "code", "ESTIMATED or ACTUAL.", "designModule.enrollmentInfo.type"),
            _c("is_enrollment_placeholder", "boolean", "The record posts 99999999 (or 9999999) as its enrolment.", "designModule.enrollmentInfo.count"),
            _c("lead_sponsor", "text", "Lead sponsor.", "sponsorCollaboratorsModule.leadSponsor.name"),
            _c("sponsor_class", "code", "Class of the lead sponsor (INDUSTRY, NIH, OTHER …).", "sponsorCollaboratorsModule.leadSponsor.class"),
            _c("responsible_party_type", "code", "SPONSOR, PRINCIPAL_INVESTIGATOR or SPONSOR_INVESTIGATOR.", "sponsorCollaboratorsModule.responsibleParty.type"),
            _c("responsible_party_name", "text", "Responsible investigator.", "sponsorCollaboratorsModule.responsibleParty.investigatorFullName"),
            _c("responsible_party_title", "text", "Title of the responsible investigator.", "sponsorCollaboratorsModule.responsibleParty.investigatorTitle"),
            _c("responsible_party_affiliation", "text", "Affiliation of the responsible investigator.", "sponsorCollaboratorsModule.responsibleParty.investigatorAffiliation"),
            _c("responsible_party_old_name_title", "text", "Name and title in records from before 2011.", "sponsorCollaboratorsModule.responsibleParty.oldNameTitle"),
            _c("responsible_party_old_organization", "text", "Organization in records from before 2011.", "sponsorCollaboratorsModule.responsibleParty.oldOrganization"),
            _c("start_date", "date", "Start of the study.", "statusModule.startDateStruct.date"),
            _c("start_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.startDateStruct.type"),
            _c("primary_completion_date", "date", "Last data collection for the primary outcome.", "statusModule.primaryCompletionDateStruct.date"),
            _c("primary_completion_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.primaryCompletionDateStruct.type"),
            _c("completion_date", "date", "Last data collection of the study.", "statusModule.completionDateStruct.date"),
            _c("completion_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.completionDateStruct.type"),
            _c("status_verified_date", "date", "When the sponsor last verified the record.", "statusModule.statusVerifiedDate"),
            _c("first_submitted_date", "day", "First submission.", "statusModule.studyFirstSubmitDate"),
            _c("first_submitted_qc_date", "day", "First submission that met quality control.", "statusModule.studyFirstSubmitQcDate"),
            _c("first_posted_date", "day", "First posting.", "statusModule.studyFirstPostDateStruct.date"),
            _c("first_posted_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.studyFirstPostDateStruct.type"),
            _c("results_first_submitted_date", "day", "First submission of results.", "statusModule.resultsFirstSubmitDate"),
            _c("results_first_submitted_qc_date", "day", "First submission of results that met quality control.", "statusModule.resultsFirstSubmitQcDate"),
            _c("results_first_posted_date", "day", "First posting of results.", "statusModule.resultsFirstPostDateStruct.date"),
            _c("results_first_posted_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.resultsFirstPostDateStruct.type"),
            _c("disposition_first_submitted_date", "day", "First submission of a certification or extension of delay.", "statusModule.dispFirstSubmitDate"),
            _c("disposition_first_submitted_qc_date", "day", "The same, having met quality control.", "statusModule.dispFirstSubmitQcDate"),
            _c("disposition_first_posted_date", "day", "First posting of a certification or extension of delay.", "statusModule.dispFirstPostDateStruct.date"),
            _c("disposition_first_posted_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.dispFirstPostDateStruct.type"),
            _c("last_update_submitted_date", "day", "Last submission of an update.", "statusModule.lastUpdateSubmitDate"),
            _c("last_update_posted_date", "day", "Last posting of an update.", "statusModule.lastUpdatePostDateStruct.date"),
            _c("last_update_posted_date_type", "code", "ACTUAL or ESTIMATED.", "statusModule.lastUpdatePostDateStruct.type"),
            _c("is_results_waived", "boolean", "Results are waived.", "statusModule.resultsWaived"),
            _c("estimated_results_first_submitted_date", "day", "When results in quality control were first submitted.",
               "miscInfoModule.submissionTracking.estimatedResultsFirstSubmitDate"),
            _c("first_mcp_posted_date", "day", "First posting of results with quality-control comments.", "miscInfoModule.submissionTracking.firstMcpInfo.postDateStruct.date"),
            _c("first_mcp_posted_date_type", "code", "ACTUAL or ESTIMATED.", "miscInfoModule.submissionTracking.firstMcpInfo.postDateStruct.type"),
            _c("version_date", "day", "The registry's own version of the record.", "miscInfoModule.versionHolder"),
            _c("has_expanded_access", "boolean", "Expanded access to the product exists.", "statusModule.expandedAccessInfo.hasExpandedAccess"),
            _c("expanded_access_nct_id", "code", "Record of that expanded access.", "statusModule.expandedAccessInfo.nctId"),
            _c("expanded_access_status", "code", "Status of that record.", "statusModule.expandedAccessInfo.statusForNctId"),
            _c("expanded_access_parents", "integer", "Records that name this expanded access.", "designModule.nPtrsToThisExpAccNctId", unit="records", minimum=0),
            _c("is_expanded_access_individual", "boolean", "Expanded access for individual patients.", "designModule.expandedAccessTypes.individual"),
            _c("is_expanded_access_intermediate", "boolean", "Expanded access for intermediate-size populations.", "designModule.expandedAccessTypes.intermediate"),
            _c("is_expanded_access_treatment", "boolean", "Treatment protocol.", "designModule.expandedAccessTypes.treatment"),
            _c("has_data_monitoring_committee", "boolean", "A data monitoring committee exists.", "oversightModule.oversightHasDmc"),
            _c("is_fda_regulated_drug", "boolean", "Studies a drug under the FDA.", "oversightModule.isFdaRegulatedDrug"),
            _c("is_fda_regulated_device", "boolean", "Studies a device under the FDA.", "oversightModule.isFdaRegulatedDevice"),
            _c("is_unapproved_device", "boolean", "Studies a device not yet approved or cleared.", "oversightModule.isUnapprovedDevice"),
            _c("is_ppsd", "boolean", "Paediatric postmarket surveillance of a device.", "oversightModule.isPpsd"),
            _c("is_us_export", "boolean", "Product is exported from the United States.", "oversightModule.isUsExport"),
            _c("is_fdaaa801_violation", "boolean", "Violation of FDAAA 801 is noted.", "oversightModule.fdaaa801Violation"),
            _c("brief_summary", "prose", "Short description.", "descriptionModule.briefSummary"),
            _c("detailed_description", "prose", "Long description.", "descriptionModule.detailedDescription"),
            _c("allocation", "code", "RANDOMIZED, NON_RANDOMIZED or NA.", "designModule.designInfo.allocation"),
            _c("intervention_model", "code", "Assignment of interventions.", "designModule.designInfo.interventionModel"),
            _c("intervention_model_description", "prose", "Words on the assignment.", "designModule.designInfo.interventionModelDescription"),
            _c("primary_purpose", "code", "Primary purpose.", "designModule.designInfo.primaryPurpose"),
            _c("observational_model", "code", "Model of an observational study.", "designModule.designInfo.observationalModel"),
            _c("time_perspective", "code", "Time perspective of an observational study.", "designModule.designInfo.timePerspective"),
            _c("masking", "code", "Masking.", "designModule.designInfo.maskingInfo.masking"),
            _c("masking_description", "prose", "Words on the masking.", "designModule.designInfo.maskingInfo.maskingDescription"),
            _c("who_masked", "list", "Who is masked.", "designModule.designInfo.maskingInfo.whoMasked"),
            _c("is_patient_registry", "boolean", "The study is a patient registry.", "designModule.patientRegistry"),
            _c("target_duration", "text", "Follow-up of a patient registry, as posted.", "designModule.targetDuration"),
            _c("biospecimen_retention", "code", "Whether samples are kept.", "designModule.bioSpec.retention"),
            _c("biospecimen_description", "prose", "Words on the samples.", "designModule.bioSpec.description"),
            _c("minimum_age", "text", "Minimum age as posted.", "eligibilityModule.minimumAge"),
            _c("minimum_age_years", "age", "Minimum age; months count 1/12, weeks and days by 365.25 days a year.", "eligibilityModule.minimumAge",
               unit="years", minimum=0),
            _c("maximum_age", "text", "Maximum age as posted.", "eligibilityModule.maximumAge"),
            _c("maximum_age_years", "age", "Maximum age; months count 1/12, weeks and days by 365.25 days a year.", "eligibilityModule.maximumAge",
               unit="years", minimum=0),
            _c("standard_ages", "list", "Age groups that the registry derives (CHILD, ADULT, OLDER_ADULT).", "eligibilityModule.stdAges"),
            _c("sex", "code", "Sex that is eligible: ALL, FEMALE or MALE.", "eligibilityModule.sex"),
            _c("is_gender_based", "boolean", "Eligibility rests on gender.", "eligibilityModule.genderBased"),
            _c("gender_description", "prose", "Words on gender.", "eligibilityModule.genderDescription"),
            _c("accepts_healthy_volunteers", "boolean", "Healthy volunteers are accepted.", "eligibilityModule.healthyVolunteers"),
            _c("study_population", "prose", "Population of an observational study.", "eligibilityModule.studyPopulation"),
            _c("sampling_method", "code", "Sampling of an observational study.", "eligibilityModule.samplingMethod"),
            _c("eligibility_text", "prose", "Eligibility criteria, the markup's escapes undone.", "eligibilityModule.eligibilityCriteria"),
            _c("eligibility_text_raw", "text", "Eligibility criteria exactly as posted.", "eligibilityModule.eligibilityCriteria"),
            _c("ipd_sharing", "code", "Plan to share individual data: YES, NO or UNDECIDED.", "ipdSharingStatementModule.ipdSharing"),
            _c("ipd_sharing_description", "prose", "Words on that plan.", "ipdSharingStatementModule.description"),
            _c("ipd_sharing_info_types", "list", "What else is shared.", "ipdSharingStatementModule.infoTypes"),
            _c("ipd_sharing_time_frame", "prose", "When it is shared.", "ipdSharingStatementModule.timeFrame"),
            _c("ipd_sharing_access_criteria", "prose", "To whom it is shared.", "ipdSharingStatementModule.accessCriteria"),
            _c("ipd_sharing_url", "text", "Where it is shared.", "ipdSharingStatementModule.url"),
            _c("removed_countries", "list", "Countries that the record no longer names.", "miscInfoModule.removedCountries"),
            _c("has_results", "boolean", "Results are posted.", "hasResults"),
            _c("flow_pre_assignment_details", "prose", "Events before assignment to groups.", "participantFlowModule.preAssignmentDetails"),
            _c("flow_recruitment_details", "prose", "Recruitment.", "participantFlowModule.recruitmentDetails"),
            _c("flow_type_units_analyzed", "text", "Unit of assignment where it is not the participant.", "participantFlowModule.typeUnitsAnalyzed"),
            _c("baseline_population_description", "prose", "Population of the baseline table.", "baselineCharacteristicsModule.populationDescription"),
            _c("baseline_type_units_analyzed", "text", "Unit of the baseline table where it is not the participant.", "baselineCharacteristicsModule.typeUnitsAnalyzed"),
            _c("adverse_events_frequency_threshold", "number", "Frequency above which other adverse events are posted.", "adverseEventsModule.frequencyThreshold",
               unit="percent", minimum=0),
            _c("adverse_events_time_frame", "text", "Period over which adverse events were collected.", "adverseEventsModule.timeFrame"),
            _c("adverse_events_description", "prose", "How adverse events were collected.", "adverseEventsModule.description"),
            _c("all_cause_mortality_comment", "prose", "Comment on all-cause mortality.", "adverseEventsModule.allCauseMortalityComment"),
            _c("limitations_and_caveats", "prose", "Limitations that the sponsor names.", "moreInfoModule.limitationsAndCaveats.description"),
            _c("is_pi_sponsor_employee", "boolean", "The principal investigators are employed by the sponsor.", "moreInfoModule.certainAgreement.piSponsorEmployee"),
            _c("has_restrictive_agreement", "boolean", "An agreement restricts the investigators' publishing.", "moreInfoModule.certainAgreement.restrictiveAgreement"),
            _c("agreement_restriction_type", "code", "Kind of that restriction.", "moreInfoModule.certainAgreement.restrictionType"),
            _c("agreement_other_details", "prose", "Words on that restriction.", "moreInfoModule.certainAgreement.otherDetails"),
            _c("is_sap_not_required", "boolean", "No separate statistical analysis plan exists.", "largeDocumentModule.noSap"),
            _c("unposted_responsible_party", "text", "Responsible party of results that were submitted and not posted.",
               "annotationModule.unpostedAnnotation.unpostedResponsibleParty"),
            _c("source", "code", "Where the record was read: clinicaltrials.gov, snapshot or mirror.", required=True),
            _c("is_current", "boolean", "False once the source no longer has the study.", required=True),
            _c("seen_at", "timestamp", "When this version of the record was landed (UTC).", required=True, unit="UTC"),
            _c("document_sha256", "code", "Hash of the landed document that the record was read from.", required=True),
        ),
        (Source(),),
        ("nct_id",),
    ),
    Table(
        "conditions", "one row per condition of a study", "Conditions as the sponsor names them.",
        (NCT, _ordinal("#c", "condition"), _c("condition", "text", "Condition as posted.", "c", required=True)),
        (Source((("c", "conditionsModule.conditions"),)),), ("nct_id", "ordinal"),
    ),
    Table(
        "keywords", "one row per keyword of a study", "Keywords as the sponsor gives them.",
        (NCT, _ordinal("#k", "keyword"), _c("keyword", "text", "Keyword as posted.", "k", required=True)),
        (Source((("k", "conditionsModule.keywords"),)),), ("nct_id", "ordinal"),
    ),
    Table(
        "arms", "one row per arm or group of a study", "Registered arms and groups.",
        (
            NCT, _ordinal("#a", "arm"),
            _c("label", "text", "Name of the arm.", "a.label"),
            _c("arm_type", "code", "EXPERIMENTAL, ACTIVE_COMPARATOR and others.", "a.type"),
            _c("description", "prose", "What is done in the arm.", "a.description"),
            _c("intervention_names", "list", "Interventions of the arm, as `Drug: name`.", "a.interventionNames"),
        ),
        (Source((("a", "armsInterventionsModule.armGroups"),)),), ("nct_id", "ordinal"),
    ),
    Table(
        "interventions", "one row per intervention of a study", "Registered interventions.",
        (
            NCT, _ordinal("#i", "intervention"),
            _c("intervention_type", "code", "DRUG, BIOLOGICAL, PROCEDURE and others.", "i.type"),
            _c("name", "text", "Name of the intervention.", "i.name"),
            _c("description", "prose", "Form, dose, route.", "i.description"),
            _c("arm_labels", "list", "Arms that receive it.", "i.armGroupLabels"),
            _c("other_names", "list", "Other names.", "i.otherNames"),
        ),
        (Source((("i", "armsInterventionsModule.interventions"),)),), ("nct_id", "ordinal"),
    ),
    Table(
        "outcomes", "one row per registered outcome of a study", "Registered outcomes, and outcomes that only the results name.",
        (
            NCT,
            _c("outcome_type", "code", "primary, secondary, other; posted for one that only the results section has.", required=True,
               codes=("primary", "secondary", "other", "posted")),
            _ordinal("#o", "outcome within its type"),
            _c("measure", "text", "What is measured.", "o.measure"),
            _c("description", "prose", "How it is measured.", "o.description"),
            _c("time_frame", "text", "When it is measured, as posted.", "o.timeFrame"),
            _c("outcome_kind", "code", "Kind of outcome (arr, edss_change, t2_lesions …); null where no rule matched."),
            _c("outcome_kind_words", "text", "The words of the measure or description that decided the kind."),
        ),
        (
            Source((("o", "outcomesModule.primaryOutcomes"),), {"outcome_type": "='primary'"}),
            Source((("o", "outcomesModule.secondaryOutcomes"),), {"outcome_type": "='secondary'"}),
            Source((("o", "outcomesModule.otherOutcomes"),), {"outcome_type": "='other'"}),
        ),
        ("nct_id", "outcome_type", "ordinal"),
    ),
    Table(
        "locations", "one row per site of a study", "Sites.",
        (
            NCT, _ordinal("#l", "site"),
            _c("facility", "text", "Facility.", "l.facility"),
            _c("status", "code", "Recruitment status of the site.", "l.status"),
            _c("city", "text", "City.", "l.city"),
            _c("state", "text", "State or province.", "l.state"),
            _c("zip", "text", "Postal code.", "l.zip"),
            _c("country", "text", "Country.", "l.country"),
            _c("country_code", "code", "Country's code, where the registry posts it.", "l.countryCode"),
            _c("latitude", "number", "Latitude.", "l.geoPoint.lat", unit="degrees", minimum=-90, maximum=90),
            _c("longitude", "number", "Longitude.", "l.geoPoint.lon", unit="degrees", minimum=-180, maximum=180),
        ),
        (Source((("l", "contactsLocationsModule.locations"),)),), ("nct_id", "ordinal"),
    ),
    Table(
        "contacts", "one row per person or office that a record names", "Contacts of study, sites and results, and overall officials.",
        (
            NCT,
            _c("contact_kind", "code", "central, location, official or results.", required=True, codes=("central", "location", "official", "results")),
            _c("location_ordinal", "integer", "Site of a location contact (registry.locations.ordinal).", minimum=1),
            _ordinal("#p", "contact within its kind and site"),
            _c("name", "text", "Name.", "p.name"),
            _c("role", "code", "Role.", "p.role"),
            _c("affiliation", "text", "Affiliation or organization."),
            _c("phone", "text", "Telephone.", "p.phone"),
            _c("phone_extension", "text", "Extension.", "p.phoneExt"),
            _c("email", "text", "E-mail address.", "p.email"),
        ),
        (
            Source((("p", "contactsLocationsModule.centralContacts"),), {"contact_kind": "='central'"}),
            Source((("l", "contactsLocationsModule.locations"), ("p", "l.contacts")), {"contact_kind": "='location'", "location_ordinal": "#l"}),
            Source((("p", "contactsLocationsModule.overallOfficials"),),
                   {"contact_kind": "='official'", "affiliation": "p.affiliation", "phone": "=null", "phone_extension": "=null", "email": "=null"}),
            Source((), {"contact_kind": "='results'", "ordinal": "=1", "name": "moreInfoModule.pointOfContact.title", "role": "=null",
                        "affiliation": "moreInfoModule.pointOfContact.organization", "phone": "moreInfoModule.pointOfContact.phone",
                        "phone_extension": "moreInfoModule.pointOfContact.phoneExt", "email": "moreInfoModule.pointOfContact.email"},
                   where="{moreInfoModule.pointOfContact} is not null"),
        ),
        ("nct_id", "contact_kind", "location_ordinal", "ordinal"),
    ),
    Table(
        "sponsors", "one row per sponsor of a study", "Lead sponsor and collaborators.",
        (
            NCT, _ordinal(None, "sponsor; the lead sponsor is 1"),
            _c("role", "code", "lead or collaborator.", required=True, codes=("lead", "collaborator")),
            _c("name", "text", "Name.", "s.name"),
            _c("sponsor_class", "code", "INDUSTRY, NIH, FED, OTHER and others.", "s.class"),
        ),
        (
            Source((), {"ordinal": "=1", "role": "='lead'", "name": "sponsorCollaboratorsModule.leadSponsor.name",
                        "sponsor_class": "sponsorCollaboratorsModule.leadSponsor.class"},
                   where="{sponsorCollaboratorsModule.leadSponsor} is not null"),
            Source((("s", "sponsorCollaboratorsModule.collaborators"),), {"ordinal": "={#s} + 1", "role": "='collaborator'"}),
        ),
        ("nct_id", "ordinal"),
    ),
    Table(
        "identifiers", "one row per identifier of a study", "Other identifiers: the organization's, secondary ones, and former NCT ids.",
        (
            NCT,
            _c("identifier_kind", "code", "organization, secondary or alias.", required=True, codes=("organization", "secondary", "alias")),
            _ordinal("#d", "identifier within its kind"),
            _c("identifier", "text", "The identifier.", "d.id"),
            _c("identifier_type", "code", "Its type (EUDRACT_NUMBER, REGISTRY, NIH …).", "d.type"),
            _c("domain", "text", "Who gave it.", "d.domain"),
            _c("link", "text", "Where it is described.", "d.link"),
        ),
        (
            Source((), {"identifier_kind": "='organization'", "ordinal": "=1", "identifier": "identificationModule.orgStudyIdInfo.id",
                        "identifier_type": "identificationModule.orgStudyIdInfo.type", "domain": "=null",
                        "link": "identificationModule.orgStudyIdInfo.link"},
                   where="{identificationModule.orgStudyIdInfo} is not null"),
            Source((("d", "identificationModule.secondaryIdInfos"),), {"identifier_kind": "='secondary'"}),
            Source((("d", "identificationModule.nctIdAliases"),),
                   {"identifier_kind": "='alias'", "identifier": "d", "identifier_type": "=null", "domain": "=null", "link": "=null"}),
        ),
        ("nct_id", "identifier_kind", "ordinal"),
    ),
    Table(
        "study_references", "one row per reference of a study", "Publications that the record names.",
        (
            NCT, _ordinal("#r", "reference"),
            _c("pmid", "code", "PubMed identifier.", "r.pmid"),
            _c("reference_type", "code", "BACKGROUND, RESULT or DERIVED.", "r.type"),
            _c("citation", "text", "Citation.", "r.citation"),
            _c("retractions", "integer", "Retraction notices (registry.reference_retractions).", "r.retractions", unit="notices", required=True, minimum=0),
        ),
        (Source((("r", "referencesModule.references"),), {"retractions": "=coalesce(len({r.retractions}), 0)"}),), ("nct_id", "ordinal"),
    ),
    Table(
        "reference_retractions", "one row per retraction notice of a reference", "Retractions of publications that the record names.",
        (
            NCT,
            _c("reference_ordinal", "integer", "The reference (registry.study_references.ordinal).", "#r", required=True, minimum=1),
            _ordinal("#x", "notice"),
            _c("pmid", "code", "PubMed identifier of the retraction.", "x.pmid"),
            _c("source", "text", "Where the retraction was published.", "x.source"),
        ),
        (Source((("r", "referencesModule.references"), ("x", "r.retractions"))),), ("nct_id", "reference_ordinal", "ordinal"),
    ),
    Table(
        "study_links", "one row per link of a study", "See-also links and available individual data.",
        (
            NCT,
            _c("link_kind", "code", "see_also or available_ipd.", required=True, codes=("see_also", "available_ipd")),
            _ordinal("#w", "link within its kind"),
            _c("url", "text", "Address.", "w.url"),
            _c("label", "prose", "Label of a see-also link."),
            _c("identifier", "text", "Identifier of the data."),
            _c("data_type", "text", "Type of the data."),
            _c("comment", "prose", "Comment on the data."),
        ),
        (
            Source((("w", "referencesModule.seeAlsoLinks"),), {"link_kind": "='see_also'", "label": "w.label"}),
            Source((("w", "referencesModule.availIpds"),),
                   {"link_kind": "='available_ipd'", "identifier": "w.id", "data_type": "w.type", "comment": "w.comment"}),
        ),
        ("nct_id", "link_kind", "ordinal"),
    ),
    Table(
        "mesh_terms", "one row per MeSH term, ancestor, leaf or branch of a study", "What the registry derives from conditions and interventions.",
        (
            NCT,
            _c("topic", "code", "condition or intervention.", required=True, codes=("condition", "intervention")),
            _c("term_kind", "code", "term, ancestor, leaf or branch of the registry's browse tree.", required=True,
               codes=("term", "ancestor", "leaf", "branch")),
            _ordinal("#t", "term within its kind"),
            _c("mesh_id", "code", "MeSH id; the browse tree's own id for a leaf, the abbreviation for a branch.", "t.id"),
            _c("term", "text", "Term.", "t.term"),
            _c("as_found", "text", "The posted words that led to a leaf."),
            _c("relevance", "code", "Relevance of a leaf: HIGH or LOW."),
        ),
        tuple(
            Source((("t", f"{topic}BrowseModule.{path}"),), {"topic": f"='{topic}'", "term_kind": f"='{kind}'", **extra})
            for topic in ("condition", "intervention")
            for path, kind, extra in (
                ("meshes", "term", {}),
                ("ancestors", "ancestor", {}),
                ("browseLeaves", "leaf", {"term": "t.name", "as_found": "t.asFound", "relevance": "t.relevance"}),
                ("browseBranches", "branch", {"mesh_id": "t.abbrev", "term": "t.name"}),
            )
        ),
        ("nct_id", "topic", "term_kind", "ordinal"),
    ),
    Table(
        "study_documents", "one row per uploaded document of a study", "Protocols, analysis plans and consent forms that the registry holds.",
        (
            NCT, _ordinal("#d", "document"),
            _c("type_abbreviation", "code", "Prot, SAP, ICF or a combination.", "d.typeAbbrev"),
            _c("has_protocol", "boolean", "Holds the protocol.", "d.hasProtocol"),
            _c("has_sap", "boolean", "Holds the statistical analysis plan.", "d.hasSap"),
            _c("has_icf", "boolean", "Holds the consent form.", "d.hasIcf"),
            _c("label", "text", "Label.", "d.label"),
            _c("document_date", "day", "Date of the document.", "d.date"),
            _c("uploaded_at", "text", "Upload time as posted (registry's local time).", "d.uploadDate"),
            _c("filename", "text", "File name at the registry.", "d.filename"),
            _c("size_bytes", "integer", "Size.", "d.size", unit="bytes", minimum=0),
            _c("url", "text", "Address of the file."),
        ),
        (Source((("d", "largeDocumentModule.largeDocs"),),
                {"url": "='https://cdn.clinicaltrials.gov/large-docs/' || right(nct_id, 2) || '/' || nct_id || '/' || {d.filename}"}),),
        ("nct_id", "ordinal"),
    ),
    Table(
        "annotations", "one row per annotated event of a study", "Results submitted but not posted, and violations.",
        (
            NCT,
            _c("annotation_kind", "code", "unposted_results or violation.", required=True, codes=("unposted_results", "violation")),
            _ordinal("#e", "event within its kind"),
            _c("event_type", "code", "RELEASE, UNRELEASE, RESET; or the kind of violation notice.", "e.type"),
            _c("event_date", "day", "Date of the event; for a violation its issue.", "e.date"),
            _c("is_date_unknown", "boolean", "The registry does not know the date."),
            _c("description", "text", "Words on a violation."),
            _c("created_date", "day", "Creation of a violation notice."),
            _c("release_date", "day", "Release of a violation notice."),
            _c("posted_date", "day", "Posting of a violation notice."),
        ),
        (
            Source((("e", "annotationModule.unpostedAnnotation.unpostedEvents"),),
                   {"annotation_kind": "='unposted_results'", "is_date_unknown": "e.dateUnknown"}),
            Source((("e", "annotationModule.violationAnnotation.violationEvents"),),
                   {"annotation_kind": "='violation'", "event_date": "e.issuedDate", "description": "e.description",
                    "created_date": "e.creationDate", "release_date": "e.releaseDate", "posted_date": "e.postedDate"}),
        ),
        ("nct_id", "annotation_kind", "ordinal"),
    ),
    Table(
        "results_submissions", "one row per submission of results under quality control", "Submissions and returns of results before they are posted.",
        (
            NCT, _ordinal("#b", "submission"),
            _c("release_date", "day", "Submission by the sponsor.", "b.releaseDate"),
            _c("unrelease_date", "day", "Withdrawal of the submission.", "b.unreleaseDate"),
            _c("is_unrelease_date_unknown", "boolean", "The withdrawal's date is unknown.", "b.unreleaseDateUnknown"),
            _c("reset_date", "day", "Return by the registry with comments.", "b.resetDate"),
            _c("mcp_release_number", "integer", "Number of the posting with quality-control comments.", "b.mcpReleaseN", minimum=0),
        ),
        (Source((("b", "miscInfoModule.submissionTracking.submissionInfos"),)),), ("nct_id", "ordinal"),
    ),
)  # fmt: skip

_MEASUREMENT = (
    _c("value", "number", "Value as a number; null where it is none (NA, NE, text).", "x.value"),
    _c("value_comparator", "code", "Comparator posted before the number: < <= > >= = ~.", "x.value"),
    _c("dispersion_type", "text", "Kind of dispersion (Standard Deviation, 95% Confidence Interval, Full Range …).", "m.dispersionType"),
    _c("dispersion_value", "number", "Dispersion as a number.", "x.spread"),
    _c("lower_limit", "number", "Lower limit as a number.", "x.lowerLimit"),
    _c("upper_limit", "number", "Upper limit as a number.", "x.upperLimit"),
    _c("unit", "text", "Unit of the value as posted.", "m.unitOfMeasure"),
    _c("participants", "integer", "Participants analysed in this group: the class's own count where it has one.", unit="participants", minimum=0),
    _c("units_analyzed", "text", "What else was counted, where it is not participants (eyes, lesions …)."),
    _c("units_analyzed_count", "integer", "Those units analysed in this group.", unit="units named in `units_analyzed`", minimum=0),
    _c("raw_value", "text", "Value exactly as posted.", "x.value"),
    _c("dispersion_raw", "text", "Dispersion exactly as posted.", "x.spread"),
    _c("lower_limit_raw", "text", "Lower limit exactly as posted.", "x.lowerLimit"),
    _c("upper_limit_raw", "text", "Upper limit exactly as posted.", "x.upperLimit"),
    _c("comment", "prose", "Comment on the value (why it is NA, for instance).", "x.comment"),
)  # fmt: skip

# A measure's item without a measurement: the innermost that was posted is what has no value.
_WITHOUT_MEASUREMENT = {
    "item_kind": "=case when {y} is not null then 'category' when {k} is not null then 'class' else 'measure' end",
    "ordinal": "#m",
    "class_ordinal": "=case when {k} is not null then {#k} end",
    "category_ordinal": "=case when {y} is not null then {#y} end",
    "title": "m.title",
    "class_title": "k.title",
    "category": "y.title",
    "description": "m.description",
    "unit": "m.unitOfMeasure",
}

RESULTS: tuple[Table, ...] = (
    Table(
        "outcome_measures", "one row per posted outcome measure of a study", "Head of each posted outcome measure.",
        (
            NCT, _ordinal("#m", "measure in the results section"),
            _c("outcome_type", "code", "PRIMARY, SECONDARY, OTHER_PRE_SPECIFIED or POST_HOC.", "m.type"),
            _c("title", "text", "What is reported.", "m.title"),
            _c("description", "prose", "How it was measured.", "m.description"),
            _c("population_description", "prose", "Population analysed.", "m.populationDescription"),
            _c("reporting_status", "code", "POSTED or NOT_POSTED.", "m.reportingStatus"),
            _c("anticipated_posting_date", "date", "When a measure not posted yet is to be.", "m.anticipatedPostingDate"),
            _c("param_type", "code", "MEAN, NUMBER, COUNT_OF_PARTICIPANTS and others.", "m.paramType"),
            _c("dispersion_type", "text", "Kind of dispersion.", "m.dispersionType"),
            _c("unit", "text", "Unit as posted.", "m.unitOfMeasure"),
            _c("is_percent_calculated", "boolean", "The registry shows percentages of the counts.", "m.calculatePct"),
            _c("time_frame", "text", "When it was measured.", "m.timeFrame"),
            _c("type_units_analyzed", "text", "Unit of analysis where it is not the participant.", "m.typeUnitsAnalyzed"),
            _c("denominator_units_selected", "text", "Which of several denominators applies.", "m.denomUnitsSelected"),
            _c("outcome_kind", "code", "Kind of outcome by the rules of registry.outcomes."),
            _c("outcome_kind_words", "text", "The words that decided the kind."),
            _c("registered_outcome_type", "code", "Registered outcome of the same measure: primary, secondary, other; null where none has these words."),
            _c("registered_ordinal", "integer", "Its ordinal in registry.outcomes.", minimum=1),
        ),
        (Source((("m", "outcomeMeasuresModule.outcomeMeasures"),)),), ("nct_id", "ordinal"),
    ),
    Table(
        "result_groups", "one row per group of a results table", "Groups (columns) of flow, baseline, outcome and adverse event tables.",
        (
            NCT,
            _c("module", "code", "flow, baseline, outcome or adverse_event.", required=True, codes=("flow", "baseline", "outcome", "adverse_event")),
            _c("measure_ordinal", "integer", "Outcome measure that an outcome group belongs to.", minimum=1),
            _ordinal("#g", "group"),
            _c("group_id", "code", "Identifier within the table, as OG000.", "g.id"),
            _c("title", "text", "Title.", "g.title"),
            _c("description", "prose", "Description.", "g.description"),
        ),
        (
            Source((("g", "participantFlowModule.groups"),), {"module": "='flow'"}),
            Source((("g", "baselineCharacteristicsModule.groups"),), {"module": "='baseline'"}),
            Source((("m", "outcomeMeasuresModule.outcomeMeasures"), ("g", "m.groups")), {"module": "='outcome'", "measure_ordinal": "#m"}),
            Source((("g", "adverseEventsModule.eventGroups"),), {"module": "='adverse_event'"}),
        ),
        ("nct_id", "module", "measure_ordinal", "ordinal"),
    ),
    Table(
        "result_denominators", "one row per posted denominator", "Participants or units analysed, of a table, a measure or a class.",
        (
            NCT,
            _c("module", "code", "baseline or outcome.", required=True, codes=("baseline", "outcome")),
            _c("scope", "code", "table (all of baseline), measure or class.", required=True, codes=("table", "measure", "class")),
            _c("measure_ordinal", "integer", "Measure.", minimum=1),
            _c("class_ordinal", "integer", "Class of the measure.", minimum=1),
            _ordinal("#d", "denominator"),
            _c("group_id", "code", "Group.", "n.groupId"),
            _c("units", "text", "What is counted, as Participants.", "d.units"),
            _c("participants", "integer", "Count as a number.", "n.value", unit="units named in `units`", minimum=0),
            _c("participants_raw", "text", "Count exactly as posted.", "n.value"),
        ),
        (
            Source((("d", "baselineCharacteristicsModule.denoms"), ("n", "d.counts")), {"module": "='baseline'", "scope": "='table'"}),
            Source((("m", "baselineCharacteristicsModule.measures"), ("d", "m.denoms"), ("n", "d.counts")),
                   {"module": "='baseline'", "scope": "='measure'", "measure_ordinal": "#m"}),
            Source((("m", "baselineCharacteristicsModule.measures"), ("k", "m.classes"), ("d", "k.denoms"), ("n", "d.counts")),
                   {"module": "='baseline'", "scope": "='class'", "measure_ordinal": "#m", "class_ordinal": "#k"}),
            Source((("m", "outcomeMeasuresModule.outcomeMeasures"), ("d", "m.denoms"), ("n", "d.counts")),
                   {"module": "='outcome'", "scope": "='measure'", "measure_ordinal": "#m"}),
            Source((("m", "outcomeMeasuresModule.outcomeMeasures"), ("k", "m.classes"), ("d", "k.denoms"), ("n", "d.counts")),
                   {"module": "='outcome'", "scope": "='class'", "measure_ordinal": "#m", "class_ordinal": "#k"}),
        ),
        ("nct_id", "module", "scope", "measure_ordinal", "class_ordinal", "ordinal", "group_id"),
    ),
    Table(
        "outcome_results", "one row per posted value: outcome measure × class × category × group", "Posted results.",
        (
            NCT,
            _c("outcome_ordinal", "integer", "The posted measure (registry.outcome_measures.ordinal).", "#m", required=True, minimum=1),
            _c("class_ordinal", "integer", "Class (row group) of the measure.", "#k", required=True, minimum=1),
            _c("category_ordinal", "integer", "Category of the class.", "#y", required=True, minimum=1),
            _c("outcome_kind", "code", "Kind of outcome by the rules of registry.outcomes."),
            _c("outcome_type", "code", "PRIMARY, SECONDARY, OTHER_PRE_SPECIFIED or POST_HOC.", "m.type"),
            _c("measure", "text", "What is reported.", "m.title"),
            _c("group_id", "code", "Group within the measure, as OG000.", "x.groupId"),
            _c("arm_title", "text", "Title of the group."),
            _c("class_title", "text", "Title of the class.", "k.title"),
            _c("category", "text", "Title of the category.", "y.title"),
            _c("time_point", "text", "The class's title where it names a time (Month 12, Baseline), else the measure's time frame."),
            _c("param_type", "code", "MEAN, NUMBER, COUNT_OF_PARTICIPANTS and others.", "m.paramType"),
            *_MEASUREMENT,
        ),
        (Source((("m", "outcomeMeasuresModule.outcomeMeasures"), ("k", "m.classes"), ("y", "k.categories"), ("x", "y.measurements")),
                {"time_point": "m.timeFrame"}),),
        ("nct_id", "outcome_ordinal", "class_ordinal", "category_ordinal", "group_id"),
    ),
    Table(
        "result_analyses", "one row per posted statistical analysis", "Statistical analyses of posted outcome measures.",
        (
            NCT,
            _c("outcome_ordinal", "integer", "The posted measure (registry.outcome_measures.ordinal).", "#m", required=True, minimum=1),
            _ordinal("#a", "analysis of the measure"),
            _c("measure", "text", "What is reported.", "m.title"),
            _c("outcome_kind", "code", "Kind of outcome by the rules of registry.outcomes."),
            _c("group_ids", "list", "Groups compared.", "a.groupIds"),
            _c("group_description", "prose", "Words on the comparison.", "a.groupDescription"),
            _c("statistical_method", "text", "Method.", "a.statisticalMethod"),
            _c("statistical_comment", "prose", "Words on the method.", "a.statisticalComment"),
            _c("param_type", "text", "Estimated parameter (Hazard Ratio, Mean Difference …).", "a.paramType"),
            _c("param_value", "number", "Estimate as a number.", "a.paramValue"),
            _c("param_value_raw", "text", "Estimate exactly as posted.", "a.paramValue"),
            _c("dispersion_type", "code", "STANDARD_DEVIATION or STANDARD_ERROR_OF_MEAN.", "a.dispersionType"),
            _c("dispersion_value", "number", "Dispersion as a number.", "a.dispersionValue"),
            _c("dispersion_raw", "text", "Dispersion exactly as posted.", "a.dispersionValue"),
            _c("p_value", "number", "P value as a number; `<0.001` gives 0.001 with comparator `<`.", "a.pValue"),
            _c("p_value_comparator", "code", "Comparator posted before the number.", "a.pValue"),
            _c("p_value_raw", "text", "P value exactly as posted.", "a.pValue"),
            _c("p_value_comment", "prose", "Comment on the p value.", "a.pValueComment"),
            _c("ci_sides", "code", "ONE_SIDED or TWO_SIDED.", "a.ciNumSides"),
            _c("ci_percent", "number", "Level of the confidence interval.", "a.ciPctValue", unit="percent", minimum=0, maximum=100),
            _c("ci_lower_limit", "number", "Lower limit as a number.", "a.ciLowerLimit"),
            _c("ci_lower_limit_raw", "text", "Lower limit exactly as posted.", "a.ciLowerLimit"),
            _c("ci_lower_limit_comment", "prose", "Why there is none.", "a.ciLowerLimitComment"),
            _c("ci_upper_limit", "number", "Upper limit as a number.", "a.ciUpperLimit"),
            _c("ci_upper_limit_raw", "text", "Upper limit exactly as posted.", "a.ciUpperLimit"),
            _c("ci_upper_limit_comment", "prose", "Why there is none.", "a.ciUpperLimitComment"),
            _c("estimate_comment", "prose", "Comment on the estimate.", "a.estimateComment"),
            _c("is_non_inferiority_tested", "boolean", "Non-inferiority or equivalence was tested.", "a.testedNonInferiority"),
            _c("non_inferiority_type", "code", "SUPERIORITY, NON_INFERIORITY, EQUIVALENCE, OTHER and others.", "a.nonInferiorityType"),
            _c("non_inferiority_comment", "prose", "Words on the margin.", "a.nonInferiorityComment"),
            _c("other_analysis_description", "prose", "Another analysis, in words.", "a.otherAnalysisDescription"),
        ),
        (Source((("m", "outcomeMeasuresModule.outcomeMeasures"), ("a", "m.analyses"))),), ("nct_id", "outcome_ordinal", "ordinal"),
    ),
    Table(
        "baseline_measures", "one row per posted baseline value: measure × class × category × group", "Posted baseline characteristics.",
        (
            NCT,
            _c("measure_ordinal", "integer", "Place of the measure in the baseline table, from 1.", "#m", required=True, minimum=1),
            _c("class_ordinal", "integer", "Class (row group) of the measure.", "#k", required=True, minimum=1),
            _c("category_ordinal", "integer", "Category of the class.", "#y", required=True, minimum=1),
            _c("measure", "text", "What is described.", "m.title"),
            _c("description", "prose", "How it was measured.", "m.description"),
            _c("population_description", "prose", "Population, where it is not the whole table's.", "m.populationDescription"),
            _c("group_id", "code", "Group, as BG000.", "x.groupId"),
            _c("arm_title", "text", "Title of the group."),
            _c("class_title", "text", "Title of the class.", "k.title"),
            _c("category", "text", "Title of the category.", "y.title"),
            _c("param_type", "code", "MEAN, COUNT_OF_PARTICIPANTS and others.", "m.paramType"),
            _c("is_percent_calculated", "boolean", "The registry shows percentages of the counts.", "m.calculatePct"),
            _c("denominator_units_selected", "text", "Which of several denominators applies.", "m.denomUnitsSelected"),
            *_MEASUREMENT,
        ),
        (Source((("m", "baselineCharacteristicsModule.measures"), ("k", "m.classes"), ("y", "k.categories"), ("x", "y.measurements"))),),
        ("nct_id", "measure_ordinal", "class_ordinal", "category_ordinal", "group_id"),
    ),
    Table(
        "participant_flow", "one row per milestone or reason of leaving × group", "Participant flow.",
        (
            NCT,
            _c("period_ordinal", "integer", "Place of the period, from 1.", "#p", required=True, minimum=1),
            _c("period", "text", "Title of the period.", "p.title"),
            _c("event_kind", "code", "milestone or drop_withdraw.", required=True, codes=("milestone", "drop_withdraw")),
            _ordinal("#e", "milestone or reason within its kind"),
            _c("event", "text", "STARTED, COMPLETED, a milestone of the study's own, or the reason of leaving.", "e.type"),
            _c("event_comment", "prose", "Comment on the milestone or reason.", "e.comment"),
            _c("group_id", "code", "Group, as FG000.", "s.groupId"),
            _c("arm_title", "text", "Title of the group."),
            _c("participants", "integer", "Participants.", "s.numSubjects", unit="participants", minimum=0),
            _c("participants_raw", "text", "Participants exactly as posted.", "s.numSubjects"),
            _c("units", "integer", "Units other than participants.", "s.numUnits", unit="units", minimum=0),
            _c("units_raw", "text", "Units exactly as posted.", "s.numUnits"),
            _c("comment", "prose", "Comment on this group's count.", "s.comment"),
        ),
        (
            Source((("p", "participantFlowModule.periods"), ("e", "p.milestones"), ("s", "e.achievements")), {"event_kind": "='milestone'"}),
            Source((("p", "participantFlowModule.periods"), ("e", "p.dropWithdraws"), ("s", "e.reasons")), {"event_kind": "='drop_withdraw'"}),
        ),
        ("nct_id", "period_ordinal", "event_kind", "ordinal", "group_id"),
    ),
    Table(
        "adverse_events", "one row per adverse event term × group", "Posted adverse events.",
        (
            NCT,
            _c("is_serious", "boolean", "From the table of serious events.", required=True),
            _ordinal("#e", "event within its table"),
            _c("term", "text", "Term.", "e.term"),
            _c("organ_system", "text", "System organ class.", "e.organSystem"),
            _c("source_vocabulary", "text", "Vocabulary, as MedDRA 20.0.", "e.sourceVocabulary"),
            _c("assessment_type", "code", "SYSTEMATIC_ASSESSMENT or NON_SYSTEMATIC_ASSESSMENT.", "e.assessmentType"),
            _c("notes", "prose", "Notes.", "e.notes"),
            _c("group_id", "code", "Group, as EG000.", "s.groupId"),
            _c("arm_title", "text", "Title of the group."),
            _c("events", "integer", "Events.", "s.numEvents", unit="events", minimum=0),
            _c("participants_affected", "integer", "Participants affected.", "s.numAffected", unit="participants", minimum=0),
            _c("participants_at_risk", "integer", "Participants at risk.", "s.numAtRisk", unit="participants", minimum=0),
        ),
        (
            Source((("e", "adverseEventsModule.seriousEvents"), ("s", "e.stats")), {"is_serious": "=true"}),
            Source((("e", "adverseEventsModule.otherEvents"), ("s", "e.stats")), {"is_serious": "=false"}),
        ),
        ("nct_id", "is_serious", "ordinal", "group_id"),
    ),
    Table(
        "results_without_values", "one row per item of the results that was posted without any value below it",
        "Baseline measures, classes, categories, milestones, reasons of leaving and adverse events without a value for any group.",
        (
            NCT,
            _c("module", "code", "baseline, outcome, flow or adverse_event.", required=True, codes=("baseline", "outcome", "flow", "adverse_event")),
            _c("item_kind", "code", "What has no value.", required=True,
               codes=("measure", "class", "category", "milestone", "drop_withdraw", "serious_event", "other_event")),
            _ordinal(None, "measure, period or adverse event"),
            _c("class_ordinal", "integer", "Class of the measure, or milestone or reason of the period.", minimum=1),
            _c("category_ordinal", "integer", "Category of the class.", minimum=1),
            _c("title", "text", "Title of the measure or period, or term of the event."),
            _c("class_title", "text", "Title of the class, or the milestone or reason."),
            _c("category", "text", "Title of the category."),
            _c("description", "prose", "How the measure was taken, or notes on the event."),
            _c("unit", "text", "Unit of the measure.", None),
            _c("population_description", "prose", "Population of a baseline measure, where it is not the whole table's."),
            _c("organ_system", "text", "System organ class of an adverse event."),
            _c("source_vocabulary", "text", "Vocabulary of an adverse event, as MedDRA 20.0."),
            _c("comment", "prose", "Comment on the milestone or reason."),
        ),
        (
            Source((("m", "baselineCharacteristicsModule.measures"), ("k", "m.classes"), ("y", "k.categories"), ("x", "y.measurements")),
                   {**_WITHOUT_MEASUREMENT, "module": "='baseline'", "population_description": "m.populationDescription"},
                   where="{x} is null", outer=("k", "y", "x")),
            Source((("m", "outcomeMeasuresModule.outcomeMeasures"), ("k", "m.classes"), ("y", "k.categories"), ("x", "y.measurements")),
                   {**_WITHOUT_MEASUREMENT, "module": "='outcome'"}, where="{x} is null", outer=("y", "x")),
            *(
                Source((("p", "participantFlowModule.periods"), ("e", f"p.{path}"), ("s", f"e.{counts}")),
                       {"module": "='flow'", "item_kind": f"='{kind}'", "ordinal": "#p", "class_ordinal": "#e", "title": "p.title",
                        "class_title": "e.type", "comment": "e.comment"}, where="{s} is null", outer=("s",))
                for kind, path, counts in (("milestone", "milestones", "achievements"), ("drop_withdraw", "dropWithdraws", "reasons"))
            ),
            *(
                Source((("e", f"adverseEventsModule.{kind}Events"), ("s", "e.stats")),
                       {"module": "='adverse_event'", "item_kind": f"='{kind}_event'", "ordinal": "#e", "title": "e.term", "description": "e.notes",
                        "organ_system": "e.organSystem", "source_vocabulary": "e.sourceVocabulary"}, where="{s} is null", outer=("s",))
                for kind in ("serious", "other")
            ),
        ),
        ("nct_id", "module", "item_kind", "ordinal", "class_ordinal", "category_ordinal"),
    ),
    Table(
        "adverse_event_groups", "one row per group of the adverse event tables", "Totals: deaths, serious and other events by group.",
        (
            NCT, _ordinal("#g", "group"),
            _c("group_id", "code", "Group, as EG000.", "g.id"),
            _c("title", "text", "Title.", "g.title"),
            _c("description", "prose", "Description.", "g.description"),
            _c("deaths_affected", "integer", "Deaths of any cause.", "g.deathsNumAffected", unit="participants", minimum=0),
            _c("deaths_at_risk", "integer", "At risk of death.", "g.deathsNumAtRisk", unit="participants", minimum=0),
            _c("serious_affected", "integer", "With any serious event.", "g.seriousNumAffected", unit="participants", minimum=0),
            _c("serious_at_risk", "integer", "At risk of serious events.", "g.seriousNumAtRisk", unit="participants", minimum=0),
            _c("other_affected", "integer", "With any other event.", "g.otherNumAffected", unit="participants", minimum=0),
            _c("other_at_risk", "integer", "At risk of other events.", "g.otherNumAtRisk", unit="participants", minimum=0),
        ),
        (Source((("g", "adverseEventsModule.eventGroups"),)),), ("nct_id", "ordinal"),
    ),
)  # fmt: skip

# Criteria and constraints of the present version and of earlier ones are tables alike.
VERSIONS_BACK = _c(
    "versions_back",
    "integer",
    "Amendment that it was before: 1 the study's latest, 2 the one before that.",
    required=True,
    minimum=1,
)
CRITERIA_FIELDS: tuple[Column, ...] = (
    NCT,
    _c("criterion_id", "code", "Identifier of the criterion: study, section and hash of its wording.", required=True),
    _c("section", "code", "inclusion or exclusion.", required=True),
    _c("part", "text", "Named part of the study (Part A, a cohort …) that the criterion belongs to; empty for the whole study."),
    _c("ordinal", "integer", "Place in the study, from 1; structured fields come first.", required=True),
    _c("text", "text", "The criterion, escapes undone."),
    _c("char_start", "integer", "First character in registry.studies.eligibility_text, from 0; null for a structured field.", unit="characters", minimum=0),
    _c("char_end", "integer", "Character after the last.", unit="characters", minimum=0),
    _c("group_id", "code", "Group of criteria that belong together; null where it stands alone."),
    _c("parent_group_id", "code", "Group that the group is a member of; null at the top."),
    _c("group_logic", "code", "How the group's criteria combine: any or all."),
    _c("group_minimum", "integer", "At least so many members of an `any` group must hold; null: one."),
    _c("group_depth", "integer", "Depth of the group, 0 at the top."),
    _c("parse_status", "code", "Whether the grammar read a constraint from it.", required=True),
    _c("is_subjective", "boolean", "The criterion rests on somebody's opinion."),
    _c("text_sha256", "code", "Hash of the normalised wording; an override names it."),
    _c("origin", "code", "text, or structured for the registry's own fields."),
    _c("constraint_count", "integer", "Constraints read from it."),
)  # fmt: skip
CONSTRAINT_FIELDS: tuple[Column, ...] = (
    NCT,
    _c("criterion_id", "code", "The criterion.", required=True),
    _c("constraint_ordinal", "integer", "Place of the constraint within the criterion, from 1."),
    _c("kind", "code", "Kind of constraint (edss, age, relapses, washout …).", required=True),
    _c("polarity", "code", "require: must hold; forbid: must not hold.", required=True),
    _c("min_value", "number", "Lower bound, in `unit`."),
    _c("min_inclusive", "boolean", "The lower bound itself is allowed."),
    _c("max_value", "number", "Upper bound, in `unit`."),
    _c("max_inclusive", "boolean", "The upper bound itself is allowed."),
    _c("unit", "code", "Unit of the bounds."),
    _c("measure", "code", "What the bounds measure where the kind alone does not say: therapies, exposure, course."),
    _c("window_value", "number", "Length of the time window."),
    _c("window_unit", "code", "Unit of the window."),
    _c("window_near_value", "number", "Near edge of the window (12 to 1 months before: 1)."),
    _c("window_near_unit", "code", "Unit of the near edge."),
    _c("window_anchor", "code", "What the window ends at."),
    _c("terms", "list", "Drugs, courses, conditions … that the constraint names."),
    _c("term_logic", "code", "any: one of the terms suffices; all: every one."),
    _c("exception_terms", "list", "Drugs or conditions taken out of the terms."),
    _c("exceptions", "list", "Exceptions as printed (except …, unless …)."),
    _c("is_qualified", "boolean", "The text narrows the constraint by something that was not read."),
    _c("on_therapy_value", "number", "Minimum time on the therapy before a relapse counts."),
    _c("on_therapy_unit", "code", "Unit of that time."),
    _c("any_of_group", "code", "Alternatives within the criterion: constraints of one name are alternatives."),
    _c("all_of_group", "code", "Constraints of one name within an alternative hold together."),
    _c("quote", "text", "The span of text that it was read from."),
    _c("char_start", "integer", "First character of the quote in registry.studies.eligibility_text, from 0."),
    _c("char_end", "integer", "Character after the last."),
    _c("rule_id", "code", "Rule that read it."),
    _c("rule_version", "integer", "Version of that rule."),
    _c("origin", "code", "grammar, structured or override.", required=True),
)  # fmt: skip

DERIVED: tuple[Table, ...] = (
    Table(
        "outcome_epochs", "one row per epoch read from the time frame of an outcome", "Time frames of registered outcomes as epochs.",
        (
            NCT,
            _c("outcome_type", "code", "Type of the outcome.", required=True),
            _c("ordinal", "integer", "The outcome (registry.outcomes.ordinal).", required=True, minimum=1),
            _c("epoch_number", "integer", "Place of the epoch in the time frame, from 1.", minimum=0),
            _c("epoch_label", "text", "The time frame's own name of the epoch, as Period 1."),
            _c("epoch_kind", "code", "point (one moment), range (from, to) or length (a duration without a start)."),
            _c("anchor", "code", "Event that the offsets count from; unstated where the text names none."),
            _c("anchor_words", "text", "The words that name the anchor."),
            _c("start_offset", "number", "Start, in `offset_unit` from the anchor."),
            _c("end_offset", "number", "End, in `offset_unit` from the anchor."),
            _c("offset_unit", "code", "Unit of the offsets: minute, hour, day, week, month or year."),
            _c("end_anchor", "code", "Event that the end offset counts from, where it is another one."),
            _c("end_event", "text", "Event at which the epoch ends, where it is not a time."),
            _c("repeats", "text", "How often it repeats, as every 6 months."),
            _c("is_approximate", "boolean", "The text says about or approximately."),
            _c("is_unit_converted", "boolean", "Start and end were given in different units, and one was converted."),
            _c("quote", "text", "The part of the time frame that the epoch was read from."),
            _c("parse_status", "code", "parsed, partial, unparsed, or empty where no time frame is posted.", required=True),
        ),
        (), ("nct_id", "outcome_type", "ordinal"),
    ),
    Table(
        "criteria", "one row per eligibility criterion of a study", "Eligibility text, criterion by criterion, and the structured fields as criteria of their own.",
        CRITERIA_FIELDS, (), ("nct_id", "criterion_id"),
    ),
    Table(
        "criterion_constraints", "one row per constraint of a criterion", "What a criterion asks, as a constraint on a patient.",
        CONSTRAINT_FIELDS, (), ("nct_id", "criterion_id", "constraint_ordinal"),
    ),
    Table(
        "amendments", "one row per amendment of a study's eligibility", "Changes of eligibility of which the criteria before are known.",
        (
            NCT, VERSIONS_BACK,
            _c("version", "text", "The source's version that brought the amendment, as in registry.field_changes."),
            _c("seen_at", "timestamp", "When it was first seen (UTC), as in registry.field_changes.", required=True, unit="UTC"),
            _c("source", "code", "Where it was seen.", required=True),
        ),
        (), ("nct_id", "versions_back"),
    ),
    Table(
        "earlier_criteria", "one row per criterion of an earlier version", "Criteria that were in force before an amendment.",
        (VERSIONS_BACK, *CRITERIA_FIELDS), (), ("nct_id", "versions_back", "criterion_id"),
    ),
    Table(
        "earlier_criterion_constraints", "one row per constraint of such a criterion", "What these criteria asked.",
        (VERSIONS_BACK, *CONSTRAINT_FIELDS), (), ("nct_id", "versions_back", "criterion_id", "constraint_ordinal"),
    ),
    Table(
        "override_uses", "one row per override of a criterion", "What became of each curated override (dbt_project/seeds/trials/criterion_overrides.csv).",
        (
            NCT,
            _c("criterion_id", "code", "The criterion.", required=True),
            _c("author", "text", "Who wrote it."),
            _c("override_date", "text", "When it was written, as in the file."),
            _c("reason", "text", "Why it was written."),
            _c("status", "code", "applied, study_not_loaded, or why it was refused.", required=True),
        ),
    ),
    Table(
        "field_changes", "one row per change of a field of a study", "What changed in the registry, version by version.",
        (
            NCT,
            _c("field_path", "text", "Field, list items by identity.", required=True),
            _c("change_kind", "code", "baseline, added, changed, removed, reappeared or study_removed.", required=True,
               codes=("baseline", "added", "changed", "removed", "reappeared", "study_removed")),
            _c("old_value", "text", "Value before."),
            _c("new_value", "text", "Value after."),
            _c("version", "text", "The source's version in which the change was seen."),
            _c("seen_at", "timestamp", "When Remit (or the mirror) first saw it (UTC); of versions from before the first pull their own date.", unit="UTC"),
            _c("is_primary_outcome_change", "boolean", "A primary outcome was switched.", required=True),
            _c("is_eligibility_change", "boolean", "Eligibility was amended.", required=True),
            _c("is_enrollment_change", "boolean", "The enrolment target changed.", required=True),
            _c("is_completion_slip", "boolean", "A completion date moved later.", required=True),
            _c("is_status_change", "boolean", "The recruitment status changed.", required=True),
            _c("source", "code", "Where the change was seen.", required=True),
        ),
    ),
    Table(
        "source_conflicts", "one row per field on which two sources of a study disagree", "Structured against text, registry against mirror.",
        (
            NCT,
            _c("field", "text", "Field.", required=True),
            _c("left_source", "code", "First source.", required=True),
            _c("left_value", "text", "What it says."),
            _c("right_source", "code", "Second source.", required=True),
            _c("right_value", "text", "What that says."),
        ),
    ),
    Table(
        "documents", "one row per landed document", "What came in, and what became of each record in it.",
        (
            _c("source", "code", "clinicaltrials.gov, snapshot or mirror.", required=True),
            _c("name", "text", "Name of the file or page at its source.", required=True),
            _c("document_sha256", "code", "Hash of its bytes.", required=True),
            _c("received_at", "timestamp", "When it was landed (UTC).", required=True, unit="UTC"),
            _c("size_bytes", "integer", "Size.", required=True, unit="bytes", minimum=0),
            _c("form", "code", "study, page, history, mirror: what the document is.", required=True),
            _c("records", "integer", "Records in it.", required=True, unit="records", minimum=0),
            _c("accepted", "integer", "Records that stand in registry.studies.", required=True, unit="records", minimum=0),
            _c("superseded", "integer", "Records of which a newer or better version was read.", required=True, unit="records", minimum=0),
            _c("rejected", "integer", "Records without a usable NCT id.", required=True, unit="records", minimum=0),
            _c("problem", "text", "Why it could not be read, where it could not."),
        ),
        (), ("source", "name"),
    ),
    Table(
        "rejections", "one row per rule that set rows aside", "Rows that did not meet their schema: counts only.",
        (
            _c("table_name", "code", "Table.", required=True),
            _c("column_name", "code", "Column.", required=True),
            _c("rule", "code", "Rule that failed.", required=True),
            _c("rows", "integer", "Rows set aside.", required=True, unit="rows", minimum=1),
            _c("example_nct_id", "code", "A study in which it happened."),
        ),
        (), ("table_name", "column_name", "rule"),
    ),
    Table(
        "schema_drift", "one row per path of the records that is not in the model, or value that could not be read", "Differences between records and model.",
        (
            _c("path", "text", "Path in the record.", required=True),
            _c("drift_kind", "code", "unknown_path, unread_value or empty_everywhere.", required=True,
               codes=("unknown_path", "unread_value", "empty_everywhere")),
            _c("occurrences", "integer", "How often in the records that were looked at.", required=True, unit="occurrences", minimum=0),
            _c("studies_sampled", "integer", "Studies that were looked at.", required=True, unit="studies", minimum=0),
            _c("example_nct_id", "code", "A study that has it."),
            _c("known_reason", "text", "Why the model leaves it out; null: nobody decided yet."),
        ),
        (), ("path", "drift_kind"),
    ),
)  # fmt: skip

# What AACT (another warehouse of this registry) maps and Remit has under no column, by its names, and why.
LEFT_OUT: dict[str, str] = {
    "studies.number_of_arms": "Count the rows of registry.arms of an interventional study.",
    "studies.number_of_groups": "Count the rows of registry.arms of an observational study.",
    "baseline_measurements.number_analyzed": "A look-up in the denominators: participants and units_analyzed_count.",
    "outcome_analyses.outcome_id": "A key of that warehouse: nct_id and outcome_ordinal.",
    "id_information.id_type_description": "Secondary ids have a domain; the organization's id has none in the registry's contract.",
    "milestones.description": "The registry posts a comment, and has no field description there.",
}

TABLES: dict[str, Table] = {table.name: table for table in (*PROTOCOL, *RESULTS, *DERIVED)}
LAKE_TABLES: tuple[str, ...] = tuple(TABLES)


def record_paths(table: str) -> dict[str, tuple[str, ...]]:
    """The paths of the record that each declared column comes from, as the registry writes them."""
    found: dict[str, list[str]] = {}
    for source in TABLES[table].sources:
        aliases: dict[str, str] = {}
        for alias, path in source.levels:
            aliases[alias] = _full_path(path, aliases)
        for column in TABLES[table].fields:
            expression = source.set.get(column.name, column.path)
            if expression is None or expression.startswith("#"):
                continue
            references = REFERENCE.findall(expression) if expression.startswith("=") else [expression]
            for reference in references:
                if not reference.startswith("#"):
                    found.setdefault(column.name, []).append(_full_path(reference, aliases))
    return {name: tuple(dict.fromkeys(paths)) for name, paths in found.items()}


def _full_path(path: str, aliases: dict[str, str]) -> str:
    head, _, rest = path.partition(".")
    if head in aliases:
        top = aliases[head]
    else:
        top = f"{structure.MODULES[head]}.{head}" if head in structure.MODULES else head
    return f"{top}.{rest}" if rest else top


def lake_columns(table: str) -> dict[str, pl.DataType]:
    """Names and types of a table's Parquet in the lake, in order."""
    return {column.name: column.type for column in TABLES[table].columns}


def empty(table: str) -> pl.DataFrame:
    """An empty frame with the lake types of `table`."""
    return pl.DataFrame(schema=lake_columns(table))


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The pandera schema that a frame of `table` must meet before it is written to the lake."""
    columns = {}
    for column in TABLES[table].columns:
        declared, checks = column.field, []
        if declared.kind != "date":
            if declared.minimum is not None:
                checks.append(pa.Check.ge(declared.minimum, name="minimum"))
            if declared.maximum is not None:
                checks.append(pa.Check.le(declared.maximum, name="maximum"))
            if declared.codes:
                checks.append(pa.Check.isin(declared.codes, name="codes"))
        if table == "studies" and column.name == "nct_id":
            checks.append(pa.Check.str_matches(r"^NCT\d{8}$", name="nct_id"))
        columns[column.name] = pa.Column(
            column.type, checks, nullable=not declared.required, description=column.description
        )
    return pa.DataFrameSchema(columns, strict=True, ordered=True, name=table)


@cache
def row_rules(table: str) -> pa.DataFrameSchema:
    """The columns of `schema` that demand something of a value.

    For frames that have the schema's columns and types already: pandera takes 0.6 ms a column, whatever it holds,
    and five of six columns may hold anything of their type.
    """
    return pa.DataFrameSchema(
        {
            name: column
            for name, column in schema(table).columns.items()
            if column.checks or not column.nullable
        },
        name=table,
    )
