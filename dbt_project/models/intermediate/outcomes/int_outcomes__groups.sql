{# Which treated patient is in which group. Exclusive groupings give every patient one group, unknown included;
   the others give as many as apply. #}

with

patients as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where index_date is not null
),

groupings as (
    select * from {{ ref('groupings') }}
),

bands as (
    select * from {{ ref('group_bands') }}
),

memberships as (
    select patient_key, cohort, 'all' as grouping, 'all' as group_name from patients

    union all

    select patient_key, cohort, 'regular_corticosteroids',
        case regular_corticosteroids
            when true then 'with_regular_corticosteroids'
            when false then 'without_regular_corticosteroids'
            else 'unknown'
        end
    from patients

    union all

    select patient_key, cohort, 'prospective_cohort', coalesce(prospective_cohort, 'not_enrolled') from patients

    union all

    select patient_key, cohort, 'prior_dmd_class', prior_dmd_class from patients

    union all

    select patient_key, cohort, 'prior_dmd_class_24m', prior_dmd_class_24m from patients

    union all

    select patient_key, cohort, 'prior_dmd_24m', 'IFNGA' from patients where prior_ifnga_24m

    union all

    select patient_key, cohort, 'prior_dmd_24m', 'FTY' from patients where prior_fty_24m

    union all

    select patient_key, cohort, 'prior_dmd_24m', 'NAT' from patients where prior_nat_24m

    union all

    select patient_key, cohort, 'prior_dmd_24m', 'OTHER' from patients where prior_other_24m

    union all

    select patient_key, cohort, 'nat_fty_index', 'NAT_FTY_INDEX' from patients where is_nat_fty_index

    union all

    select patient_key, cohort, 'disease_course', coalesce(disease_course_at_index, 'unknown') from patients

    union all

    select patient_key, cohort, 'courses_received', concat('courses_', cast(courses as string)) from patients

    union all

    select patient_key, cohort, 'sex', sex from patients

    union all

    select patients.patient_key, patients.cohort, 'age_band', coalesce(bands.group_name, 'unknown')
    from patients
    left join bands
        on bands.grouping = 'age_band'
        and patients.age_at_index >= coalesce(bands.lower_value, -1000)
        and patients.age_at_index < coalesce(bands.upper_value, 1000)

    union all

    select patients.patient_key, patients.cohort, 'baseline_edss_band', coalesce(bands.group_name, 'unknown')
    from patients
    left join bands
        on bands.grouping = 'baseline_edss_band'
        and patients.baseline_edss >= coalesce(bands.lower_value, -1000)
        and patients.baseline_edss < coalesce(bands.upper_value, 1000)

    union all

    select patient_key, cohort, 'pre_index_arr_over_2',
        case
            when pre_index_arr_per_year > 2 then 'over_2_per_year'
            when pre_index_arr_per_year <= 2 then 'up_to_2_per_year'
            else 'unknown'
        end
    from patients

    union all

    select patient_key, cohort, 'follow_up_over_12_months',
        case is_followed_over_12_months
            when true then 'over_12_months'
            when false then 'up_to_12_months'
            else 'unknown'
        end
    from patients

    union all

    select patient_key, cohort, 'follow_up_over_15_months',
        case is_followed_over_15_months
            when true then 'over_15_months'
            when false then 'up_to_15_months'
            else 'unknown'
        end
    from patients

    union all

    select patient_key, cohort, 'edss_change_class', coalesce(edss_change_class, 'unknown') from patients
),

found as (
    select distinct cohort, grouping, group_name
    from memberships
),

names as (
    select
        groupings.grouping,
        found.cohort,
        found.group_name,
        groupings.is_baseline_group,
        groupings.is_exclusive,
        row_number() over (order by found.cohort, found.grouping, found.group_name) as group_key
    from found
    inner join groupings on found.grouping = groupings.grouping
),

final as (
    select
        cast(names.group_key as bigint) as group_key,
        memberships.patient_key,
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        names.is_baseline_group,
        names.is_exclusive
    from memberships
    inner join names
        on memberships.cohort = names.cohort
        and memberships.grouping = names.grouping
        and memberships.group_name = names.group_name
)

select * from final
