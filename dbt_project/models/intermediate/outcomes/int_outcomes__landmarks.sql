{# The EDSS nearest to each landmark after index within its window (bounds included); a tie takes the later. #}

with

landmarks as (
    select *, row_number() over (order by landmark) as landmark_number from {{ ref('edss_landmarks') }}
),

measures as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where index_date is not null
),

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

targets as (
    select
        measures.patient_key,
        measures.cohort,
        measures.patient_id,
        measures.index_date,
        measures.baseline_edss,
        measures.last_day,
        landmarks.landmark,
        landmarks.landmark_number,
        landmarks.window_value,
        landmarks.window_unit,
        case landmarks.offset_unit
            when 'day' then {{ add_days('measures.index_date', 'landmarks.landmark_offset') }}
            when 'month' then {{ add_months('measures.index_date', 'landmarks.landmark_offset') }}
            when 'year' then {{ add_months('measures.index_date', 'landmarks.landmark_offset * 12') }}
        end as target_date
    from measures
    cross join landmarks
),

windows as (
    select
        *,
        case window_unit
            when 'month' then {{ add_months('target_date', '-window_value') }}
            else {{ add_days('target_date', '-window_value') }}
        end as window_start,
        case window_unit
            when 'month' then {{ add_months('target_date', 'window_value') }}
            else {{ add_days('target_date', 'window_value') }}
        end as window_end
    from targets
),

candidates as (
    select
        windows.patient_key,
        windows.landmark_number,
        edss.visit_date,
        edss.edss,
        row_number() over (
            partition by windows.patient_key, windows.landmark_number
            order by abs({{ days_between('windows.target_date', 'edss.visit_date') }}), edss.visit_date desc
        ) as nearness
    from windows
    inner join edss
        on windows.patient_key = edss.patient_key
        and edss.visit_date >= windows.window_start
        and edss.visit_date <= windows.window_end
        and edss.visit_date > windows.index_date
),

final as (
    select
        windows.patient_key,
        windows.cohort,
        windows.patient_id,
        windows.landmark,
        cast(windows.landmark_number as bigint) as landmark_number,
        windows.target_date,
        candidates.edss,
        candidates.visit_date as edss_date,
        candidates.edss - windows.baseline_edss as edss_change,
        {{ days_between('windows.target_date', 'candidates.visit_date') }} as days_off,
        case
            when candidates.edss is null and windows.last_day < windows.window_start then 'not_followed_so_long'
            when candidates.edss is null then 'no_edss_in_window'
            when windows.baseline_edss is null then 'no_baseline_edss'
        end as null_reason
    from windows
    left join candidates
        on windows.patient_key = candidates.patient_key
        and windows.landmark_number = candidates.landmark_number
        and candidates.nearness = 1
)

select * from final
