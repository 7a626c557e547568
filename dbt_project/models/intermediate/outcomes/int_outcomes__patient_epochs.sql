{# Every window with what happened in it; a rate needs the minimum exposure, and says why where it has none. #}
{{ config(materialized='view') }}

with

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
),

measures as (
    select * from {{ ref('int_outcomes__window_measures') }}
),

final as (
    select
        windows.measure_key,
        windows.epoch_key,
        windows.patient_key,
        windows.planned_start_date,
        windows.planned_end_date,
        windows.start_date,
        windows.end_date,
        windows.planned_days,
        windows.exposure_days,
        windows.is_complete,
        windows.is_history_assumed,
        case when coalesce(windows.has_relapses_table, true) then coalesce(measures.relapses, 0) end as relapses,
        case
            when windows.exposure_days >= {{ var('minimum_exposure_days') }} and windows.exposure_days > 0
                then measures.relapses / (windows.exposure_days / 365.25e0)
        end as arr_per_year,
        {{ rate_null_reason('windows.exposure_days', 'windows.has_relapses_table') }} as arr_null_reason,
        coalesce(measures.scans, 0) as scans,
        measures.new_t2_total,
        measures.gd_total,
        measures.new_t2_total / cast(measures.scans as double) as new_t2_per_scan,
        measures.reference_scan_date,
        measures.edss_start,
        measures.edss_start_date,
        measures.edss_end,
        measures.edss_end_date,
        case when measures.edss_end_date > windows.start_date then measures.edss_end - measures.edss_start end
            as edss_change
    from windows
    left join measures on windows.measure_key = measures.measure_key
)

select * from final
