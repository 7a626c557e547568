{# What time to event needs of every patient: the days of the EDSS, index baseline, enrolment. #}
{{ statistics_input() }}

with

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

endpoints as (
    select * from {{ ref('int_outcomes__edss_endpoints') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

prospective_cohorts as (
    select * from {{ ref('int_outcomes__prospective_cohorts') }}
),

visit_days as (
    select
        patient_key,
        min(visit_date) as first_visit_date,
        max(visit_date) as last_visit_date,
        min(case when edss = 10 then visit_date end) as first_edss_10_date
    from edss
    group by patient_key
),

final as (
    select
        patient_dates.patient_key,
        visit_days.first_visit_date,
        visit_days.last_visit_date,
        endpoints.baseline_edss_date as index_baseline_date,
        visit_days.first_edss_10_date,
        index_dates.index_date,
        patient_dates.enrolment_date,
        prospective_cohorts.prospective_cohort,
        patient_dates.death_date is not null as is_dead,
        patient_dates.has_relapses_table
    from patient_dates
    left join visit_days
        on patient_dates.patient_key = visit_days.patient_key
    left join endpoints
        on patient_dates.patient_key = endpoints.patient_key
    left join index_dates
        on patient_dates.patient_key = index_dates.patient_key
    left join prospective_cohorts
        on patient_dates.patient_key = prospective_cohorts.patient_key
)

select * from final
