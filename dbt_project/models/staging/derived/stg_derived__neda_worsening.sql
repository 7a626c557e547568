select
    cohort,
    patient_id,
    epoch,
    end_rule,
    reference_date,
    worsening_date,
    is_able_to_confirm
from {{ source('lake_derived', 'neda_worsening') }}
