{# What a rate is made of: for every group, epoch and end rule the exposed patients that share a number of relapses
   and of days. Nothing is lost by counting them together, and 100,000 patients become some ten thousand rows.
   Other relapse definitions than the one in use are counted for everyone together only. #}
{{ statistics_input() }}

with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
    where exposure_days > 0
),

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
    where exposure_days > 0
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

definitions as (
    select * from {{ ref('relapse_definitions') }}
    where relapse_definition <> '{{ var("relapse_definition") }}'
),

definition_counts as (
    select * from {{ ref('int_outcomes__definition_counts') }}
),

epoch_names as (
    select epoch_key, min(epoch) as epoch, min(end_rule) as end_rule
    from epochs
    group by epoch_key
),

own as (
    select
        memberships.group_key,
        epochs.epoch_key,
        epochs.relapses,
        epochs.exposure_days,
        cast(count(*) as bigint) as patients
    from memberships
    inner join epochs on memberships.patient_key = epochs.patient_key
    group by memberships.group_key, epochs.epoch_key, epochs.relapses, epochs.exposure_days
),

treated as (
    select group_key, patient_key from memberships
    where grouping = 'all'
),

others as (
    select
        treated.group_key,
        windows.epoch_key,
        definitions.relapse_definition,
        coalesce(definition_counts.relapses, 0) as relapses,
        windows.exposure_days,
        cast(count(*) as bigint) as patients
    from treated
    inner join windows on treated.patient_key = windows.patient_key
    cross join definitions
    left join definition_counts
        on windows.measure_key = definition_counts.measure_key
        and definitions.relapse_definition = definition_counts.relapse_definition
    group by
        treated.group_key,
        windows.epoch_key,
        definitions.relapse_definition,
        coalesce(definition_counts.relapses, 0),
        windows.exposure_days
),

counted as (
    select
        group_key, epoch_key, '{{ var("relapse_definition") }}' as relapse_definition, relapses, exposure_days,
        patients
    from own
    union all
    select group_key, epoch_key, relapse_definition, relapses, exposure_days, patients
    from others
),

final as (
    select
        counted.group_key,
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        counted.epoch_key,
        epoch_names.epoch,
        epoch_names.end_rule,
        counted.relapse_definition,
        counted.relapses,
        counted.exposure_days,
        counted.patients
    from counted
    inner join group_names on counted.group_key = group_names.group_key
    inner join epoch_names on counted.epoch_key = epoch_names.epoch_key
)

select * from final
