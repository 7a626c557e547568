with adverse_events as (

    select * from {{ ref('stg_cohort__adverse_events') }}

),

final as (

    select
        cohort,
        patient_id,
        term,
        onset_date,
        onset_date_precision,
        end_date,
        end_date_precision,
        is_serious,
        grade,
        is_related,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from adverse_events

)

select * from final
