select
    nct_id,
    ordinal,
    condition
from {{ source('lake_registry', 'conditions') }}
