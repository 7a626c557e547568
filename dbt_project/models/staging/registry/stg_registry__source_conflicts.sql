select
    nct_id,
    field,
    left_source,
    left_value,
    right_source,
    right_value
from {{ source('lake_registry', 'source_conflicts') }}
