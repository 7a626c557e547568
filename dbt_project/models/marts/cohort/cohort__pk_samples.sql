with pk_samples as (

    select * from {{ ref('stg_cohort__pk_samples') }}

),

final as (

    select
        cohort,
        patient_id,
        first_dose_at,
        time_h,
        concentration,
        unit,
        is_below_quantification,
        lower_limit,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from pk_samples

)

select * from final
