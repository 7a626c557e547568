{# Windows in which another relapse definition of the seed counts otherwise than the one in use. #}

with

relapses as (
    select * from {{ ref('int_outcomes__relapses_dated') }}
),

counted as (
    select * from {{ ref('int_outcomes__relapses_counted') }}
),

measures as (
    select * from {{ ref('int_outcomes__window_measures') }}
),

in_use as (
    select * from counted
    where relapse_definition = '{{ var("relapse_definition") }}'
),

-- onsets that another definition counts and the one in use does not, or the other way round
changed as (
    select
        counted.relapse_definition,
        relapses.patient_key,
        relapses.onset_date,
        case when counted.is_counted then 1 else -1 end as difference
    from counted
    inner join in_use
        on counted.patient_key = in_use.patient_key and counted.relapse_number = in_use.relapse_number
    inner join relapses
        on counted.patient_key = relapses.patient_key and counted.relapse_number = relapses.relapse_number
    where counted.is_counted <> in_use.is_counted
),

sums as (
    select
        changed.relapse_definition,
        measures.measure_key,
        measures.relapses,
        cast(sum(changed.difference) as bigint) as difference
    from measures
    inner join changed
        on measures.patient_key = changed.patient_key
        and changed.onset_date >= measures.start_date
        and changed.onset_date < measures.end_date
    group by changed.relapse_definition, measures.measure_key, measures.relapses
),

final as (
    select relapse_definition, measure_key, relapses + difference as relapses
    from sums
    where difference <> 0
)

select * from final
