{# Age, sex, EDSS, course and duration against each condition about them. Truth: 0 false, 1 unknown, 2 true. #}

with

asked as (
    select *, ';' || terms || ';' as listed
    from {{ ref('int_trials__conditions') }}
    where family = 'person'
),

-- which courses, and which date, a condition names: read once and not per patient
conditions as (
    select
        *,
        listed like '%;rrms;%' or listed like '%;rms;%' as names_rrms,
        listed like '%;spms;%' as names_spms,
        listed like '%;rms;%' as names_relapsing,
        listed like '%;ppms;%' as names_ppms,
        listed like '%;prms;%' or listed like '%;rms;%' as names_prms,
        listed like '%;cis;%' or listed like '%;rms;%' as names_cis,
        listed like '%;female;%' as names_female,
        listed like '%;male;%' as names_male,
        terms like '%progression%' as is_about_progression,
        terms like '%diagnosis%' as is_about_diagnosis,
        {{ span_months('min_value', 'unit') }} as minimum_months,
        {{ span_days('min_value', 'unit') }} as minimum_days,
        {{ span_months('max_value', 'unit') }} as maximum_months,
        {{ span_days('max_value', 'unit') }} as maximum_days
    from asked
),

patients as (
    {{ spread(ref('int_trials__patients')) }}
),

edss as (
    select * from {{ ref('int_trials__edss') }}
),

edss_records as (
    select * from {{ ref('int_trials__records') }}
    where table_name = 'edss'
),

-- superimposed relapses make a secondary progressive course a relapsing form (Lublin 2014: active within the window)
recent_relapses as (
    select
        patient_number,
        sum(case when from_latest <= screened_on
            and from_earliest >= {{ add_months('screened_on', '-' ~ var('active_course_months')) }} then 1 else 0 end) as relapses
    from {{ ref('int_trials__records') }}
    where table_name = 'relapses'
    group by patient_number
),

-- the lowest earlier EDSS in the window of a condition about a rise
earlier as (
    select
        conditions.condition_number,
        edss.patient_number,
        min(edss_records.number_low) as earlier_edss
    from conditions
    cross join edss
    inner join edss_records
        on edss.patient_number = edss_records.patient_number
        and edss_records.record_number <> edss.record_number
        and edss_records.from_latest <= edss_records.screened_on
        and (
            conditions.window_months is null
            or edss_records.from_earliest
            >= {{ days_before('edss_records.screened_on', 'conditions.window_months', 'conditions.window_days') }}
        )
    where conditions.kind = 'edss_change'
    group by conditions.condition_number, edss.patient_number
),

facts as (
    select
        conditions.condition_number,
        conditions.kind,
        conditions.min_value,
        conditions.min_inclusive,
        conditions.max_value,
        conditions.max_inclusive,
        coalesce(conditions.unit, 'years') as unit,
        conditions.names_rrms,
        conditions.names_spms,
        conditions.names_relapsing,
        conditions.names_ppms,
        conditions.names_prms,
        conditions.names_cis,
        conditions.names_female,
        conditions.names_male,
        conditions.minimum_months,
        conditions.minimum_days,
        conditions.maximum_months,
        conditions.maximum_days,
        patients.*,
        case when edss.is_certain and edss.is_recent then edss.edss_low end as edss_low,
        case when edss.is_certain and edss.is_recent then edss.edss_high end as edss_high,
        edss.record_number as edss_record_number,
        earlier.earlier_edss,
        coalesce(recent_relapses.relapses, 0) > 0 as has_recent_relapse,
        patients.has_relapses_table
        and not coalesce(patients.has_relapses_set_aside, false)
        and coalesce(
            patients.complete_from <= {{ add_months('patients.screened_on', '-' ~ var('active_course_months')) }}, false
        ) as is_relapse_history_complete,
        case
            when conditions.is_about_progression then patients.progression_onset_date_earliest
            when conditions.is_about_diagnosis then patients.diagnosis_date_earliest
            else patients.onset_date_earliest
        end as since_earliest,
        case
            when conditions.is_about_progression then patients.progression_onset_date_latest
            when conditions.is_about_diagnosis then patients.diagnosis_date_latest
            else patients.onset_date_latest
        end as since_latest
    from conditions
    cross join patients
    left join edss on patients.patient_number = edss.patient_number
    left join earlier
        on patients.patient_number = earlier.patient_number
        and conditions.condition_number = earlier.condition_number
    left join recent_relapses on patients.patient_number = recent_relapses.patient_number
),

measured as (
    select
        *,
        case
            when kind = 'age_range' and unit like 'year%' then cast(age_low_years as double)
            when kind = 'age_range' then age_low_days / {{ days_of_unit('unit') }}
            when kind = 'edss_range' then edss_low
            when kind = 'edss_change' then edss_low - earlier_edss
        end as number_low,
        case
            when kind = 'age_range' and unit like 'year%' then cast(age_high_years as double)
            when kind = 'age_range' then age_high_days / {{ days_of_unit('unit') }}
            when kind = 'edss_range' then edss_high
            when kind = 'edss_change' then edss_high - earlier_edss
        end as number_high,
        -- the bounds of a duration as days on which it must have begun
        case when kind = 'disease_duration' then {{ days_before('screened_on', 'minimum_months', 'minimum_days') }} end as begun_by,
        case when kind = 'disease_duration' then {{ days_before('screened_on', 'maximum_months', 'maximum_days') }} end as begun_after
    from facts
),

courses as (
    select
        *,
        case when names_rrms then 2 else 0 end as rrms_truth,
        case
            when names_spms then 2
            when names_relapsing and has_recent_relapse then 2
            when names_relapsing and is_relapse_history_complete then 0
            when names_relapsing then 1
            else 0
        end as spms_truth
    from measured
),

answered as (
    select
        patient_number,
        condition_number,
        kind,
        number_low,
        number_high,
        edss_record_number,
        case
            when screened_on is null then 1
            -- "older than 18" begins on the eighteenth birthday, as protocols mean it
            when kind = 'age_range' and unit like 'year%' then
                case
                    when number_low is null then 1
                    when (min_value is null or number_low >= min_value) and {{ below_maximum('number_high') }} then 2
                    when (min_value is null or number_high >= min_value) and {{ below_maximum('number_low') }} then 1
                    else 0
                end
            when kind in ('age_range', 'edss_range', 'edss_change') then {{ within_bounds('number_low', 'number_high') }}
            when kind = 'sex' and (sex is null or sex = 'unknown') then 1
            when kind = 'sex' then case when (sex = 'female' and names_female) or (sex = 'male' and names_male) then 2 else 0 end
            when kind = 'disease_course' and is_nmo then 0
            when kind = 'disease_course' and is_course_unknown then 1
            when kind = 'disease_course' then
                case
                    when may_be_rrms and may_be_spms then
                        case when rrms_truth = spms_truth then rrms_truth else 1 end
                    when may_be_rrms then rrms_truth
                    when may_be_spms then spms_truth
                    when may_be_ppms then case when names_ppms then 2 else 0 end
                    when may_be_prms then case when names_prms then 2 else 0 end
                    when may_be_not_yet_ms then case when names_cis and course = 'CIS' then 2 else 0 end
                    else 1
                end
            when kind = 'disease_duration' and since_latest is null then 1
            when kind = 'disease_duration' then
                case
                    when
                        (min_value is null or since_latest < begun_by or (coalesce(min_inclusive, true) and since_latest = begun_by))
                        and (max_value is null or since_earliest > begun_after or (coalesce(max_inclusive, true) and since_earliest = begun_after))
                        then 2
                    when
                        (min_value is null or since_earliest < begun_by or (coalesce(min_inclusive, true) and since_earliest = begun_by))
                        and (max_value is null or since_latest > begun_after or (coalesce(max_inclusive, true) and since_latest = begun_after))
                        then 1
                    else 0
                end
            when kind = 'diagnosis_criteria' and is_nmo then 0
            else 1
        end as truth
    from courses
),

final as (
    select
        patient_number,
        condition_number,
        cast(truth as integer) as truth,
        case
            when truth <> 1 then null
            when kind = 'diagnosis_criteria' then {{ unknown_code('not_collected') }}
            when kind in ('age_range', 'edss_range', 'edss_change') and number_low is not null then {{ unknown_code('imprecise') }}
            else {{ unknown_code('missing') }}
        end as unknown_kind_code,
        number_low,
        number_high,
        case when kind in ('edss_range', 'edss_change') then {{ evidence_code('edss') }} else {{ evidence_code('patients') }} end as evidence_table_code,
        case when kind in ('edss_range', 'edss_change') then edss_record_number else 1 end as evidence_number
    from answered
)

select * from final
