{# Kaplan-Meier estimates: computed by pipeline/statistics/survival.py. #}

with

estimates as (
    select * from {{ ref('stg_derived__survival') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

final as (
    select
        group_names.cohort,
        estimates.definition,
        estimates.event_type,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        estimates.time_days,
        estimates.at_risk,
        estimates.events,
        estimates.survival,
        estimates.ci95_low,
        estimates.ci95_high
    from estimates
    inner join group_names on estimates.group_key = group_names.group_key
)

select * from final
