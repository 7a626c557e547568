{# Confirmed worsening and improvement, event by event. The search itself is pipeline/statistics/disability.py. #}

with

events as (
    select * from {{ ref('stg_derived__disability_events') }}
),

final as (
    select
        definition,
        cohort,
        patient_id,
        event_number,
        event_type,
        worsening_type,
        event_date,
        event_value,
        baseline_date,
        baseline_value,
        last_delta_date,
        last_delta_value,
        confirmation_days,
        confirmation_date,
        confirmation_value,
        pira_confirmation_date,
        pira_confirmation_value,
        is_sustained,
        sustained_days,
        is_recount
    from events
)

select * from final
