{# The summary of every group, metric and time point, without its p-values: the input of the paired test.
   A change below zero is an improvement for every metric here. Differences of tabulated scores are rounded to
   9 decimals for their sign, so that equal scores are stable. #}
{{ statistics_input() }}

with

metric_values as (
    select * from {{ ref('int_outcomes__metric_values') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

signed as (
    select
        cohort,
        patient_id,
        metric,
        time_point,
        unit,
        value,
        is_change,
        case when is_change then sign(round(value, 9)) end as direction
    from metric_values
),

final as (
    select
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        signed.metric,
        signed.time_point,
        signed.unit,
        signed.is_change,
        cast(count(*) as bigint) as n,
        avg(signed.value) as mean,
        stddev_samp(signed.value) as sd,
        {{ median('signed.value') }} as median,
        min(signed.value) as min,
        max(signed.value) as max,
        cast(sum(case when signed.direction = -1 then 1 when signed.is_change then 0 end) as bigint) as improved,
        avg(case when signed.direction = -1 then signed.value end) as improved_mean,
        {{ median('case when signed.direction = -1 then signed.value end') }} as improved_median,
        min(case when signed.direction = -1 then signed.value end) as improved_min,
        max(case when signed.direction = -1 then signed.value end) as improved_max,
        cast(sum(case when signed.direction = 0 then 1 when signed.is_change then 0 end) as bigint) as stable,
        cast(sum(case when signed.direction = 1 then 1 when signed.is_change then 0 end) as bigint) as worsened,
        avg(case when signed.direction = 1 then signed.value end) as worsened_mean,
        {{ median('case when signed.direction = 1 then signed.value end') }} as worsened_median,
        min(case when signed.direction = 1 then signed.value end) as worsened_min,
        max(case when signed.direction = 1 then signed.value end) as worsened_max
    from memberships
    inner join signed
        on memberships.cohort = signed.cohort and memberships.patient_id = signed.patient_id
    group by
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        signed.metric,
        signed.time_point,
        signed.unit,
        signed.is_change
)

select * from final
