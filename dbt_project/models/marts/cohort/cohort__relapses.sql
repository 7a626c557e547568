with relapses as (

    select * from {{ ref('stg_cohort__relapses') }}

),

final as (

    select
        cohort,
        patient_id,
        onset_date,
        onset_date_precision,
        relapse_id,
        end_date,
        end_date_precision,
        severity,
        recovery,
        steroids,
        is_pseudo_relapse,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from relapses

)

select * from final
