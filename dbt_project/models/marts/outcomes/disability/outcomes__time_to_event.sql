{# Time to the first event under every definition: computed by pipeline/statistics/survival.py. #}

with

times as (
    select * from {{ ref('stg_derived__time_to_event') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

final as (
    select
        times.definition,
        times.event_type,
        patient_dates.cohort,
        patient_dates.patient_id,
        times.origin_date,
        times.entry_days,
        times.time_days,
        times.is_event,
        times.censor_reason,
        times.is_edss_10
    from times
    inner join patient_dates on times.patient_key = patient_dates.patient_key
)

select * from final
