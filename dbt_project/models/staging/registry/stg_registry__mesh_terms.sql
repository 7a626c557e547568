select
    nct_id,
    topic,
    term_kind,
    ordinal,
    mesh_id,
    term,
    as_found,
    relevance
from {{ source('lake_registry', 'mesh_terms') }}
