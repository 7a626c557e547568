select
    nct_id,
    identifier_kind,
    ordinal,
    identifier,
    identifier_type,
    domain,
    link
from {{ source('lake_registry', 'identifiers') }}
