select
    nct_id,
    annotation_kind,
    ordinal,
    event_type,
    event_date,
    is_date_unknown,
    description,
    created_date,
    release_date,
    posted_date
from {{ source('lake_registry', 'annotations') }}
