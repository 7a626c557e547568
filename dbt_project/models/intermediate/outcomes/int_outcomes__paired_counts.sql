{# Pairs of values per group, equal ones counted together: the input of the paired tests and rate ratios. #}
{{ statistics_input() }}

with

paired as (
    select * from {{ ref('int_outcomes__paired_epochs') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

pair_names as (
    select pair_key, min(metric) as metric, min(before_epoch) as before_epoch, min(after_epoch) as after_epoch
    from paired
    group by pair_key
),

counted as (
    select
        memberships.group_key,
        paired.pair_key,
        paired.before_value,
        paired.after_value,
        paired.before_events,
        paired.before_exposure,
        paired.after_events,
        paired.after_exposure,
        cast(count(*) as bigint) as patients
    from memberships
    inner join paired on memberships.patient_key = paired.patient_key
    group by
        memberships.group_key,
        paired.pair_key,
        paired.before_value,
        paired.after_value,
        paired.before_events,
        paired.before_exposure,
        paired.after_events,
        paired.after_exposure
),

final as (
    select
        counted.group_key,
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        counted.pair_key,
        pair_names.metric,
        pair_names.before_epoch,
        pair_names.after_epoch,
        counted.before_value,
        counted.after_value,
        counted.before_events,
        counted.before_exposure,
        counted.after_events,
        counted.after_exposure,
        counted.patients
    from counted
    inner join group_names on counted.group_key = group_names.group_key
    inner join pair_names on counted.pair_key = pair_names.pair_key
)

select * from final
