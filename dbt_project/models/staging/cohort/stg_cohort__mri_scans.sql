select
    cohort,
    patient_id,
    {{ derived_date('scan_date') }} as scan_date,
    scan_date_earliest,
    scan_date_latest,
    scan_date_precision,
    scan_date_text,
    region,
    new_or_enlarging_t2,
    gd_lesions,
    t2_lesions,
    source_file,
    file_sha256,
    source_sheet,
    source_row,
    warnings,
    is_invented
from {{ source('lake_cohort', 'mri_scans') }}
