select
    cohort,
    grouping,
    group_name,
    metric,
    time_point,
    p_paired_t
from {{ source('lake_derived', 'change_tests') }}
