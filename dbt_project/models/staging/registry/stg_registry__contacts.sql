select
    nct_id,
    contact_kind,
    location_ordinal,
    ordinal,
    name,
    role,
    affiliation,
    phone,
    phone_extension,
    email
from {{ source('lake_registry', 'contacts') }}
