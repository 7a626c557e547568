select
    cohort,
    delivery_id,
    sheet,
    row_number,
    column_name,
    rule,
    message
from {{ source('lake_cohort', 'rejected_rows') }}
