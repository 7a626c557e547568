select
    nct_id,
    ordinal,
    facility,
    status,
    city,
    state,
    zip,
    country,
    country_code,
    latitude,
    longitude
from {{ source('lake_registry', 'locations') }}
