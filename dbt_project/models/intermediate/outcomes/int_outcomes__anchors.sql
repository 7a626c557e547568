{# The days from which epochs are counted: one row per patient and anchor. A course stands twice, as the n-th
   (`course_n` with its number, expanded by epochs like cycle_n) and under its own name (`course_2`). #}

with

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

courses as (
    select * from {{ ref('int_outcomes__courses') }}
),

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

final as (
    select patient_key, 'index' as anchor, cast(null as bigint) as anchor_number, index_date as anchor_date,
        cast(null as date) as next_date
    from index_dates
    where index_date is not null

    union all

    select patient_key, 'enrolment', cast(null as bigint), enrolment_date, cast(null as date)
    from patient_dates
    where enrolment_date is not null

    union all

    select patient_key, 'onset', cast(null as bigint), onset_date, cast(null as date)
    from patient_dates
    where onset_date is not null

    union all

    select patient_key, 'last_visit', cast(null as bigint), max(visit_date), cast(null as date)
    from edss
    group by patient_key

    union all

    select patient_key, 'course_n', course_number, first_day, next_first_day
    from courses

    union all

    select patient_key, concat('course_', cast(course_number as string)), course_number, first_day, next_first_day
    from courses
)

select * from final
