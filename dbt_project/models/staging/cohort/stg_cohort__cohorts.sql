select
    cohort,
    is_invented,
    delivered_tables
from {{ source('lake_cohort', 'cohorts') }}
