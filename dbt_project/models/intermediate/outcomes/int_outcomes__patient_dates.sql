{# A patient's own dates with partial ones derived so that none passes a known neighbour:
   birth <= onset <= first relapse or diagnosis; every record <= last contact <= death. #}

with

patients as (
    select * from {{ ref('stg_cohort__patients') }}
),

records as (
    select * from {{ ref('int_outcomes__records') }}
),

relapses as (
    select * from {{ ref('stg_cohort__relapses') }}
),

-- what a cohort never delivered did not fail to happen
cohorts as (
    select cohort, ',' || replace(coalesce(delivered_tables, ''), ' ', '') || ',' as delivered
    from {{ ref('stg_cohort__cohorts') }}
),

first_relapses as (
    select cohort, patient_id, min(onset_date_latest) as first_relapse_latest
    from relapses
    where coalesce(is_pseudo_relapse, false) = false
    group by cohort, patient_id
),

neighbours as (
    select
        patients.*,
        first_relapses.first_relapse_latest,
        records.first_record_date,
        records.last_record_date,
        coalesce(cohorts.delivered like '%,relapses,%', false) as has_relapses_table,
        coalesce(cohorts.delivered like '%,adverse_events,%', false) as has_adverse_events_table
    from patients
    left join cohorts on patients.cohort = cohorts.cohort
    left join first_relapses
        on patients.cohort = first_relapses.cohort and patients.patient_id = first_relapses.patient_id
    left join records
        on patients.cohort = records.cohort and patients.patient_id = records.patient_id
),

birth_and_contact as (
    select
        *,
        case
            when birth_date is null or birth_date_precision = 'day' then birth_date
            else greatest(birth_date_earliest, least(birth_date, onset_date_latest, diagnosis_date_latest))
        end as derived_birth_date,
        case
            when last_contact_date is null or last_contact_date_precision = 'day' then last_contact_date
            else least(last_contact_date_latest, greatest(last_contact_date, last_record_date))
        end as contact_after_records,
        case
            when death_date is null or death_date_precision = 'day' then death_date
            else least(death_date_latest, greatest(death_date, last_record_date, last_contact_date_earliest))
        end as derived_death_date
    from neighbours
),

derived as (
    select
        *,
        case
            when onset_date is null or onset_date_precision = 'day' then onset_date
            else least(
                onset_date_latest,
                greatest(
                    onset_date_earliest,
                    derived_birth_date,
                    least(onset_date, diagnosis_date_latest, first_relapse_latest)
                )
            )
        end as derived_onset_date,
        case
            when last_contact_date is null or last_contact_date_precision = 'day' then last_contact_date
            else greatest(last_contact_date_earliest, least(contact_after_records, derived_death_date))
        end as derived_last_contact_date
    from birth_and_contact
),

final as (
    select
        -- a number to join by: strings of two columns are several times slower at a million visits
        cast(row_number() over (order by cohort, patient_id) as bigint) as patient_key,
        cohort,
        patient_id,
        sex,
        course,
        regular_corticosteroids,
        is_nmo,
        is_invented,
        derived_birth_date as birth_date,
        birth_date_precision,
        derived_onset_date as onset_date,
        onset_date_precision,
        case
            when diagnosis_date is null or diagnosis_date_precision = 'day' then diagnosis_date
            else least(diagnosis_date_latest, greatest(diagnosis_date, onset_date_earliest))
        end as diagnosis_date,
        progression_onset_date,
        enrolment_date,
        history_from,
        derived_last_contact_date as last_contact_date,
        derived_death_date as death_date,
        first_record_date,
        last_record_date,
        has_relapses_table,
        has_adverse_events_table,
        ',' || incomplete_tables || ',' as set_aside
    from derived
)

select * from final
