{# NEDA-3 of every observed window by Kleene's AND: any relapse, confirmed worsening, or new or enlarging T2 or
   Gd-enhancing lesion makes it false; true needs relapses delivered, a complete epoch, a scan within 3 months of its end, and EDSS that
   could have confirmed a worsening; else null. `reason` says what made it false, or what is missing. #}
{{ config(materialized='view') }}

with

measures as (
    select * from {{ ref('int_outcomes__window_measures') }}
),

worsening as (
    select * from {{ ref('stg_derived__neda_worsening') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

scans as (
    select * from {{ ref('stg_cohort__mri_scans') }}
),

scan_days as (
    select
        patient_dates.patient_key,
        scans.scan_date,
        max(scans.new_or_enlarging_t2) > 0 or coalesce(max(scans.gd_lesions), 0) > 0 as has_lesion
    from scans
    inner join patient_dates
        on scans.cohort = patient_dates.cohort and scans.patient_id = patient_dates.patient_id
    where scans.scan_date is not null
        and coalesce(scans.region, 'brain') = 'brain'
        and scans.new_or_enlarging_t2 is not null
    group by patient_dates.patient_key, scans.scan_date
),

-- what a scan after the epoch's own scans shows may have come in the epoch: it speaks for the end only where it is quiet
scans_near_end as (
    select distinct measures.measure_key
    from measures
    inner join scan_days
        on measures.patient_key = scan_days.patient_key
        and scan_days.scan_date >= {{ add_months('measures.end_date', '-' ~ var('neda_scan_months')) }}
        and scan_days.scan_date <= {{ add_months('measures.end_date', var('neda_scan_months')) }}
        and (
            scan_days.scan_date <= {{ add_days('measures.end_date', var('scan_tolerance_days')) }}
            or not scan_days.has_lesion
        )
),

judged as (
    select
        measures.measure_key,
        measures.is_complete,
        coalesce(measures.relapses > 0, false) as has_relapse,
        measures.relapses is not null as is_relapse_known,
        -- a rejected row may be the relapse or the lesion that is not found
        coalesce(
            patient_dates.set_aside like '%,relapses,%' or patient_dates.set_aside like '%,mri_scans,%', false
        ) as has_rows_set_aside,
        worsening.worsening_date is not null as has_worsening,
        coalesce(measures.new_t2_total, 0) > 0 or coalesce(measures.gd_total, 0) > 0 as has_mri_activity,
        measures.scans > 0 and measures.new_t2_total is not null and scans_near_end.measure_key is not null
            as has_scan_near_end,
        worsening.reference_date is not null as has_reference,
        coalesce(worsening.is_able_to_confirm, false) as is_able_to_confirm
    from measures
    left join patient_dates on measures.patient_key = patient_dates.patient_key
    left join worsening on measures.measure_key = worsening.measure_key
    left join scans_near_end on measures.measure_key = scans_near_end.measure_key
),

final as (
    select
        measure_key,
        case
            when has_relapse or has_worsening or has_mri_activity then false
            when is_relapse_known and not has_rows_set_aside and is_complete and has_scan_near_end
                and has_reference and is_able_to_confirm
                then true
        end as is_neda3,
        case
            when has_relapse or has_worsening or has_mri_activity
                then concat_ws(
                    ', ',
                    case when has_relapse then 'relapse' end,
                    case when has_worsening then 'confirmed_worsening' end,
                    case when has_mri_activity then 'mri_activity' end
                )
            else nullif(
                concat_ws(
                    ', ',
                    case when not is_relapse_known then 'relapses_not_delivered' end,
                    case when has_rows_set_aside then 'rows_set_aside' end,
                    case when not is_complete then 'epoch_not_complete' end,
                    case when not has_scan_near_end then 'no_scan_near_end' end,
                    case when not has_reference then 'no_reference_edss' end,
                    case when has_reference and not is_able_to_confirm then 'edss_cannot_confirm' end
                ),
                ''
            )
        end as reason
    from judged
)

select * from final
