select
    group_key,
    definition,
    event_type,
    time_days,
    at_risk,
    events,
    survival,
    ci95_low,
    ci95_high
from {{ source('lake_derived', 'survival') }}
