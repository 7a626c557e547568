select
    cohort,
    grouping,
    metric,
    groups,
    group_names,
    n,
    test,
    statistic,
    p_value,
    null_reason
from {{ source('lake_derived', 'group_tests') }}
