{# The time in which a patient was observed, half-open: [observed_from, observed_to).
   observed_from is the declared history, else the earlier of the first record and index - 24 months, flagged:
   starting at the first record would start exposure at a relapse and double the rate. observed_to is death, else
   last contact (else the latest record) + 1 day, so that events of that day count. #}

with

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

exposures as (
    select * from {{ ref('int_outcomes__drug_exposures') }}
),

next_dmd as (
    select
        exposures.patient_key,
        min(exposures.start_date) as next_dmd_start
    from exposures
    inner join index_dates
        on exposures.patient_key = index_dates.patient_key
    where exposures.is_index_therapy = false
        and exposures.drug_class <> 'NOT_DMD'
        and exposures.start_date > index_dates.index_date
    group by exposures.patient_key
),

final as (
    select
        patient_dates.patient_key,
        patient_dates.cohort,
        patient_dates.patient_id,
        coalesce(
            patient_dates.history_from,
            least(
                patient_dates.first_record_date,
                {{ add_months('index_dates.index_date', '-' ~ var('assumed_history_months')) }}
            ),
            patient_dates.enrolment_date,
            patient_dates.last_contact_date
        ) as observed_from,
        coalesce(
            patient_dates.death_date,
            {{ add_days('coalesce(patient_dates.last_contact_date, patient_dates.last_record_date, patient_dates.enrolment_date)', 1) }}
        ) as observed_to,
        patient_dates.history_from is null as is_history_assumed,
        patient_dates.last_contact_date is null and patient_dates.death_date is null as is_last_contact_assumed,
        patient_dates.death_date is not null as is_dead,
        coalesce(
            patient_dates.death_date, patient_dates.last_contact_date, patient_dates.last_record_date
        ) as last_day,
        next_dmd.next_dmd_start,
        coalesce(patient_dates.has_relapses_table, true) as has_relapses_table,
        coalesce(patient_dates.has_adverse_events_table, true) as has_adverse_events_table
    from patient_dates
    left join index_dates
        on patient_dates.patient_key = index_dates.patient_key
    left join next_dmd
        on patient_dates.patient_key = next_dmd.patient_key
)

select * from final
