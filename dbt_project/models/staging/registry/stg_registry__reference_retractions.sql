select
    nct_id,
    reference_ordinal,
    ordinal,
    pmid,
    source
from {{ source('lake_registry', 'reference_retractions') }}
