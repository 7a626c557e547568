select
    nct_id,
    criterion_id,
    author,
    override_date,
    reason,
    status
from {{ source('lake_registry', 'override_uses') }}
