{# Relapses of every window under every relapse definition of the seed. #}

with

windows as (
    select distinct measure_key, patient_key, start_date, end_date
    from {{ ref('int_outcomes__epoch_windows') }}
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
    select counted.relapse_definition, relapses.patient_key, relapses.onset_date
    from relapses
    inner join counted
        on relapses.patient_key = counted.patient_key
        and relapses.relapse_number = counted.relapse_number
),

final as (
    select
        onsets.relapse_definition,
        windows.measure_key,
        cast(count(*) as bigint) as relapses
    from windows
    inner join onsets
        on windows.patient_key = onsets.patient_key
        and onsets.onset_date >= windows.start_date
        and onsets.onset_date < windows.end_date
    group by onsets.relapse_definition, windows.measure_key
)

select * from final
