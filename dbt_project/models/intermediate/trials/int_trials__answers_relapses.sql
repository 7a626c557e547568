{# Numbers of relapses in windows before screening. A count already reached is true whatever is missing; too few
   is false only where relapses were delivered and the window was wholly observed, or the missing ones cannot
   matter. Partial dates count as possible, not as certain, where they straddle the window's edge. #}

with

conditions as (
    select * from {{ ref('int_trials__conditions') }}
    where family = 'relapses'
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

relapses as (
    select * from {{ ref('int_trials__records') }}
    where table_name = 'relapses'
),

windows as (
    select
        conditions.condition_number,
        conditions.kind,
        -- "documented relapses" without a number asks for one
        case when conditions.max_value is null then coalesce(conditions.min_value, 1) else conditions.min_value end
            as min_value,
        conditions.min_inclusive,
        conditions.max_value,
        conditions.max_inclusive,
        patients.patient_number,
        patients.screened_on,
        patients.complete_from,
        patients.is_complete_since_onset,
        patients.has_relapses_table,
        patients.has_relapses_set_aside,
        case
            when conditions.is_ever or conditions.window_months is null then null
            else {{ days_before('patients.screened_on', 'conditions.window_months', 'conditions.window_days') }}
        end as window_start,
        {{ days_before('patients.screened_on', 'coalesce(conditions.near_months, 0)', 'coalesce(conditions.near_days, 0)') }} as window_end
    from conditions
    cross join patients
),

counted as (
    select
        windows.condition_number,
        windows.patient_number,
        sum(case when relapses.from_latest <= windows.window_end
            and (windows.window_start is null or relapses.from_earliest >= windows.window_start) then 1 else 0 end) as certain,
        count(relapses.record_number) as possible,
        max(relapses.record_number) as record_number
    from windows
    inner join relapses
        on windows.patient_number = relapses.patient_number
        and relapses.from_earliest <= windows.window_end
        and (windows.window_start is null or relapses.from_latest >= windows.window_start)
    group by windows.condition_number, windows.patient_number
),

observed as (
    select
        windows.*,
        cast(coalesce(counted.certain, 0) as double) as number_low,
        cast(coalesce(counted.possible, 0) as double) as number_high,
        counted.record_number,
        windows.has_relapses_table
        and not coalesce(windows.has_relapses_set_aside, false)
        and case
            when windows.window_start is null then windows.is_complete_since_onset
            else coalesce(windows.complete_from <= windows.window_start, false)
        end as is_observed
    from windows
    left join counted
        on windows.condition_number = counted.condition_number
        and windows.patient_number = counted.patient_number
),

answered as (
    select
        *,
        case
            when is_observed then {{ within_bounds('number_low', 'number_high') }}
            -- more may have happened than was recorded
            when {{ above_minimum('number_low') }} and max_value is null then 2
            when {{ below_maximum('number_low') }} then 1
            else 0
        end as truth
    from observed
),

final as (
    select
        patient_number,
        condition_number,
        cast(truth as integer) as truth,
        case when truth <> 1 then null when is_observed then {{ unknown_code('imprecise') }} else {{ unknown_code('missing') }} end as unknown_kind_code,
        number_low,
        number_high,
        case when record_number is not null then {{ evidence_code('relapses') }} end as evidence_table_code,
        record_number as evidence_number
    from answered
)

select * from final
