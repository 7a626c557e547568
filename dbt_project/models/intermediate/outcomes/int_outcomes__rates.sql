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

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
),

epoch_names as (
    select epoch_key, min(epoch) as epoch, min(end_rule) as end_rule
    from windows
    group by epoch_key
),

definitions as (
    select * from {{ ref('relapse_definitions') }}
),

-- a group without exposure has its row too, and no rate
places as (
    select
        group_names.*,
        epoch_names.epoch_key,
        epoch_names.epoch,
        epoch_names.end_rule,
        definitions.relapse_definition
    from group_names
    cross join epoch_names
    inner join definitions
        on definitions.relapse_definition = '{{ var("relapse_definition") }}' or group_names.grouping = 'all'
),

sums as (
    select
        group_key,
        epoch_key,
        relapse_definition,
        cast(sum(patients) as bigint) as patients,
        cast(sum(relapses * patients) as bigint) as relapses,
        cast(sum(exposure_days * patients) as double) / 365.25 as person_years
    from counts
    group by group_key, epoch_key, relapse_definition
),

pooled as (
    select
        places.*,
        coalesce(sums.patients, 0) as patients,
        places.group_size - coalesce(sums.patients, 0) as patients_without_exposure,
        coalesce(sums.relapses, 0) as relapses,
        coalesce(sums.person_years, 0) as person_years
    from places
    left join sums
        on places.group_key = sums.group_key
        and places.epoch_key = sums.epoch_key
        and places.relapse_definition = sums.relapse_definition
),

own_rates as (
    select
        counts.group_key,
        counts.epoch_key,
        counts.relapse_definition,
        minimum_exposures.minimum_exposure_days,
        counts.relapses / (counts.exposure_days / 365.25) as arr_per_year,
        counts.patients
    from counts
    inner join minimum_exposures
        on counts.exposure_days >= minimum_exposures.minimum_exposure_days
    -- other minimum exposures: for everyone together only
    where minimum_exposures.minimum_exposure_days = {{ var('minimum_exposure_days') }} or counts.grouping = 'all'
),

ordered as (
    select
        *,
        sum(patients) over (
            partition by group_key, epoch_key, relapse_definition, minimum_exposure_days
        ) as n,
        sum(patients) over (
            partition by group_key, epoch_key, relapse_definition, minimum_exposure_days
            order by arr_per_year
            rows between unbounded preceding and current row
        ) as cumulative,
        sum(patients * arr_per_year) over (
            partition by group_key, epoch_key, relapse_definition, minimum_exposure_days
        ) as total_rate
    from own_rates
),

distribution as (
    select
        group_key,
        epoch_key,
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
    group by group_key, epoch_key, relapse_definition, minimum_exposure_days
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
        on pooled.group_key = distribution.group_key
        and pooled.epoch_key = distribution.epoch_key
        and pooled.relapse_definition = distribution.relapse_definition
        and minimum_exposures.minimum_exposure_days = distribution.minimum_exposure_days
)

select * from final
