select
    nct_id,
    ordinal,
    pmid,
    reference_type,
    citation,
    retractions
from {{ source('lake_registry', 'study_references') }}
