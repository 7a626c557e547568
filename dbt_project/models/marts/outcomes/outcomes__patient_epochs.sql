with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

epoch_names as (
    select * from {{ ref('int_outcomes__epoch_names') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

neda3 as (
    select * from {{ ref('int_outcomes__neda3') }}
),

final as (
    select
        patient_dates.cohort,
        patient_dates.patient_id,
        epoch_names.epoch,
        epoch_names.end_rule,
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
        case when epochs.exposure_days = 0 then 'no_exposure' else neda3.reason end as neda3_reason
    from epochs
    inner join epoch_names on epochs.epoch_key = epoch_names.epoch_key
    inner join patient_dates on epochs.patient_key = patient_dates.patient_key
    left join neda3 on epochs.measure_key = neda3.measure_key
)

select * from final
