select
    nct_id,
    ordinal,
    role,
    name,
    sponsor_class
from {{ source('lake_registry', 'sponsors') }}
