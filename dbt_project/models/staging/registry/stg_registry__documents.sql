select
    source,
    name,
    document_sha256,
    received_at,
    size_bytes,
    form,
    records,
    accepted,
    superseded,
    rejected,
    problem
from {{ source('lake_registry', 'documents') }}
