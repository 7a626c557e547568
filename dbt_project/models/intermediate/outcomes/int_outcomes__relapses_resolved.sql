{# Every recorded onset, once, with what became of it under the default definition. Rates use `is_counted`;
   disability events use every row with `is_relapse` (all but pseudo-relapses and impossible dates), unmerged. #}

with

relapses as (
    select * from {{ ref('int_outcomes__relapses_dated') }}
),

counted as (
    select * from {{ ref('int_outcomes__relapses_counted') }}
    where relapse_definition = '{{ var("relapse_definition") }}'
),

final as (
    select
        relapses.patient_key,
        relapses.cohort,
        relapses.patient_id,
        relapses.relapse_number,
        relapses.onset_date,
        relapses.onset_precision,
        relapses.recorded_relapse_id,
        relapses.end_date,
        relapses.severity,
        relapses.recovery,
        relapses.steroids,
        relapses.is_pseudo_relapse,
        not (relapses.is_pseudo_relapse or relapses.is_after_death or relapses.is_before_birth) as is_relapse,
        counted.counted_relapse_id,
        counted.is_counted,
        case when counted.counted_relapse_id <> relapses.relapse_number then counted.counted_relapse_id end
            as merged_into,
        counted.reason,
        relapses.source_file,
        relapses.source_sheet,
        relapses.source_row
    from relapses
    inner join counted
        on relapses.patient_key = counted.patient_key
        and relapses.relapse_number = counted.relapse_number
)

select * from final
