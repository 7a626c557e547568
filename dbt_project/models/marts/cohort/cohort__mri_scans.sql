with mri_scans as (

    select * from {{ ref('stg_cohort__mri_scans') }}

),

final as (

    select
        cohort,
        patient_id,
        scan_date,
        scan_date_precision,
        region,
        new_or_enlarging_t2,
        gd_lesions,
        t2_lesions,
        source_file,
        source_sheet,
        source_row,
        warnings,
        is_invented
    from mri_scans

)

select * from final
