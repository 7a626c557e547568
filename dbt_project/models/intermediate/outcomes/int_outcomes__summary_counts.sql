{# The summary of every group, metric and time point, without its p-values: the input of the paired test. A change below
   zero is an improvement for every metric here. #}
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

summarised as (
    select
        memberships.group_key,
        metric_values.metric_key,
        cast(count(*) as bigint) as n,
        avg(metric_values.value) as mean,
        stddev_samp(metric_values.value) as sd,
        {{ median('metric_values.value') }} as median,
        min(metric_values.value) as min,
        max(metric_values.value) as max,
        {% for direction, name in [(-1, 'improved'), (0, 'stable'), (1, 'worsened')] %}
        cast(
            sum(case when metric_values.direction = {{ direction }} then 1 when metric_values.is_change then 0 end) as bigint
        ) as {{ name }},
        {% if direction != 0 %}
        {% set value = 'case when metric_values.direction = ' ~ direction ~ ' then metric_values.value end' %}
        avg({{ value }}) as {{ name }}_mean,
        {{ median(value) }} as {{ name }}_median,
        min({{ value }}) as {{ name }}_min,
        max({{ value }}) as {{ name }}_max
        {%- if not loop.last %},{% endif %}
        {% endif %}
        {% endfor %}
    from memberships
    inner join metric_values on memberships.patient_key = metric_values.patient_key
    group by memberships.group_key, metric_values.metric_key
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
