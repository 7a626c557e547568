with

rates as (
    select * from {{ ref('int_outcomes__rates') }}
    where relapse_definition = '{{ var("relapse_definition") }}'
        and minimum_exposure_days = {{ var('minimum_exposure_days') }}
),

estimates as (
    select * from {{ ref('stg_derived__rate_estimates') }}
),

final as (
    select
        rates.cohort,
        rates.grouping,
        rates.group_name,
        rates.is_baseline_group,
        rates.epoch,
        rates.end_rule,
        rates.patients,
        rates.patients_without_exposure,
        rates.relapses,
        rates.person_years,
        rates.arr_pooled_per_year,
        estimates.ci95_low,
        estimates.ci95_high,
        rates.arr_null_reason,
        rates.n_patient_mean,
        rates.arr_patient_mean_per_year,
        rates.sd,
        rates.median,
        rates.min,
        rates.max,
        estimates.negative_binomial_rate,
        estimates.nb_ci95_low,
        estimates.nb_ci95_high,
        estimates.dispersion,
        coalesce(estimates.is_converged, false) as is_converged,
        case when rates.patients = 0 then rates.arr_null_reason else estimates.nb_null_reason end as nb_null_reason
    from rates
    left join estimates
        on rates.group_key = estimates.group_key
        and rates.epoch_key = estimates.epoch_key
        and rates.relapse_definition = estimates.relapse_definition
)

select * from final
