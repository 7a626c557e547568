with infusions as (

    select * from {{ ref('stg_cohort__infusions') }}

),

final as (

    select
        cohort,
        patient_id,
        drug,
        infusion_date,
        infusion_date_precision,
        dose_mg,
        reason,
        drug_inn,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from infusions

)

select * from final
