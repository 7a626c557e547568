with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

neda3 as (
    select * from {{ ref('int_outcomes__neda3') }}
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
        epochs.edss_change,
        neda3.is_neda3,
        neda3.reason as neda3_reason
    from epochs
    left join neda3
        on epochs.cohort = neda3.cohort
        and epochs.patient_id = neda3.patient_id
        and epochs.epoch = neda3.epoch
        and epochs.end_rule = neda3.end_rule
)

select * from final
