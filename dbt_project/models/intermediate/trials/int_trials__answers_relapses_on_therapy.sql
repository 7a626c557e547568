{# Relapses in a window with onset while on one of the drugs, where the text says so after a minimum time on it. #}

with

conditions as (
    select * from {{ ref('int_trials__conditions') }}
    where family = 'relapses_on_therapy'
),

condition_drugs as (
    select * from {{ ref('int_trials__condition_drugs') }}
),

condition_matches as (
    select distinct condition_number, drug_inn from condition_drugs
    union all
    select distinct condition_number, '?' from condition_drugs
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

records as (
    select * from {{ ref('int_trials__records') }}
),

relapses as (
    select * from records
    where table_name = 'relapses'
),

exposures as (
    select * from {{ ref('int_trials__exposures') }}
    where table_name in ('treatments', 'infusions')
),

windowed as (
    select
        conditions.condition_number,
        relapses.patient_number,
        relapses.record_number,
        relapses.from_earliest,
        relapses.from_latest,
        relapses.screened_on,
        coalesce(conditions.on_therapy_months, 0) as on_therapy_months,
        coalesce(conditions.on_therapy_days, 0) as on_therapy_days,
        case
            when conditions.is_ever or conditions.window_months is null then null
            else {{ days_before('relapses.screened_on', 'conditions.window_months', 'conditions.window_days') }}
        end as window_start,
        {{ days_before('relapses.screened_on', 'coalesce(conditions.near_months, 0)', 'coalesce(conditions.near_days, 0)') }} as window_end
    from relapses
    cross join conditions
),

judged as (
    select
        windowed.condition_number,
        windowed.patient_number,
        windowed.record_number,
        max(
            case
                when
                    exposures.is_doubtful = false
                    and windowed.from_latest <= windowed.window_end
                    and (windowed.window_start is null or windowed.from_earliest >= windowed.window_start)
                    and {{ add_days(add_months('exposures.from_latest', 'windowed.on_therapy_months'), 'windowed.on_therapy_days') }}
                    <= windowed.from_earliest
                    and windowed.from_latest <= exposures.to_earliest
                    then 1
                else 0
            end
        ) as is_sure
    from windowed
    inner join condition_matches on windowed.condition_number = condition_matches.condition_number
    inner join exposures
        on windowed.patient_number = exposures.patient_number
        and condition_matches.drug_inn = exposures.drug_inn
    where windowed.from_earliest <= windowed.window_end
        and (windowed.window_start is null or windowed.from_latest >= windowed.window_start)
        and {{ add_days(add_months('exposures.from_earliest', 'windowed.on_therapy_months'), 'windowed.on_therapy_days') }}
        <= windowed.from_latest
        and windowed.from_earliest <= exposures.to_latest
    group by windowed.condition_number, windowed.patient_number, windowed.record_number
),

counted as (
    select
        condition_number,
        patient_number,
        sum(is_sure) as certain,
        count(*) as possible,
        max(record_number) as record_number
    from judged
    group by condition_number, patient_number
),

asked as (
    select
        conditions.condition_number,
        case when conditions.max_value is null then coalesce(conditions.min_value, 1) else conditions.min_value end as min_value,
        conditions.min_inclusive,
        conditions.max_value,
        conditions.max_inclusive,
        patients.patient_number,
        cast(coalesce(counted.certain, 0) as double) as number_low,
        cast(coalesce(counted.possible, 0) as double) as number_high,
        counted.record_number,
        patients.has_relapses_table
        and patients.has_treatments_table
        and not coalesce(patients.has_relapses_set_aside or patients.has_treatments_set_aside, false)
        and case
            when conditions.is_ever or conditions.window_months is null then patients.is_complete_since_onset
            else coalesce(patients.complete_from
                <= {{ days_before('patients.screened_on', 'conditions.window_months', 'conditions.window_days') }}, false)
        end as is_observed
    from conditions
    cross join patients
    left join counted
        on conditions.condition_number = counted.condition_number
        and patients.patient_number = counted.patient_number
),

answered as (
    select
        *,
        case
            when is_observed then {{ within_bounds('number_low', 'number_high') }}
            when {{ above_minimum('number_low') }} and max_value is null then 2
            when {{ below_maximum('number_low') }} then 1
            else 0
        end as truth
    from asked
),

final as (
    select
        patient_number,
        condition_number,
        cast(truth as integer) as truth,
        case when truth <> 1 then null when number_high > number_low then {{ unknown_code('imprecise') }} else {{ unknown_code('missing') }} end as unknown_kind_code,
        number_low,
        number_high,
        case when record_number is not null then {{ evidence_code('relapses') }} end as evidence_table_code,
        record_number as evidence_number
    from answered
)

select * from final
