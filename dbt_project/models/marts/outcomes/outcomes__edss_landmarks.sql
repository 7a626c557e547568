with

landmarks as (
    select * from {{ ref('int_outcomes__landmarks') }}
),

final as (
    select
        cohort,
        patient_id,
        landmark,
        target_date,
        edss,
        edss_date,
        edss_change,
        days_off,
        null_reason
    from landmarks
)

select * from final
