with

courses as (
    select * from {{ ref('int_outcomes__courses') }}
),

final as (
    select
        cohort,
        patient_id,
        course_number,
        first_day,
        last_day,
        drug_inn,
        infusions,
        total_dose_mg,
        regimen,
        deviation,
        reason,
        days_since_previous_course,
        has_partial_date
    from courses
)

select * from final
