{# Rates of every group, epoch, end rule and relapse definition, both ways: pooled over everyone with exposure,
   and the distribution of the patients' own rates over those with the minimum exposure. Minimum exposures other
   than the one in use are given for the sensitivity table. #}
{% set exposures = [0, var('minimum_exposure_days'), 180, 365] | unique | list %}

with

counts as (
    select * from {{ ref('int_outcomes__rate_counts') }}
),

minimum_exposures as (
    {% for days in exposures %}
    select cast({{ days }} as bigint) as minimum_exposure_days
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

pooled as (
    select
        cohort,
        grouping,
        group_name,
        is_baseline_group,
        epoch,
        end_rule,
        relapse_definition,
        cast(sum(case when exposure_days > 0 then patients else 0 end) as bigint) as patients,
        cast(sum(case when exposure_days > 0 then 0 else patients end) as bigint) as patients_without_exposure,
        cast(sum(relapses * patients) as bigint) as relapses,
        cast(sum(exposure_days * patients) as double) / 365.25 as person_years
    from counts
    group by cohort, grouping, group_name, is_baseline_group, epoch, end_rule, relapse_definition
),

own_rates as (
    select
        counts.cohort,
        counts.grouping,
        counts.group_name,
        counts.epoch,
        counts.end_rule,
        counts.relapse_definition,
        minimum_exposures.minimum_exposure_days,
        counts.relapses / (counts.exposure_days / 365.25) as arr_per_year,
        counts.patients
    from counts
    inner join minimum_exposures
        on counts.exposure_days >= minimum_exposures.minimum_exposure_days
        and counts.exposure_days > 0
    -- other minimum exposures: for everyone together only
    where minimum_exposures.minimum_exposure_days = {{ var('minimum_exposure_days') }} or counts.grouping = 'all'
),

ordered as (
    select
        *,
        sum(patients) over (
            partition by cohort, grouping, group_name, epoch, end_rule, relapse_definition, minimum_exposure_days
        ) as n,
        sum(patients) over (
            partition by cohort, grouping, group_name, epoch, end_rule, relapse_definition, minimum_exposure_days
            order by arr_per_year
            rows between unbounded preceding and current row
        ) as cumulative,
        sum(patients * arr_per_year) over (
            partition by cohort, grouping, group_name, epoch, end_rule, relapse_definition, minimum_exposure_days
        ) as total_rate
    from own_rates
),

distribution as (
    select
        cohort,
        grouping,
        group_name,
        epoch,
        end_rule,
        relapse_definition,
        minimum_exposure_days,
        cast(max(n) as bigint) as n_patient_mean,
        max(total_rate / n) as arr_patient_mean_per_year,
        case
            when max(n) > 1
                then sqrt(cast(sum(patients * power(arr_per_year - total_rate / n, 2)) as double) / (max(n) - 1))
        end as sd,
        {{ weighted_median('arr_per_year', 'cumulative', 'patients', 'n') }} as median,
        min(arr_per_year) as min,
        max(arr_per_year) as max
    from ordered
    group by cohort, grouping, group_name, epoch, end_rule, relapse_definition, minimum_exposure_days
),

final as (
    select
        pooled.cohort,
        pooled.grouping,
        pooled.group_name,
        pooled.is_baseline_group,
        pooled.epoch,
        pooled.end_rule,
        pooled.relapse_definition,
        minimum_exposures.minimum_exposure_days,
        pooled.patients,
        pooled.patients_without_exposure,
        pooled.relapses,
        pooled.person_years,
        case when pooled.person_years > 0 then pooled.relapses / pooled.person_years end as arr_pooled_per_year,
        case when pooled.patients = 0 then 'no_exposure' end as arr_null_reason,
        coalesce(distribution.n_patient_mean, 0) as n_patient_mean,
        distribution.arr_patient_mean_per_year,
        distribution.sd,
        distribution.median,
        distribution.min,
        distribution.max
    from pooled
    inner join minimum_exposures
        on minimum_exposures.minimum_exposure_days = {{ var('minimum_exposure_days') }} or pooled.grouping = 'all'
    left join distribution
        on pooled.cohort = distribution.cohort
        and pooled.grouping = distribution.grouping
        and pooled.group_name = distribution.group_name
        and pooled.epoch = distribution.epoch
        and pooled.end_rule = distribution.end_rule
        and pooled.relapse_definition = distribution.relapse_definition
        and minimum_exposures.minimum_exposure_days = distribution.minimum_exposure_days
)

select * from final
