with

patients as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where baseline_edss is not null and last_edss is not null
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

final as (
    select
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        patients.baseline_edss,
        patients.last_edss as follow_up_edss,
        cast(count(*) as bigint) as patients
    from memberships
    inner join patients
        on memberships.cohort = patients.cohort and memberships.patient_id = patients.patient_id
    group by
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        patients.baseline_edss,
        patients.last_edss
)

select * from final
