with edss as (

    select * from {{ ref('stg_cohort__edss') }}

),

final as (

    select
        cohort,
        patient_id,
        visit_date,
        visit_date_precision,
        edss,
        in_relapse,
        is_valid_confirmation,
        msss_recorded,
        fs_visual,
        fs_brainstem,
        fs_pyramidal,
        fs_cerebellar,
        fs_sensory,
        fs_bowel_bladder,
        fs_cerebral,
        ambulation,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from edss

)

select * from final
