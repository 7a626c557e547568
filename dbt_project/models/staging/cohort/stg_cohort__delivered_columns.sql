select
    cohort,
    delivery_id,
    sheet,
    table_name,
    column_name,
    column_letter
from {{ source('lake_cohort', 'delivered_columns') }}
