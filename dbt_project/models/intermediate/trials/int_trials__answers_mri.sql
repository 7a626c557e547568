{# Lesions on scans in a window before screening. Scans are looks and not a continuous watch: at least one scan in
   the window that says how many of the named lesions there were is what makes "none" an answer. #}

with

conditions as (
    select
        *,
        terms = '' or terms like '%gadolinium%' or terms like '%activity%' as wants_gd,
        terms = '' or terms like '%t2%' and terms not like '%volume%' or terms like '%activity%' as wants_t2,
        terms like '%volume%' as is_not_collected
    from {{ ref('int_trials__conditions') }}
    where family = 'mri'
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

scans as (
    select * from {{ ref('int_trials__records') }}
    where table_name = 'mri_scans'
),

windowed as (
    select
        conditions.*,
        scans.patient_number,
        scans.record_number,
        scans.from_earliest,
        scans.from_latest,
        scans.number_low as gd_lesions,
        scans.second_number as t2_lesions,
        {{ days_before('scans.screened_on', 'coalesce(conditions.near_months, 0)', 'coalesce(conditions.near_days, 0)') }} as window_end,
        case
            when conditions.is_ever or conditions.window_months is null then null
            else {{ days_before('scans.screened_on', 'conditions.window_months', 'conditions.window_days') }}
        end as window_start
    from scans
    cross join conditions
),

judged as (
    select
        *,
        from_latest <= window_end and (window_start is null or from_earliest >= window_start) as is_surely_in,
        -- one lesion may be both new on T2 and enhancing: of two kinds the larger number is certain, their sum possible
        greatest(coalesce(case when wants_gd then gd_lesions end, 0), coalesce(case when wants_t2 then t2_lesions end, 0))
            as lesions_low,
        coalesce(case when wants_gd then gd_lesions end, 0) + coalesce(case when wants_t2 then t2_lesions end, 0)
            as lesions_high,
        -- a scan that names neither kind of lesion says nothing; one of two kinds is a lower bound
        (wants_gd and gd_lesions is not null) or (wants_t2 and t2_lesions is not null) as has_any_reading,
        (wants_gd and gd_lesions is null) or (wants_t2 and t2_lesions is null) as lacks_a_reading
    from windowed
    where from_earliest <= window_end and (window_start is null or from_latest >= window_start)
),

counted as (
    select
        condition_number,
        patient_number,
        sum(case when is_surely_in then lesions_low else 0 end) as lesions_low,
        sum(lesions_high) as lesions_high,
        sum(case when is_surely_in and has_any_reading then 1 else 0 end) as readings,
        sum(case when lacks_a_reading then 1 else 0 end) as missing_readings,
        max_by(record_number, lesions_high * 10000 + record_number) as record_number
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
        conditions.is_not_collected,
        patients.patient_number,
        cast(coalesce(counted.lesions_low, 0) as double) as number_low,
        cast(coalesce(counted.lesions_high, 0) as double) as number_high,
        coalesce(counted.readings, 0) > 0
        and coalesce(counted.missing_readings, 0) = 0
        and not coalesce(patients.has_mri_set_aside, false) as is_observed,
        counted.record_number
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
            when is_not_collected then 1
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
        case
            when truth <> 1 then null
            when is_not_collected then {{ unknown_code('not_collected') }}
            when number_high > number_low then {{ unknown_code('imprecise') }}
            else {{ unknown_code('missing') }}
        end as unknown_kind_code,
        number_low,
        number_high,
        case when record_number is not null then {{ evidence_code('mri_scans') }} end as evidence_table_code,
        record_number as evidence_number
    from answered
)

select * from final
