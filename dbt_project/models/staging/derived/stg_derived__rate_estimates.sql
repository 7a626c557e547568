select
    group_key,
    epoch_key,
    relapse_definition,
    ci95_low,
    ci95_high,
    negative_binomial_rate,
    nb_ci95_low,
    nb_ci95_high,
    dispersion,
    is_converged,
    nb_null_reason
from {{ source('lake_derived', 'rate_estimates') }}
