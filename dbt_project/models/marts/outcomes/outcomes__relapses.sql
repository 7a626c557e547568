with

relapses as (
    select * from {{ ref('int_outcomes__relapses_resolved') }}
),

final as (
    select
        cohort,
        patient_id,
        relapse_number,
        onset_date,
        onset_precision,
        counted_relapse_id,
        is_counted,
        merged_into,
        reason,
        is_pseudo_relapse,
        end_date,
        severity,
        recovery,
        steroids,
        source_file,
        source_sheet,
        source_row
    from relapses
)

select * from final
