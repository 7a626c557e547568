select
    nct_id,
    criterion_id,
    section,
    ordinal,
    text,
    char_start,
    char_end,
    group_id,
    group_logic,
    parse_status
from {{ source('lake_registry', 'criteria') }}
