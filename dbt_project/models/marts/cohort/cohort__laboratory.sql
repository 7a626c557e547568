with laboratory as (

    select * from {{ ref('stg_cohort__laboratory') }}

),

final as (

    select
        cohort,
        patient_id,
        sampled_on,
        sampled_on_precision,
        test,
        value,
        comparator,
        unit,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from laboratory

)

select * from final
