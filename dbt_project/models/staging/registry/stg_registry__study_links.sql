select
    nct_id,
    link_kind,
    ordinal,
    url,
    label,
    identifier,
    data_type,
    comment
from {{ source('lake_registry', 'study_links') }}
