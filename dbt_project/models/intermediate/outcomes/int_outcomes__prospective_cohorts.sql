{# Naive or experienced at enrolment. Naive: no index therapy before enrolment (index on that day is naive);
   experienced: at least one course before it; without an enrolment date null. #}

with

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

courses as (
    select * from {{ ref('int_outcomes__courses') }}
),

course_counts as (
    select
        index_dates.patient_key,
        cast(count(*) as bigint) as courses,
        cast(sum(case when courses.first_day < index_dates.enrolment_date then 1 else 0 end) as bigint)
            as courses_before_enrolment
    from index_dates
    inner join courses
        on index_dates.patient_key = courses.patient_key
    group by index_dates.patient_key
),

final as (
    select
        index_dates.patient_key,
        index_dates.cohort,
        index_dates.patient_id,
        coalesce(course_counts.courses, 0) as courses,
        case when index_dates.enrolment_date is not null
            then coalesce(course_counts.courses_before_enrolment, 0) end as courses_before_enrolment,
        case
            when index_dates.enrolment_date is null then null
            when index_dates.index_date < index_dates.enrolment_date then 'experienced'
            else 'naive'
        end as prospective_cohort
    from index_dates
    left join course_counts
        on index_dates.patient_key = course_counts.patient_key
)

select * from final
