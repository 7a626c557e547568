select
    nct_id,
    versions_back,
    version,
    seen_at,
    source
from {{ source('lake_registry', 'amendments') }}
