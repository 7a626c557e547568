{# What happened in every window: relapses counted, scans with their new lesions, EDSS at both ends. Scans and EDSS
   look back: a scan counts when start + 15 d < scan <= end + 15 d, the scan nearest the start being the reference
   that is not counted; EDSS are the last on or before start and end. Brain scans (or scans of no stated region)
   with a lesion count only; NCT03368664 registers brain MRI. #}

with

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
),

relapses as (
    select * from {{ ref('int_outcomes__relapses_resolved') }}
),

scans as (
    select * from {{ ref('stg_cohort__mri_scans') }}
),

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

observed as (
    select * from windows
    where exposure_days > 0
),

relapse_counts as (
    select
        observed.cohort,
        observed.patient_id,
        observed.epoch,
        observed.end_rule,
        cast(count(*) as bigint) as relapses
    from observed
    inner join relapses
        on observed.cohort = relapses.cohort
        and observed.patient_id = relapses.patient_id
        and relapses.onset_date >= observed.start_date
        and relapses.onset_date < observed.end_date
    where relapses.is_counted
    group by observed.cohort, observed.patient_id, observed.epoch, observed.end_rule
),

scan_days as (
    select
        cohort,
        patient_id,
        scan_date,
        max(new_or_enlarging_t2) as new_t2,
        max(gd_lesions) as gd_lesions
    from scans
    where scan_date is not null
        and coalesce(region, 'brain') = 'brain'
        and (new_or_enlarging_t2 is not null or gd_lesions is not null)
    group by cohort, patient_id, scan_date
),

scan_places as (
    select
        observed.cohort,
        observed.patient_id,
        observed.epoch,
        observed.end_rule,
        scan_days.scan_date,
        scan_days.new_t2,
        scan_days.gd_lesions,
        scan_days.scan_date > {{ add_days('observed.start_date', var('scan_tolerance_days')) }}
        and scan_days.scan_date <= {{ add_days('observed.end_date', var('scan_tolerance_days')) }} as is_within,
        row_number() over (
            partition by observed.cohort, observed.patient_id, observed.epoch, observed.end_rule
            order by abs({{ days_between('observed.start_date', 'scan_days.scan_date') }}), scan_days.scan_date
        ) as nearness
    from observed
    inner join scan_days
        on observed.cohort = scan_days.cohort and observed.patient_id = scan_days.patient_id
),

scan_counts as (
    select
        cohort,
        patient_id,
        epoch,
        end_rule,
        cast(sum(case when is_within and nearness > 1 and new_t2 is not null then 1 else 0 end) as bigint) as scans,
        cast(sum(case when is_within and nearness > 1 then new_t2 end) as bigint) as new_t2_total,
        cast(sum(case when is_within and nearness > 1 then gd_lesions end) as bigint) as gd_total,
        max(case when nearness = 1 then scan_date end) as reference_scan_date
    from scan_places
    group by cohort, patient_id, epoch, end_rule
),

spans as (
    select
        cohort,
        patient_id,
        visit_date,
        edss,
        lead(visit_date) over (partition by cohort, patient_id order by visit_date) as next_visit_date
    from edss
),

edss_starts as (
    select
        observed.cohort, observed.patient_id, observed.epoch, observed.end_rule,
        spans.edss, spans.visit_date
    from observed
    inner join spans
        on observed.cohort = spans.cohort
        and observed.patient_id = spans.patient_id
        and observed.start_date >= spans.visit_date
        and (spans.next_visit_date is null or observed.start_date < spans.next_visit_date)
),

edss_ends as (
    select
        observed.cohort, observed.patient_id, observed.epoch, observed.end_rule,
        spans.edss, spans.visit_date
    from observed
    inner join spans
        on observed.cohort = spans.cohort
        and observed.patient_id = spans.patient_id
        and observed.end_date >= spans.visit_date
        and (spans.next_visit_date is null or observed.end_date < spans.next_visit_date)
),

final as (
    select
        windows.cohort,
        windows.patient_id,
        windows.epoch,
        windows.end_rule,
        windows.planned_start_date,
        windows.planned_end_date,
        windows.start_date,
        windows.end_date,
        windows.planned_days,
        windows.exposure_days,
        windows.is_complete,
        windows.is_history_assumed,
        coalesce(relapse_counts.relapses, 0) as relapses,
        case
            when windows.exposure_days >= {{ var('minimum_exposure_days') }}
                then coalesce(relapse_counts.relapses, 0) / (windows.exposure_days / 365.25)
        end as arr_per_year,
        case
            when windows.exposure_days = 0 then 'no_exposure'
            when windows.exposure_days < {{ var('minimum_exposure_days') }} then 'short_exposure'
        end as arr_null_reason,
        coalesce(scan_counts.scans, 0) as scans,
        scan_counts.new_t2_total,
        scan_counts.gd_total,
        case when scan_counts.scans > 0 then scan_counts.new_t2_total / cast(scan_counts.scans as double) end
            as new_t2_per_scan,
        scan_counts.reference_scan_date,
        edss_starts.edss as edss_start,
        edss_starts.visit_date as edss_start_date,
        edss_ends.edss as edss_end,
        edss_ends.visit_date as edss_end_date,
        case when edss_ends.visit_date > windows.start_date then edss_ends.edss - edss_starts.edss end as edss_change
    from windows
    left join relapse_counts
        on windows.cohort = relapse_counts.cohort
        and windows.patient_id = relapse_counts.patient_id
        and windows.epoch = relapse_counts.epoch
        and windows.end_rule = relapse_counts.end_rule
    left join scan_counts
        on windows.cohort = scan_counts.cohort
        and windows.patient_id = scan_counts.patient_id
        and windows.epoch = scan_counts.epoch
        and windows.end_rule = scan_counts.end_rule
    left join edss_starts
        on windows.cohort = edss_starts.cohort
        and windows.patient_id = edss_starts.patient_id
        and windows.epoch = edss_starts.epoch
        and windows.end_rule = edss_starts.end_rule
    left join edss_ends
        on windows.cohort = edss_ends.cohort
        and windows.patient_id = edss_ends.patient_id
        and windows.epoch = edss_ends.epoch
        and windows.end_rule = edss_ends.end_rule
)

select * from final
