select
    cohort,
    delivery_id,
    file_sha256,
    received_at,
    sheet,
    table_name,
    rows_in,
    rows_accepted,
    rows_rejected,
    rows_not_data
from {{ source('lake_cohort', 'deliveries') }}
