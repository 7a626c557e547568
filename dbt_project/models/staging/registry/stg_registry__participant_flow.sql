select
    nct_id,
    period_ordinal,
    period,
    event_kind,
    ordinal,
    event,
    event_comment,
    group_id,
    arm_title,
    participants,
    participants_raw,
    units,
    units_raw,
    comment
from {{ source('lake_registry', 'participant_flow') }}
