with

rates as (
    select * from {{ ref('int_outcomes__rates') }}
    where grouping = 'all' and patients > 0
),

estimates as (
    select * from {{ ref('stg_derived__rate_estimates') }}
),

final as (
    select
        rates.cohort,
        rates.epoch,
        rates.end_rule,
        rates.relapse_definition,
        rates.minimum_exposure_days,
        rates.relapse_definition = '{{ var("relapse_definition") }}'
        and rates.minimum_exposure_days = {{ var('minimum_exposure_days') }} as is_in_use,
        rates.patients,
        rates.relapses,
        rates.person_years,
        rates.arr_pooled_per_year,
        estimates.ci95_low,
        estimates.ci95_high,
        rates.n_patient_mean,
        rates.arr_patient_mean_per_year,
        rates.sd,
        rates.median,
        rates.min,
        rates.max
    from rates
    left join estimates
        on rates.group_key = estimates.group_key
        and rates.epoch_key = estimates.epoch_key
        and rates.relapse_definition = estimates.relapse_definition
)

select * from final
