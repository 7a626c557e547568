{# Each different condition once, however many studies ask it, with its bounds, window and the wording for reasons.
   Truths are computed per condition and patient and joined back, so that a hundred trials with "EDSS 0 to 5.5"
   cost one evaluation. #}

with

constraints as (
    select * from {{ ref('int_trials__constraints') }}
),

different as (
    select distinct
        condition_number,
        kind,
        min_value,
        min_inclusive,
        max_value,
        max_inclusive,
        unit,
        measure,
        window_months,
        window_days,
        near_months,
        near_days,
        on_therapy_months,
        on_therapy_days,
        is_ever,
        is_up_to_screening,
        terms,
        term_logic,
        exception_terms,
        is_absence_kind
    from constraints
),

final as (
    select
        *,
        case
            when kind in ('relapse_count', 'no_relapse_within') then 'relapses'
            when kind = 'relapse_on_therapy' then 'relapses_on_therapy'
            when kind in ('prior_therapy_required', 'prior_therapy_forbidden', 'washout', 'concomitant_therapy_forbidden',
                'steroid_use_forbidden', 'other_investigational_drug') then 'therapies'
            when kind = 'gd_or_t2_activity' then 'mri'
            when kind in ('infection', 'malignancy', 'pregnancy_or_breastfeeding', 'contraception_required',
                'mri_contraindication') then 'history'
            when kind = 'lab_limit' then 'laboratory'
            when kind in ('age_range', 'sex', 'edss_range', 'edss_change', 'disease_course', 'disease_duration',
                'diagnosis_criteria') then 'person'
            else 'not_collected'
        end as family,
        concat_ws(
            ' ',
            -- the statement that is true or not; kinds of absence name the thing that must not be there
            case kind
                when 'age_range' then 'age'
                when 'edss_range' then 'EDSS'
                when 'edss_change' then 'rise of the EDSS'
                when 'relapse_count' then 'relapses'
                when 'no_relapse_within' then 'a relapse'
                when 'relapse_on_therapy' then 'relapses on'
                when 'prior_therapy_required' then 'treated with'
                when 'prior_therapy_forbidden' then 'treated before with'
                when 'washout' then 'treated with'
                when 'concomitant_therapy_forbidden' then 'on treatment with'
                when 'steroid_use_forbidden' then 'treated with'
                when 'other_investigational_drug' then 'another trial:'
                when 'disease_course' then 'course'
                when 'diagnosis_criteria' then 'diagnosed by'
                when 'gd_or_t2_activity' then 'lesions'
                when 'lab_limit' then 'laboratory:'
                when 'contraception_required' then 'contraception'
                when 'pregnancy_or_breastfeeding' then 'state:'
                when 'infection' then 'infection:'
                when 'malignancy' then 'history:'
                when 'mri_contraindication' then 'history:'
                else replace(kind, '_', ' ')
            end,
            case when terms <> '' then replace(terms, ';', case when term_logic = 'all' then ' and ' else ' or ' end) end,
            case when exception_terms <> '' then 'other than ' || replace(exception_terms, ';', ', ') end,
            case
                when min_value is not null and max_value is not null
                    then {{ plain_number('min_value') }} || case when coalesce(min_inclusive, true) then ' to ' else ' (exclusive) to ' end
                        || {{ plain_number('max_value') }} || case when coalesce(max_inclusive, true) then '' else ' (exclusive)' end
                when min_value is not null
                    then case when coalesce(min_inclusive, true) then '>= ' else '> ' end || {{ plain_number('min_value') }}
                when max_value is not null
                    then case when coalesce(max_inclusive, true) then '<= ' else '< ' end || {{ plain_number('max_value') }}
            end,
            case when unit in ('points', 'count') then null else unit end,
            case when measure = 'courses' or (measure is not null and kind <> 'prior_therapy_required') then '(' || measure || ')' end,
            case
                when is_ever then 'ever'
                when coalesce(window_months, 0) > 0 or coalesce(window_days, 0) > 0
                    then concat_ws(
                        ' ',
                        case when kind = 'prior_therapy_required' then 'for at least' else 'within' end,
                        case when window_months > 0 then cast(window_months as string) || ' months' end,
                        case when window_days > 0 then cast(window_days as string) || ' days' end
                    )
            end,
            case
                when is_up_to_screening then 'until screening'
                when coalesce(near_months, 0) > 0 then 'until ' || cast(near_months as string) || ' months before'
                when coalesce(near_days, 0) > 0 then 'until ' || cast(near_days as string) || ' days before'
            end,
            case
                when coalesce(on_therapy_months, 0) > 0 then 'after ' || cast(on_therapy_months as string) || ' months on it'
                when coalesce(on_therapy_days, 0) > 0 then 'after ' || cast(on_therapy_days as string) || ' days on it'
            end
        ) as condition_text
    from different
)

select * from final
