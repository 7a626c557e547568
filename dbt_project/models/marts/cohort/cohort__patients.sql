with patients as (

    select * from {{ ref('stg_cohort__patients') }}

),

final as (

    select
        cohort,
        patient_id,
        sex,
        cast(extract(year from birth_date) as bigint) as birth_year,
        onset_date,
        onset_date_precision,
        diagnosis_date,
        diagnosis_date_precision,
        course,
        progression_onset_date,
        progression_onset_date_precision,
        enrolment_date,
        enrolment_date_precision,
        history_from,
        history_from_precision,
        last_contact_date,
        last_contact_date_precision,
        death_date,
        death_date_precision,
        regular_corticosteroids,
        is_nmo,
        incomplete_tables,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from patients

)

select * from final
