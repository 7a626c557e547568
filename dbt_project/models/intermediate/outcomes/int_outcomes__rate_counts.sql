{# What a rate is made of: for every group, epoch and end rule the patients that share a number of relapses and of
   exposed days. Nothing is lost by counting them together, and 100,000 patients become a few thousand rows.
   Other relapse definitions than the one in use are counted for everyone together only. #}
{{ statistics_input() }}

with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

definitions as (
    select * from {{ ref('relapse_definitions') }}
    where relapse_definition <> '{{ var("relapse_definition") }}'
),

definition_counts as (
    select * from {{ ref('int_outcomes__definition_counts') }}
),

own as (
    select
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        epochs.epoch,
        epochs.end_rule,
        '{{ var("relapse_definition") }}' as relapse_definition,
        epochs.relapses,
        epochs.exposure_days,
        cast(count(*) as bigint) as patients
    from memberships
    inner join epochs
        on memberships.cohort = epochs.cohort and memberships.patient_id = epochs.patient_id
    group by
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        epochs.epoch,
        epochs.end_rule,
        epochs.relapses,
        epochs.exposure_days
),

others as (
    select
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        epochs.epoch,
        epochs.end_rule,
        definitions.relapse_definition,
        coalesce(definition_counts.relapses, 0) as relapses,
        epochs.exposure_days,
        cast(count(*) as bigint) as patients
    from memberships
    inner join epochs
        on memberships.cohort = epochs.cohort and memberships.patient_id = epochs.patient_id
    cross join definitions
    left join definition_counts
        on epochs.cohort = definition_counts.cohort
        and epochs.patient_id = definition_counts.patient_id
        and epochs.epoch = definition_counts.epoch
        and epochs.end_rule = definition_counts.end_rule
        and definitions.relapse_definition = definition_counts.relapse_definition
    where memberships.grouping = 'all' and epochs.exposure_days > 0
    group by
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        memberships.is_baseline_group,
        epochs.epoch,
        epochs.end_rule,
        definitions.relapse_definition,
        coalesce(definition_counts.relapses, 0),
        epochs.exposure_days
),

final as (
    select * from own
    union all
    select * from others
)

select * from final
