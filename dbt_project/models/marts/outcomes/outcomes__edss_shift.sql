with

patients as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where baseline_edss is not null and last_edss is not null
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

counted as (
    select
        memberships.group_key,
        patients.baseline_edss,
        patients.last_edss,
        cast(count(*) as bigint) as patients
    from memberships
    inner join patients on memberships.patient_key = patients.patient_key
    group by memberships.group_key, patients.baseline_edss, patients.last_edss
),

final as (
    select
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        counted.baseline_edss,
        counted.last_edss as follow_up_edss,
        counted.patients
    from counted
    inner join group_names on counted.group_key = group_names.group_key
)

select * from final
