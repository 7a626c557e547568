with medical_history as (

    select * from {{ ref('stg_cohort__medical_history') }}

),

final as (

    select
        cohort,
        patient_id,
        category,
        status,
        onset_date,
        onset_date_precision,
        end_date,
        end_date_precision,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from medical_history

)

select * from final
