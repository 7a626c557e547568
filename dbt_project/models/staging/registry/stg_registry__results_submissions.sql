select
    nct_id,
    ordinal,
    release_date,
    unrelease_date,
    is_unrelease_date_unknown,
    reset_date,
    mcp_release_number
from {{ source('lake_registry', 'results_submissions') }}
