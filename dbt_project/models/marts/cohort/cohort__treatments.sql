with treatments as (

    select * from {{ ref('stg_cohort__treatments') }}

),

final as (

    select
        cohort,
        patient_id,
        drug,
        start_date,
        start_date_precision,
        end_date,
        end_date_precision,
        stop_reason,
        dose,
        dose_unit,
        drug_inn,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from treatments

)

select * from final
