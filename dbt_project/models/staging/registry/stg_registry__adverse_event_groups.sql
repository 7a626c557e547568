select
    nct_id,
    ordinal,
    group_id,
    title,
    description,
    deaths_affected,
    deaths_at_risk,
    serious_affected,
    serious_at_risk,
    other_affected,
    other_at_risk
from {{ source('lake_registry', 'adverse_event_groups') }}
