select
    nct_id,
    is_serious,
    ordinal,
    term,
    organ_system,
    source_vocabulary,
    assessment_type,
    notes,
    group_id,
    arm_title,
    events,
    participants_affected,
    participants_at_risk
from {{ source('lake_registry', 'adverse_events') }}
