{# Lymphocyte populations after each course: baseline (latest sample on or before the course's first day, within the
   baseline window), nadir, and recovery: from the nadir on, the first of two samples in a row at or above the lower limit
   (seed lymphocyte_populations) before the next course. A sample on the day of a course was drawn before the infusion. #}

with

laboratory as (
    select * from {{ ref('stg_cohort__laboratory') }}
),

populations as (
    select *, dense_rank() over (order by population) as population_number from {{ ref('lymphocyte_populations') }}
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

-- a population is measured under several names
population_names as (
    select distinct population_number, population from populations
),

-- tests and units as written are few: each is cleaned once
written_tests as (
    select distinct test, unit
    from {{ ref('stg_cohort__laboratory') }}
),

tests as (
    select
        written_tests.test,
        written_tests.unit,
        populations.population_number,
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
        tests.population_number,
        laboratory.sampled_on,
        min(laboratory.value * tests.factor_to_1e9_per_litre) as cells,
        max(tests.lower_limit) as lower_limit
    from laboratory
    inner join tests on laboratory.test = tests.test and laboratory.unit = tests.unit
    inner join patient_dates
        on laboratory.cohort = patient_dates.cohort and laboratory.patient_id = patient_dates.patient_id
    where laboratory.sampled_on is not null and laboratory.value is not null
    group by patient_dates.patient_key, tests.population_number, laboratory.sampled_on
),

placed as (
    select
        -- one number for patient, population and course
        (samples.patient_key * 1000 + samples.population_number) * 100000 + courses.course_number as series_key,
        samples.patient_key,
        samples.population_number,
        courses.course_number,
        samples.sampled_on,
        samples.cells,
        samples.lower_limit,
        samples.sampled_on <= courses.first_day as is_before,
        {{ days_between('courses.first_day', 'samples.sampled_on') }} as days_since_course
    from samples
    inner join courses
        on samples.patient_key = courses.patient_key
        and samples.sampled_on <= coalesce(courses.next_first_day, samples.sampled_on)
        and samples.sampled_on > {{ add_months('courses.first_day', '-' ~ var('baseline_window_months')) }}
),

ordered as (
    select
        *,
        lead(cells) over (partition by series_key order by sampled_on) as next_cells,
        coalesce(lead(is_before) over (partition by series_key order by sampled_on), false) as is_next_before,
        min(case when not is_before then cells end) over (
            partition by series_key
            order by sampled_on
            rows between unbounded preceding and unbounded following
        ) as nadir
    from placed
),

summed as (
    select
        series_key,
        min(patient_key) as patient_key,
        min(population_number) as population_number,
        min(course_number) as course_number,
        max(lower_limit) as lower_limit,
        max(case when is_before and not is_next_before then cells end) as baseline,
        min(nadir) as nadir,
        min(case when not is_before and cells = nadir then days_since_course end) as nadir_days,
        cast(sum(case when is_before then 0 else 1 end) as bigint) as samples
    from ordered
    group by series_key
),

recovered as (
    select series_key, days_since_course
    from ordered
    where not is_before
        and nadir < lower_limit
        and cells >= lower_limit
        and next_cells >= lower_limit
),

recoveries as (
    select recovered.series_key, min(recovered.days_since_course) as recovery_days
    from recovered
    inner join summed on recovered.series_key = summed.series_key
    where recovered.days_since_course > summed.nadir_days
    group by recovered.series_key
),

final as (
    select
        patient_dates.cohort,
        patient_dates.patient_id,
        population_names.population,
        summed.course_number,
        summed.samples,
        summed.lower_limit,
        summed.baseline,
        summed.nadir,
        summed.nadir_days,
        recoveries.recovery_days,
        case when summed.nadir < summed.lower_limit then recoveries.recovery_days is not null end as is_recovered
    from summed
    inner join patient_dates on summed.patient_key = patient_dates.patient_key
    inner join population_names on summed.population_number = population_names.population_number
    left join recoveries on summed.series_key = recoveries.series_key
)

select * from final
