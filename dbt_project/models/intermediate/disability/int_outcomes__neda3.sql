{# NEDA-3 of every epoch by Kleene's AND: any relapse, confirmed worsening, or new or enlarging T2 or Gd-enhancing
   lesion makes it false; true needs a complete epoch, a scan within 3 months of its end, and EDSS that could have
   confirmed a worsening; else null. `reason` says what made it false, or what is missing. #}

with

epochs as (
    select * from {{ ref('int_outcomes__patient_epochs') }}
),

worsening as (
    select * from {{ ref('stg_derived__neda_worsening') }}
),

scans as (
    select * from {{ ref('stg_cohort__mri_scans') }}
),

scan_days as (
    select distinct cohort, patient_id, scan_date
    from scans
    where scan_date is not null
        and coalesce(region, 'brain') = 'brain'
        and new_or_enlarging_t2 is not null
),

scans_near_end as (
    select distinct epochs.cohort, epochs.patient_id, epochs.epoch, epochs.end_rule
    from epochs
    inner join scan_days
        on epochs.cohort = scan_days.cohort
        and epochs.patient_id = scan_days.patient_id
        and scan_days.scan_date >= {{ add_months('epochs.end_date', '-' ~ var('neda_scan_months')) }}
        and scan_days.scan_date <= {{ add_months('epochs.end_date', var('neda_scan_months')) }}
),

judged as (
    select
        epochs.cohort,
        epochs.patient_id,
        epochs.epoch,
        epochs.end_rule,
        epochs.exposure_days,
        epochs.is_complete,
        epochs.exposure_days > 0 and epochs.relapses > 0 as has_relapse,
        epochs.exposure_days > 0 and worsening.worsening_date is not null as has_worsening,
        epochs.exposure_days > 0
        and (coalesce(epochs.new_t2_total, 0) > 0 or coalesce(epochs.gd_total, 0) > 0) as has_mri_activity,
        coalesce(epochs.scans, 0) > 0 and epochs.new_t2_total is not null
        and scans_near_end.cohort is not null as has_scan_near_end,
        worsening.reference_date is not null as has_reference,
        coalesce(worsening.is_able_to_confirm, false) as is_able_to_confirm
    from epochs
    left join worsening
        on epochs.cohort = worsening.cohort
        and epochs.patient_id = worsening.patient_id
        and epochs.epoch = worsening.epoch
        and epochs.end_rule = worsening.end_rule
    left join scans_near_end
        on epochs.cohort = scans_near_end.cohort
        and epochs.patient_id = scans_near_end.patient_id
        and epochs.epoch = scans_near_end.epoch
        and epochs.end_rule = scans_near_end.end_rule
),

final as (
    select
        cohort,
        patient_id,
        epoch,
        end_rule,
        case
            when has_relapse or has_worsening or has_mri_activity then false
            when exposure_days > 0 and is_complete and has_scan_near_end and has_reference and is_able_to_confirm
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
            when exposure_days = 0 then 'no_exposure'
            else nullif(
                concat_ws(
                    ', ',
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
