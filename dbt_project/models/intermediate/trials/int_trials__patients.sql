{# Every patient as of the screening day, with the whole possible interval of each own date: nothing here is the
   middle of a partial date. The screening day is the index date; the last day seen for the untreated. #}

with

patients as (
    select * from {{ ref('stg_cohort__patients') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

cohorts as (
    select
        cohort,
        ',' || replace(coalesce(delivered_tables, ''), ' ', '') || ',' as delivered
    from {{ ref('stg_cohort__cohorts') }}
),

screened as (
    select
        patients.*,
        coalesce(index_dates.index_date, observation.last_day) as screened_on,
        case when index_dates.index_date is not null then 'index' else 'last_contact' end as screening_basis,
        -- only a declared history proves absence, unless the variable says that the assumed one does too
        case
            when patients.history_from_latest is not null then patients.history_from_latest
            {% if var('assumed_history_proves_absence') %}else observation.observed_from{% endif %}
        end as complete_from,
        cohorts.delivered like '%,relapses,%' as has_relapses_table,
        cohorts.delivered like '%,treatments,%' as has_treatments_table,
        cohorts.delivered like '%,mri_scans,%' as has_mri_table,
        cohorts.delivered like '%,medical_history,%' as has_history_table,
        cohorts.delivered like '%,laboratory,%' as has_laboratory_table,
        ',' || coalesce(patients.incomplete_tables, '') || ',' as set_aside
    from patients
    left join index_dates
        on patients.cohort = index_dates.cohort and patients.patient_id = index_dates.patient_id
    left join observation
        on patients.cohort = observation.cohort and patients.patient_id = observation.patient_id
    left join cohorts on patients.cohort = cohorts.cohort
),

aged as (
    select
        *,
        case when course = 'SP' and progression_onset_date_earliest is null then true
            when course = 'SP' then progression_onset_date_earliest <= screened_on
            else false end as may_be_secondary_progressive,
        case when course = 'SP' and progression_onset_date_latest is null then true
            when course = 'SP' then progression_onset_date_latest > screened_on
            else false end as may_be_before_progression,
        {{ completed_years('birth_date_latest', 'screened_on') }} as age_low_years,
        {{ completed_years('birth_date_earliest', 'screened_on') }} as age_high_years
    from screened
),

final as (
    select
        cast(row_number() over (order by cohort, patient_id) as bigint) as patient_number,
        cohort,
        patient_id,
        screened_on,
        screening_basis,
        sex,
        course,
        -- the courses that the record allows on the screening day
        course = 'RR' or may_be_before_progression as may_be_rrms,
        may_be_secondary_progressive as may_be_spms,
        course = 'PP' as may_be_ppms,
        course = 'PR' as may_be_prms,
        course in ('CIS', 'RIS') as may_be_not_yet_ms,
        course is null or course = 'unknown' as is_course_unknown,
        coalesce(is_nmo, false) as is_nmo,
        age_low_years,
        age_high_years,
        {{ days_between('birth_date_latest', 'screened_on') }} as age_low_days,
        {{ days_between('birth_date_earliest', 'screened_on') }} as age_high_days,
        onset_date_earliest,
        onset_date_latest,
        diagnosis_date_earliest,
        diagnosis_date_latest,
        progression_onset_date_earliest,
        progression_onset_date_latest,
        -- without a screening day nothing can be shown to be absent
        case when screened_on is not null then complete_from end as complete_from,
        -- complete since the first symptom: the whole life as far as MS treatment goes
        coalesce(screened_on is not null and complete_from <= onset_date_earliest, false) as is_complete_since_onset,
        regular_corticosteroids,
        screened_on is not null and coalesce(has_relapses_table, false) as has_relapses_table,
        screened_on is not null and coalesce(has_treatments_table, false) as has_treatments_table,
        screened_on is not null and coalesce(has_mri_table, false) as has_mri_table,
        screened_on is not null and coalesce(has_history_table, false) as has_history_table,
        screened_on is not null and coalesce(has_laboratory_table, false) as has_laboratory_table,
        -- a row of the patient that was set aside may be the one that is not found
        set_aside like '%,relapses,%' as has_relapses_set_aside,
        set_aside like '%,treatments,%' or set_aside like '%,infusions,%' as has_treatments_set_aside,
        set_aside like '%,mri_scans,%' as has_mri_set_aside,
        incomplete_tables,
        source_file,
        source_sheet,
        source_row
    from aged
)

select * from final
