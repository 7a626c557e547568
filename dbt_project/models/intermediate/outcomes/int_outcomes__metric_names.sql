{# What the number of a metric and time point stands for. #}
{{ config(materialized='ephemeral') }}

with

landmarks as (
    select *, row_number() over (order by landmark) as landmark_number from {{ ref('edss_landmarks') }}
),

epochs as (
    select * from {{ ref('int_outcomes__epoch_names') }}
    where is_rule_in_use
),

pairs as (
    select * from {{ ref('int_outcomes__pair_names') }}
    where metric = 'arr_per_year'
),

named as (
    {% for metric, time_point, unit, expression in patient_metrics() %}
    select {{ metric_key(loop.index) }} as metric_key, '{{ metric }}' as metric, '{{ time_point }}' as time_point, '{{ unit }}' as unit
    union all
    {% endfor %}
    select {{ metric_key('landmark_edss', 'landmark_number') }}, 'edss', landmark, 'points' from landmarks
    union all
    select {{ metric_key('landmark_edss_change', 'landmark_number') }}, 'edss_change', landmark, 'points' from landmarks
    union all
    select {{ metric_key('epoch_edss_change', 'epoch_key') }}, 'edss_change', epoch, 'points' from epochs
    union all
    select {{ metric_key('epoch_rate', 'epoch_key') }}, 'arr_per_year', epoch, 'per_year' from epochs
    union all
    select {{ metric_key('epoch_lesions', 'epoch_key') }}, 'new_t2_per_scan', epoch, 'lesions_per_scan' from epochs
    union all
    select {{ metric_key('pair_rate_change', 'pair_key') }}, 'arr_change', concat(before_epoch, '_to_', after_epoch), 'per_year'
    from pairs
),

final as (
    select
        metric_key,
        metric,
        time_point,
        unit,
        metric in ('edss_change', 'msss_change', 'armss_change', 'ped_msss_change', 'arr_change') as is_change
    from named
)

select * from final
