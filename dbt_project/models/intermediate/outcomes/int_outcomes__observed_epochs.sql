{# Every window with exposure and what of it rates, pairs and summaries are made of. #}

with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

final as (
    select
        measure_key,
        epoch_key,
        patient_key,
        exposure_days,
        relapses,
        arr_per_year,
        scans,
        new_t2_total,
        gd_total,
        new_t2_per_scan,
        case when edss_end_date > start_date then edss_end end as edss_reached
    from epochs
    where exposure_days > 0
)

select * from final
