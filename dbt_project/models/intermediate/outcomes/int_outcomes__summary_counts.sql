{# The summary of every group, metric and time point, without its p-values: the input of the paired test. A change below
   zero is an improvement for every metric here. Patients of a group who share a value count together: values are few. #}
{{ statistics_input() }}

with

metric_values as (
    select * from {{ ref('int_outcomes__metric_values') }}
),

strata as (
    select * from {{ ref('int_outcomes__strata') }}
),

stratum_groups as (
    select * from {{ ref('int_outcomes__stratum_groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

metric_names as (
    select * from {{ ref('int_outcomes__metric_names') }}
),

-- as double, because sums of whole numbers take twice as long; they stay whole
strata_counted as (
    select
        strata.stratum_key,
        metric_values.metric_key,
        metric_values.value,
        cast(count(*) as double) as patients
    from strata
    inner join metric_values on strata.patient_key = metric_values.patient_key
    group by strata.stratum_key, metric_values.metric_key, metric_values.value
),

counted as (
    select
        stratum_groups.group_key,
        strata_counted.metric_key,
        strata_counted.value,
        sum(strata_counted.patients) as patients
    from strata_counted
    inner join stratum_groups on strata_counted.stratum_key = stratum_groups.stratum_key
    group by stratum_groups.group_key, strata_counted.metric_key, strata_counted.value
),

-- differences of tabulated scores are rounded for their sign, so that equal scores are stable
directed as (
    select
        counted.*,
        metric_names.is_change,
        case when metric_names.is_change then cast(sign(round(counted.value, 9)) as bigint) end as direction
    from counted
    inner join metric_names on counted.metric_key = metric_names.metric_key
),

totals as (
    select
        group_key,
        metric_key,
        sum(patients) as n,
        -- rounding of the sum must not carry it past the values that it is the mean of
        least(greatest(sum(patients * value) / sum(patients), min(value)), max(value)) as mean,
        min(value) as min,
        max(value) as max,
        {% for direction, name in [(-1, 'improved'), (0, 'stable'), (1, 'worsened')] %}
        sum(case when direction = {{ direction }} then patients when is_change then 0 end) as {{ name }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from directed
    group by group_key, metric_key
),

ordered as (
    select
        directed.*,
        totals.n,
        totals.mean,
        totals.improved,
        totals.stable,
        totals.worsened,
        sum(directed.patients) over (
            partition by directed.group_key, directed.metric_key
            order by directed.value
            rows between unbounded preceding and current row
        ) as cumulative
    from directed
    inner join totals
        on directed.group_key = totals.group_key and directed.metric_key = totals.metric_key
),

-- in the order of values the improved come first, the worsened last
spread as (
    select
        group_key,
        metric_key,
        case when max(n) > 1 then sqrt(sum(patients * power(value - mean, 2)) / (max(n) - 1)) end as sd,
        {{ weighted_median('value', 'cumulative', 'patients', 'n') }} as median,
        {% for direction, name, before in [(-1, 'improved', '0'), (1, 'worsened', '(n - worsened)')] %}
        sum(case when direction = {{ direction }} then patients * value end) / max(nullif({{ name }}, 0)) as {{ name }}_mean,
        {{ weighted_median('case when direction = ' ~ direction ~ ' then value end', 'cumulative - ' ~ before, 'patients', name) }}
            as {{ name }}_median,
        min(case when direction = {{ direction }} then value end) as {{ name }}_min,
        max(case when direction = {{ direction }} then value end) as {{ name }}_max
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from ordered
    group by group_key, metric_key
),

final as (
    select
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        metric_names.metric,
        metric_names.time_point,
        metric_names.unit,
        metric_names.is_change,
        totals.group_key,
        totals.metric_key,
        cast(totals.n as bigint) as n,
        totals.mean,
        spread.sd,
        spread.median,
        totals.min,
        totals.max,
        cast(totals.improved as bigint) as improved,
        spread.improved_mean,
        spread.improved_median,
        spread.improved_min,
        spread.improved_max,
        cast(totals.stable as bigint) as stable,
        cast(totals.worsened as bigint) as worsened,
        spread.worsened_mean,
        spread.worsened_median,
        spread.worsened_min,
        spread.worsened_max
    from totals
    inner join spread on totals.group_key = spread.group_key and totals.metric_key = spread.metric_key
    inner join group_names on totals.group_key = group_names.group_key
    inner join metric_names on totals.metric_key = metric_names.metric_key
)

select * from final
