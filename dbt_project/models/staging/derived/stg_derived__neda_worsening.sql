select
    measure_key,
    reference_date,
    worsening_date,
    is_able_to_confirm
from {{ source('lake_derived', 'neda_worsening') }}
