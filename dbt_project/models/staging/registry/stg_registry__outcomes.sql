select
    nct_id,
    outcome_type,
    ordinal,
    measure,
    description,
    time_frame,
    outcome_kind,
    outcome_kind_words
from {{ source('lake_registry', 'outcomes') }}
