{# What happened in every distinct observed window: relapses counted, scans with their new lesions, EDSS at both
   ends. Scans and EDSS look back: a scan counts when start + 15 d < scan <= end + 15 d, the scan nearest the start
   (the earlier of two) being the reference that is not counted; EDSS are the last on or before start and end.
   Brain scans, or scans of no stated region, with a lesion count only; NCT03368664 registers brain MRI. #}

with

windows as (
    select distinct measure_key, patient_key, start_date, end_date, is_complete
    from {{ ref('int_outcomes__epoch_windows') }}
    where exposure_days > 0
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

relapses as (
    select patient_key, onset_date from {{ ref('int_outcomes__relapses_resolved') }}
    where is_counted
),

scans as (
    select * from {{ ref('stg_cohort__mri_scans') }}
),

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

relapse_counts as (
    select windows.measure_key, cast(count(*) as bigint) as relapses
    from windows
    inner join relapses
        on windows.patient_key = relapses.patient_key
        and relapses.onset_date >= windows.start_date
        and relapses.onset_date < windows.end_date
    group by windows.measure_key
),

scan_days as (
    select
        patient_dates.patient_key,
        scans.scan_date,
        max(scans.new_or_enlarging_t2) as new_t2,
        max(scans.gd_lesions) as gd_lesions
    from scans
    inner join patient_dates
        on scans.cohort = patient_dates.cohort and scans.patient_id = patient_dates.patient_id
    where scans.scan_date is not null
        and coalesce(scans.region, 'brain') = 'brain'
        and (scans.new_or_enlarging_t2 is not null or scans.gd_lesions is not null)
    group by patient_dates.patient_key, scans.scan_date
),

scan_places as (
    select
        windows.measure_key,
        scan_days.scan_date,
        scan_days.new_t2,
        scan_days.gd_lesions,
        scan_days.scan_date > {{ add_days('windows.start_date', var('scan_tolerance_days')) }}
        and scan_days.scan_date <= {{ add_days('windows.end_date', var('scan_tolerance_days')) }} as is_within,
        -- the distance from the start; of two at one distance the earlier is nearer
        abs({{ days_between('windows.start_date', 'scan_days.scan_date') }}) * 2
        + case when scan_days.scan_date > windows.start_date then 1 else 0 end as distance
    from windows
    inner join scan_days on windows.patient_key = scan_days.patient_key
),

scan_sums as (
    select
        measure_key,
        min_by(scan_date, distance) as reference_scan_date,
        min_by(case when is_within then 1 else 0 end, distance) as is_reference_within,
        min_by(coalesce(new_t2, -1), distance) as reference_t2,
        min_by(coalesce(gd_lesions, -1), distance) as reference_gd,
        sum(case when is_within and new_t2 is not null then 1 else 0 end) as t2_scans,
        sum(case when is_within then new_t2 else 0 end) as t2_sum,
        sum(case when is_within and gd_lesions is not null then 1 else 0 end) as gd_scans,
        sum(case when is_within then gd_lesions else 0 end) as gd_sum
    from scan_places
    group by measure_key
),

scan_counts as (
    select
        measure_key,
        reference_scan_date,
        cast(t2_scans - case when is_reference_within = 1 and reference_t2 >= 0 then 1 else 0 end as bigint) as scans,
        cast(coalesce(t2_sum, 0) - case when is_reference_within = 1 and reference_t2 >= 0 then reference_t2 else 0 end as bigint)
            as new_t2_sum,
        cast(gd_scans - case when is_reference_within = 1 and reference_gd >= 0 then 1 else 0 end as bigint) as gd_scans,
        cast(coalesce(gd_sum, 0) - case when is_reference_within = 1 and reference_gd >= 0 then reference_gd else 0 end as bigint)
            as gd_sum
    from scan_sums
),

spans as (
    select
        patient_key,
        visit_date,
        edss,
        coalesce(
            lead(visit_date) over (partition by patient_key order by visit_date), cast('9999-12-31' as date)
        ) as next_visit_date
    from edss
),

edss_starts as (
    select windows.measure_key, spans.edss, spans.visit_date
    from windows
    inner join spans
        on windows.patient_key = spans.patient_key
        and windows.start_date >= spans.visit_date
        and windows.start_date < spans.next_visit_date
),

edss_ends as (
    select windows.measure_key, spans.edss, spans.visit_date
    from windows
    inner join spans
        on windows.patient_key = spans.patient_key
        and windows.end_date >= spans.visit_date
        and windows.end_date < spans.next_visit_date
),

final as (
    select
        windows.measure_key,
        windows.patient_key,
        windows.start_date,
        windows.end_date,
        windows.is_complete,
        coalesce(relapse_counts.relapses, 0) as relapses,
        coalesce(scan_counts.scans, 0) as scans,
        case when scan_counts.scans > 0 then scan_counts.new_t2_sum end as new_t2_total,
        case when scan_counts.gd_scans > 0 then scan_counts.gd_sum end as gd_total,
        scan_counts.reference_scan_date,
        edss_starts.edss as edss_start,
        edss_starts.visit_date as edss_start_date,
        edss_ends.edss as edss_end,
        edss_ends.visit_date as edss_end_date
    from windows
    left join relapse_counts on windows.measure_key = relapse_counts.measure_key
    left join scan_counts on windows.measure_key = scan_counts.measure_key
    left join edss_starts on windows.measure_key = edss_starts.measure_key
    left join edss_ends on windows.measure_key = edss_ends.measure_key
)

select * from final
