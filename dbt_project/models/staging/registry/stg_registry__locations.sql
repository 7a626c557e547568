select
    nct_id,
    ordinal,
    facility,
    status,
    city,
    state,
    zip,
    country,
    latitude,
    longitude
from {{ source('lake_registry', 'locations') }}
