{# Lymphocyte populations after each course: baseline (latest sample on or before the course's first day, within the
   baseline window), nadir, and recovery: from the nadir on, the first of two samples in a row at or above the lower limit
   (seed lymphocyte_populations) before the next course. A sample on the day of a course was drawn before the infusion. #}

with

laboratory as (
    select * from {{ ref('stg_cohort__laboratory') }}
),

populations as (
    select * from {{ ref('lymphocyte_populations') }}
),

units as (
    select * from {{ ref('cell_count_units') }}
),

courses as (
    select * from {{ ref('int_outcomes__courses') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

-- tests and units as written are few: each is cleaned once
written_tests as (
    select distinct test, unit
    from laboratory
),

tests as (
    select
        written_tests.test,
        written_tests.unit,
        populations.population,
        populations.lower_limit,
        units.factor_to_1e9_per_litre
    from written_tests
    inner join populations
        on replace(replace(lower(trim(written_tests.test)), ' ', '_'), '-', '_') = populations.test
    inner join units on replace(lower(written_tests.unit), ' ', '') = units.unit
),

samples as (
    select
        patient_dates.patient_key,
        tests.population,
        laboratory.sampled_on,
        min(laboratory.value * tests.factor_to_1e9_per_litre) as cells,
        max(tests.lower_limit) as lower_limit
    from laboratory
    inner join tests on laboratory.test = tests.test and laboratory.unit = tests.unit
    inner join patient_dates
        on laboratory.cohort = patient_dates.cohort and laboratory.patient_id = patient_dates.patient_id
    where laboratory.sampled_on is not null and laboratory.value is not null
    group by patient_dates.patient_key, tests.population, laboratory.sampled_on
),

placed as (
    select
        samples.*,
        courses.course_number,
        courses.first_day,
        samples.sampled_on <= courses.first_day as is_before,
        {{ days_between('courses.first_day', 'samples.sampled_on') }} as days_since_course
    from samples
    inner join courses
        on samples.patient_key = courses.patient_key
        and samples.sampled_on <= coalesce(courses.next_first_day, samples.sampled_on)
        and samples.sampled_on > {{ add_months('courses.first_day', '-' ~ var('baseline_window_months')) }}
),

summed as (
    select
        patient_key,
        population,
        course_number,
        max(lower_limit) as lower_limit,
        max_by(case when is_before then cells end, case when is_before then sampled_on end) as baseline,
        min(case when not is_before then cells end) as nadir,
        cast(sum(case when is_before then 0 else 1 end) as bigint) as samples
    from placed
    group by patient_key, population, course_number
),

later as (
    select
        placed.patient_key,
        placed.population,
        placed.course_number,
        placed.days_since_course,
        placed.cells,
        placed.lower_limit,
        summed.nadir,
        lead(placed.cells) over (
            partition by placed.patient_key, placed.population, placed.course_number order by placed.sampled_on
        ) as next_cells
    from placed
    inner join summed
        on placed.patient_key = summed.patient_key
        and placed.population = summed.population
        and placed.course_number = summed.course_number
    where not placed.is_before
),

nadirs as (
    select patient_key, population, course_number, min(days_since_course) as nadir_days
    from later
    where cells = nadir
    group by patient_key, population, course_number
),

recoveries as (
    select
        later.patient_key,
        later.population,
        later.course_number,
        min(later.days_since_course) as recovery_days
    from later
    inner join nadirs
        on later.patient_key = nadirs.patient_key
        and later.population = nadirs.population
        and later.course_number = nadirs.course_number
    where later.days_since_course > nadirs.nadir_days
        and later.nadir < later.lower_limit
        and later.cells >= later.lower_limit
        and later.next_cells >= later.lower_limit
    group by later.patient_key, later.population, later.course_number
),

final as (
    select
        patient_dates.cohort,
        patient_dates.patient_id,
        summed.population,
        summed.course_number,
        summed.samples,
        summed.lower_limit,
        summed.baseline,
        summed.nadir,
        nadirs.nadir_days,
        recoveries.recovery_days,
        case when summed.nadir < summed.lower_limit then recoveries.recovery_days is not null end as is_recovered
    from summed
    inner join patient_dates on summed.patient_key = patient_dates.patient_key
    left join nadirs
        on summed.patient_key = nadirs.patient_key
        and summed.population = nadirs.population
        and summed.course_number = nadirs.course_number
    left join recoveries
        on summed.patient_key = recoveries.patient_key
        and summed.population = recoveries.population
        and summed.course_number = recoveries.course_number
)

select * from final
