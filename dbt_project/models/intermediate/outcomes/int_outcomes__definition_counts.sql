{# Relapses of every window under every relapse definition of the seed. #}

with

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
    where exposure_days > 0
),

relapses as (
    select * from {{ ref('int_outcomes__relapses_dated') }}
),

counted as (
    select * from {{ ref('int_outcomes__relapses_counted') }}
    where is_counted and relapse_definition <> '{{ var("relapse_definition") }}'
),

onsets as (
    select counted.relapse_definition, relapses.cohort, relapses.patient_id, relapses.onset_date
    from relapses
    inner join counted
        on relapses.cohort = counted.cohort
        and relapses.patient_id = counted.patient_id
        and relapses.relapse_number = counted.relapse_number
),

final as (
    select
        onsets.relapse_definition,
        windows.cohort,
        windows.patient_id,
        windows.epoch,
        windows.end_rule,
        cast(count(*) as bigint) as relapses
    from windows
    inner join onsets
        on windows.cohort = onsets.cohort
        and windows.patient_id = onsets.patient_id
        and onsets.onset_date >= windows.start_date
        and onsets.onset_date < windows.end_date
    group by onsets.relapse_definition, windows.cohort, windows.patient_id, windows.epoch, windows.end_rule
)

select * from final
