select
    cohort,
    patient_id,
    {{ derived_date('sampled_on') }} as sampled_on,
    sampled_on_earliest,
    sampled_on_latest,
    sampled_on_precision,
    sampled_on_text,
    test,
    value,
    comparator,
    unit,
    source_file,
    file_sha256,
    source_sheet,
    source_row,
    warnings,
    is_invented
from {{ source('lake_cohort', 'laboratory') }}
