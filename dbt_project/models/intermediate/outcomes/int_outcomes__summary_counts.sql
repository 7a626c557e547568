{# The summary of every group, metric and time point, without its p-values: the input of the paired test. Equal
   values are counted together first. A change below zero is an improvement for every metric here; differences of
   tabulated scores are rounded to 9 decimals for their sign, so that equal scores are stable. #}
{{ statistics_input() }}

with

metric_values as (
    select * from {{ ref('int_outcomes__metric_values') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

metric_names as (
    select
        metric_key,
        min(metric) as metric,
        min(time_point) as time_point,
        min(unit) as unit,
        max(case when is_change then 1 else 0 end) = 1 as is_change
    from metric_values
    group by metric_key
),

counted as (
    select
        memberships.group_key,
        metric_values.metric_key,
        metric_values.value,
        cast(count(*) as double) as patients
    from memberships
    inner join metric_values on memberships.patient_key = metric_values.patient_key
    group by memberships.group_key, metric_values.metric_key, metric_values.value
),

signed as (
    select
        counted.*,
        metric_names.is_change,
        case when metric_names.is_change then cast(sign(round(counted.value, 9)) as bigint) end as direction
    from counted
    inner join metric_names on counted.metric_key = metric_names.metric_key
),

ordered as (
    select
        *,
        sum(patients) over (partition by group_key, metric_key) as total,
        sum(patients * value) over (partition by group_key, metric_key) as value_sum,
        sum(patients) over (
            partition by group_key, metric_key
            order by value
            rows between unbounded preceding and current row
        ) as cumulative,
        sum(patients) over (partition by group_key, metric_key, direction) as direction_total,
        sum(patients) over (
            partition by group_key, metric_key, direction
            order by value
            rows between unbounded preceding and current row
        ) as direction_cumulative
    from signed
),

summarised as (
    select
        group_key,
        metric_key,
        cast(max(total) as bigint) as n,
        max(value_sum / total) as mean,
        case when max(total) > 1
            then sqrt(sum(patients * power(value - value_sum / total, 2)) / (max(total) - 1)) end as sd,
        {{ weighted_median('value', 'cumulative', 'patients', 'total') }} as median,
        min(value) as min,
        max(value) as max,
        {% for direction, name in [(-1, 'improved'), (0, 'stable'), (1, 'worsened')] %}
        cast(sum(case when direction = {{ direction }} then patients when is_change then 0 end) as bigint) as {{ name }},
        {% if direction != 0 %}
        sum(case when direction = {{ direction }} then patients * value end)
        / sum(case when direction = {{ direction }} then patients end) as {{ name }}_mean,
        {{ weighted_median(
            'case when direction = ' ~ direction ~ ' then value end',
            'direction_cumulative', 'patients', 'direction_total'
        ) }} as {{ name }}_median,
        min(case when direction = {{ direction }} then value end) as {{ name }}_min,
        max(case when direction = {{ direction }} then value end) as {{ name }}_max
        {%- if not loop.last %},{% endif %}
        {% endif %}
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
        summarised.*
    from summarised
    inner join group_names on summarised.group_key = group_names.group_key
    inner join metric_names on summarised.metric_key = metric_names.metric_key
)

select * from final
