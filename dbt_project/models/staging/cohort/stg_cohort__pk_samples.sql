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
    file_sha256,
    source_sheet,
    source_row,
    warnings,
    is_invented
from {{ source('lake_cohort', 'pk_samples') }}
