{# Kaplan-Meier estimates: computed by pipeline/statistics/survival.py. #}

with

estimates as (
    select * from {{ ref('stg_derived__survival') }}
),

final as (
    select
        cohort,
        definition,
        event_type,
        grouping,
        group_name,
        is_baseline_group,
        time_days,
        at_risk,
        events,
        survival,
        ci95_low,
        ci95_high
    from estimates
)

select * from final
