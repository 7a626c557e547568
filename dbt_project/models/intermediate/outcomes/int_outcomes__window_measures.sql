{# What happened in every distinct observed window: relapses counted, scans with their new lesions, EDSS at both
   ends. Scans and EDSS look back: a scan counts when start + 15 d < scan <= end + 15 d, the scan nearest the start
   (the earlier of two) being the reference that is not counted; EDSS are the last on or before start and end.
   Brain scans, or scans of no stated region, with a lesion count only; NCT03368664 registers brain MRI. #}

with

windows as (
    select measure_key, patient_key, start_date, end_date, is_complete, has_relapses_table
    from {{ ref('int_outcomes__epoch_windows') }}
    where is_measured
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

numbered_scans as (
    select *, row_number() over (order by patient_key, scan_date) as scan_number
    from scan_days
),

scan_places as (
    select
        windows.measure_key,
        scans.scan_number,
        scans.new_t2,
        scans.gd_lesions,
        scans.scan_date > {{ add_days('windows.start_date', var('scan_tolerance_days')) }}
        and scans.scan_date <= {{ add_days('windows.end_date', var('scan_tolerance_days')) }} as is_within,
        -- the distance from the start; of two at one distance the earlier is nearer
        abs({{ days_between('windows.start_date', 'scans.scan_date') }}) * 2
        + case when scans.scan_date > windows.start_date then 1 else 0 end as distance
    from windows
    inner join numbered_scans as scans on windows.patient_key = scans.patient_key
),

scan_sums as (
    select
        measure_key,
        -- the nearest scan's number in the last ten digits: one smallest number finds it
        min(distance * 10000000000 + scan_number) % 10000000000 as reference_scan_number,
        count(case when is_within then new_t2 end) as t2_scans,
        sum(case when is_within then new_t2 end) as t2_sum,
        count(case when is_within then gd_lesions end) as gd_scans,
        sum(case when is_within then gd_lesions end) as gd_sum
    from scan_places
    group by measure_key
),

-- the reference scan, where it lies within the window, is not counted
referenced as (
    select
        scan_sums.*,
        scans.scan_date as reference_scan_date,
        scans.scan_date > {{ add_days('windows.start_date', var('scan_tolerance_days')) }}
        and scans.scan_date <= {{ add_days('windows.end_date', var('scan_tolerance_days')) }} as is_reference_within,
        scans.new_t2 as reference_t2,
        scans.gd_lesions as reference_gd
    from scan_sums
    inner join windows on scan_sums.measure_key = windows.measure_key
    inner join numbered_scans as scans on scan_sums.reference_scan_number = scans.scan_number
),

scan_counts as (
    select
        measure_key,
        reference_scan_date,
        cast(t2_scans - case when is_reference_within and reference_t2 is not null then 1 else 0 end as bigint) as scans,
        cast(coalesce(t2_sum, 0) - case when is_reference_within then coalesce(reference_t2, 0) else 0 end as bigint)
            as new_t2_sum,
        cast(gd_scans - case when is_reference_within and reference_gd is not null then 1 else 0 end as bigint) as gd_scans,
        cast(coalesce(gd_sum, 0) - case when is_reference_within then coalesce(reference_gd, 0) else 0 end as bigint)
            as gd_sum
    from referenced
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

final as (
    select
        windows.measure_key,
        windows.patient_key,
        windows.start_date,
        windows.end_date,
        windows.is_complete,
        case when coalesce(windows.has_relapses_table, true) then coalesce(relapse_counts.relapses, 0) end as relapses,
        coalesce(scan_counts.scans, 0) as scans,
        case when scan_counts.scans > 0 then scan_counts.new_t2_sum end as new_t2_total,
        case when scan_counts.gd_scans > 0 then scan_counts.gd_sum end as gd_total,
        scan_counts.reference_scan_date,
        at_start.edss as edss_start,
        at_start.visit_date as edss_start_date,
        at_end.edss as edss_end,
        at_end.visit_date as edss_end_date
    from windows
    left join relapse_counts on windows.measure_key = relapse_counts.measure_key
    left join scan_counts on windows.measure_key = scan_counts.measure_key
    left join spans as at_start
        on windows.patient_key = at_start.patient_key
        and windows.start_date >= at_start.visit_date
        and windows.start_date < at_start.next_visit_date
    left join spans as at_end
        on windows.patient_key = at_end.patient_key
        and windows.end_date >= at_end.visit_date
        and windows.end_date < at_end.next_visit_date
)

select * from final
