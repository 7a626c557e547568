select
    cohort,
    definition,
    event_type,
    grouping,
    group_name,
    is_baseline_group,
    time_days,
    at_risk,
    events,
    survival,
    ci95_low,
    ci95_high
from {{ source('lake_derived', 'survival') }}
