{# Time to the first event under every definition: computed by pipeline/statistics/survival.py. #}

with

times as (
    select * from {{ ref('stg_derived__time_to_event') }}
),

final as (
    select
        definition,
        event_type,
        cohort,
        patient_id,
        origin_date,
        entry_days,
        time_days,
        is_event,
        censor_reason,
        is_edss_10
    from times
)

select * from final
