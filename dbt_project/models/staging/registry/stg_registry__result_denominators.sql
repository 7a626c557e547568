select
    nct_id,
    module,
    scope,
    measure_ordinal,
    class_ordinal,
    ordinal,
    group_id,
    units,
    participants,
    participants_raw
from {{ source('lake_registry', 'result_denominators') }}
