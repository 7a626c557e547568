{# Confirmed worsening and improvement, event by event. The search itself is pipeline/statistics/disability.py. #}

with

events as (
    select * from {{ ref('stg_derived__disability_events') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

final as (
    select
        events.definition,
        patient_dates.cohort,
        patient_dates.patient_id,
        events.event_number,
        events.event_type,
        events.worsening_type,
        events.event_date,
        events.event_value,
        events.baseline_date,
        events.baseline_value,
        events.last_delta_date,
        events.last_delta_value,
        events.confirmation_days,
        events.confirmation_date,
        events.confirmation_value,
        events.pira_confirmation_date,
        events.pira_confirmation_value,
        events.is_sustained,
        events.sustained_days,
        events.is_recount
    from events
    inner join patient_dates on events.patient_key = patient_dates.patient_key
)

select * from final
