select
    nct_id,
    module,
    measure_ordinal,
    ordinal,
    group_id,
    title,
    description
from {{ source('lake_registry', 'result_groups') }}
