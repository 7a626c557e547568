select
    group_key,
    pair_key,
    absolute_change_ci95_low,
    absolute_change_ci95_high,
    p_paired_t,
    p_wilcoxon,
    rate_ratio,
    rate_ratio_ci95_low,
    rate_ratio_ci95_high,
    rate_ratio_method
from {{ source('lake_derived', 'paired_tests') }}
