{# Courses of the index therapy: runs of infusion days with gaps of at most `course_gap_days`. Where a patient
   has no infusion rows, the recorded starts of the index therapy stand for the courses, dose unknown.
   The regimen is read from number, dose and, for a retreatment, the distance from the previous course's first
   day; what does not fit is `other`, and `deviation` says what. #}

with

infusion_days as (
    select * from {{ ref('int_outcomes__index_days') }}
),

exposures as (
    select * from {{ ref('int_outcomes__drug_exposures') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

patients_with_infusions as (
    select distinct patient_key from infusion_days
),

recorded_starts as (
    select distinct
        exposures.patient_key,
        exposures.start_date as infusion_date,
        exposures.drug_inn,
        cast(null as double) as dose_mg,
        cast(null as string) as reason,
        exposures.start_date_precision <> 'day' as is_partial,
        false as is_infusion
    from exposures
    left join patients_with_infusions
        on exposures.patient_key = patients_with_infusions.patient_key
    where exposures.is_index_therapy
        and exposures.start_date is not null
        and patients_with_infusions.patient_key is null
),

days as (
    select
        patient_key, infusion_date, drug_inn, dose_mg, reason, is_partial, true as is_infusion
    from infusion_days
    union all
    select patient_key, infusion_date, drug_inn, dose_mg, reason, is_partial, is_infusion
    from recorded_starts
),

gaps as (
    select
        *,
        {{ days_between('lag(infusion_date) over (partition by patient_key order by infusion_date)', 'infusion_date') }}
            as gap_days
    from days
),

starts as (
    select
        *,
        case when gap_days is null or gap_days > {{ var('course_gap_days') }} then 1 else 0 end as starts_course
    from gaps
),

-- the first three days of a course by what their predecessors are: one order serves all
ordered as (
    select
        *,
        sum(starts_course) over (
            partition by patient_key
            order by infusion_date
            rows between unbounded preceding and current row
        ) as course_number,
        case
            when starts_course = 1 then 1
            when lag(starts_course) over (partition by patient_key order by infusion_date) = 1 then 2
            when lag(starts_course, 2) over (partition by patient_key order by infusion_date) = 1 then 3
        end as day_number
    from starts
),

courses as (
    select
        patient_key,
        cast(course_number as bigint) as course_number,
        min(infusion_date) as first_day,
        max(infusion_date) as last_day,
        min(drug_inn) as drug_inn,
        cast(sum(case when is_infusion then 1 else 0 end) as bigint) as infusions,
        case when max(case when is_infusion and dose_mg is null then 1 else 0 end) = 0
            then cast(sum(dose_mg) as double) end as total_dose_mg,
        min(dose_mg) as lowest_dose_mg,
        max(dose_mg) as highest_dose_mg,
        max(case when day_number = 1 then dose_mg end) as first_dose_mg,
        max(case when day_number = 2 then dose_mg end) as second_dose_mg,
        max(case when day_number = 3 then dose_mg end) as third_dose_mg,
        min(reason) as reason,
        max(case when is_partial then 1 else 0 end) = 1 as has_partial_date
    from ordered
    group by patient_key, course_number
),

spaced as (
    select
        *,
        lag(first_day) over (partition by patient_key order by course_number) as previous_first_day,
        lead(first_day) over (partition by patient_key order by course_number) as next_first_day
    from courses
),

judged as (
    select
        *,
        {{ days_between('previous_first_day', 'first_day') }} as days_since_previous_course,
        coalesce(
            first_day >= {{ add_days(add_months('previous_first_day', var('retreatment_months')), '-' ~ var('retreatment_tolerance_days')) }},
            false
        ) as is_spaced,
        infusions = 5 and lowest_dose_mg = 12 and highest_dose_mg = 12 as is_five_times_12,
        infusions = 3 and lowest_dose_mg = 12 and highest_dose_mg = 12 as is_three_times_12,
        infusions = 3 and lowest_dose_mg = 10 and highest_dose_mg = 10 as is_three_times_10,
        infusions = 3 and first_dose_mg = 10 and second_dose_mg = 20 and third_dose_mg = 30 as is_10_20_30
    from spaced
),

classified as (
    select
        *,
        case
            when drug_inn <> 'alemtuzumab' then 'other'
            when course_number = 1 and is_five_times_12 then 'label_first'
            when course_number > 1 and is_three_times_12 and is_spaced then 'label_retreatment'
            when course_number = 1 and is_10_20_30 then 'legacy'
            when course_number > 1 and is_three_times_10 then 'legacy'
            else 'other'
        end as regimen
    from judged
),

described as (
    select
        *,
        case
            when infusions = 0 then 'no infusions recorded'
            when drug_inn <> 'alemtuzumab' then 'no regimen known for this drug'
            when total_dose_mg is null then 'dose missing'
            when regimen <> 'other' then null
            when course_number = 1 and infusions <> 5
                then concat(cast(infusions as string), ' infusion days, 5 expected')
            when course_number > 1 and infusions <> 3
                then concat(cast(infusions as string), ' infusion days, 3 expected')
            when lowest_dose_mg <> 12 or highest_dose_mg <> 12
                then concat(
                    'doses of ', cast(lowest_dose_mg as string), ' to ', cast(highest_dose_mg as string),
                    ' mg, 12 mg expected'
                )
        end as dose_deviation,
        case
            when drug_inn = 'alemtuzumab' and course_number > 1 and not is_spaced
                then concat(
                    cast(days_since_previous_course as string),
                    ' days after the first infusion of the previous course, 12 months less {{ var("retreatment_tolerance_days") }} days expected'
                )
        end as spacing_deviation,
        case
            when infusions > 0 and {{ days_between('first_day', 'last_day') }} + 1 > infusions
                then 'infusion days not consecutive'
        end as sequence_deviation
    from classified
),

final as (
    select
        described.patient_key,
        patient_dates.cohort,
        patient_dates.patient_id,
        course_number,
        first_day,
        last_day,
        next_first_day,
        drug_inn,
        infusions,
        total_dose_mg,
        regimen,
        nullif(concat_ws('; ', dose_deviation, spacing_deviation, sequence_deviation), '') as deviation,
        reason,
        days_since_previous_course,
        has_partial_date
    from described
    inner join patient_dates on described.patient_key = patient_dates.patient_key
)

select * from final
