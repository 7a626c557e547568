select
    nct_id,
    ordinal,
    type_abbreviation,
    has_protocol,
    has_sap,
    has_icf,
    label,
    document_date,
    uploaded_at,
    filename,
    size_bytes,
    url
from {{ source('lake_registry', 'study_documents') }}
