{# What the rates of everyone together are made of, under every relapse definition: for every cohort, epoch and end rule
   the exposed patients that share a number of relapses and of days. Nothing is lost by counting them together. #}
{{ statistics_input() }}

with

windows as (
    select * from {{ ref('int_outcomes__observed_epochs') }}
    where relapses is not null
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
    where grouping = 'all'
),

definitions as (
    select * from {{ ref('relapse_definitions') }}
    where relapse_definition <> '{{ var("relapse_definition") }}'
),

definition_counts as (
    select * from {{ ref('int_outcomes__definition_counts') }}
),

treated as (
    select
        memberships.group_key,
        windows.epoch_key,
        windows.measure_key,
        windows.relapses,
        windows.exposure_days
    from memberships
    inner join windows on memberships.patient_key = windows.patient_key
),

-- what each definition counts otherwise than the one in use: few windows
differences as (
    select
        treated.group_key,
        treated.epoch_key,
        definition_counts.relapse_definition,
        treated.relapses,
        definition_counts.relapses as other_relapses,
        treated.exposure_days,
        cast(count(*) as bigint) as patients
    from treated
    inner join definition_counts on treated.measure_key = definition_counts.measure_key
    group by
        treated.group_key,
        treated.epoch_key,
        definition_counts.relapse_definition,
        treated.relapses,
        definition_counts.relapses,
        treated.exposure_days
),

in_use as (
    select group_key, epoch_key, relapses, exposure_days, cast(count(*) as bigint) as patients
    from treated
    group by group_key, epoch_key, relapses, exposure_days
),

counted as (
    select
        group_key, epoch_key, '{{ var("relapse_definition") }}' as relapse_definition, relapses, exposure_days, patients
    from in_use

    union all

    select
        in_use.group_key, in_use.epoch_key, definitions.relapse_definition, in_use.relapses, in_use.exposure_days,
        in_use.patients
    from in_use
    cross join definitions

    union all

    select group_key, epoch_key, relapse_definition, relapses, exposure_days, -patients
    from differences

    union all

    select group_key, epoch_key, relapse_definition, other_relapses, exposure_days, patients
    from differences
),

final as (
    select
        group_key,
        epoch_key,
        relapse_definition,
        relapses,
        exposure_days,
        cast(sum(patients) as bigint) as patients
    from counted
    group by group_key, epoch_key, relapse_definition, relapses, exposure_days
    having sum(patients) > 0
)

select * from final
