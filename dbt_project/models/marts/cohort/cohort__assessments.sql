with assessments as (

    select * from {{ ref('stg_cohort__assessments') }}

),

final as (

    select
        cohort,
        patient_id,
        assessed_on,
        assessed_on_precision,
        instrument,
        scale,
        value,
        item,
        respondent,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from assessments

)

select * from final
