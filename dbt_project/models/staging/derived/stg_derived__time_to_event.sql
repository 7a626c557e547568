select
    definition,
    event_type,
    patient_key,
    origin_date,
    entry_days,
    time_days,
    is_event,
    censor_reason,
    is_edss_10
from {{ source('lake_derived', 'time_to_event') }}
