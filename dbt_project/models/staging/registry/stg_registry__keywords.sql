select
    nct_id,
    ordinal,
    keyword
from {{ source('lake_registry', 'keywords') }}
