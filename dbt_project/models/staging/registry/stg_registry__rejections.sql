select
    table_name,
    column_name,
    rule,
    rows,
    example_nct_id
from {{ source('lake_registry', 'rejections') }}
