{# Pairs of values per group, equal ones counted together: the input of the paired tests and rate ratios. #}
{{ statistics_input() }}

with

paired as (
    select * from {{ ref('int_outcomes__paired_epochs') }}
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
        paired.metric,
        paired.before_epoch,
        paired.after_epoch,
        paired.before_value,
        paired.after_value,
        paired.before_events,
        paired.before_exposure,
        paired.after_events,
        paired.after_exposure,
        cast(count(*) as bigint) as patients
    from memberships
    inner join paired
        on memberships.cohort = paired.cohort and memberships.patient_id = paired.patient_id
    group by
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        paired.metric,
        paired.before_epoch,
        paired.after_epoch,
        paired.before_value,
        paired.after_value,
        paired.before_events,
        paired.before_exposure,
        paired.after_events,
        paired.after_exposure
)

select * from final
