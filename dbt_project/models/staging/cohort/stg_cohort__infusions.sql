select
    cohort,
    patient_id,
    drug,
    {{ derived_date('infusion_date') }} as infusion_date,
    infusion_date_earliest,
    infusion_date_latest,
    infusion_date_precision,
    infusion_date_text,
    dose_mg,
    reason,
    drug_inn,
    source_file,
    file_sha256,
    source_sheet,
    source_row,
    warnings,
    is_invented
from {{ source('lake_cohort', 'infusions') }}
