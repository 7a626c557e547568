with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

final as (
    select
        epochs.cohort,
        epochs.patient_id,
        epochs.epoch,
        epochs.end_rule,
        epochs.planned_start_date,
        epochs.planned_end_date,
        epochs.start_date,
        epochs.end_date,
        epochs.planned_days,
        epochs.exposure_days,
        epochs.is_complete,
        epochs.is_history_assumed,
        epochs.relapses,
        epochs.arr_per_year,
        epochs.arr_null_reason,
        epochs.scans,
        epochs.new_t2_total,
        epochs.new_t2_per_scan,
        epochs.reference_scan_date,
        epochs.edss_start,
        epochs.edss_start_date,
        epochs.edss_end,
        epochs.edss_end_date,
        epochs.edss_change
    from epochs
)

select * from final
