{# Earlier and current treatment against each condition: is one of the drugs there in the window, how many of
   them were tried (for long enough), how long were they taken.

   A record proves presence. Absence is proven only where treatments were delivered for the cohort, the history is
   declared complete for the window, and the drugs are of a kind that clinics record as treatments. #}

with

asked as (
    select
        *,
        case
            when measure = 'courses' then 'courses'
            when measure in ('exposure', 'course') or unit like 'day%' or unit like 'week%' or unit like 'month%' or unit like 'year%'
                then 'duration'
            when kind = 'prior_therapy_required' or measure = 'therapies' then 'number'
            when min_value is not null or max_value is not null then 'number'
            else 'presence'
        end as asks_for,
        kind = 'prior_therapy_required' as is_requirement,
        -- the span of a requirement is a minimum time on the drug, that of all others a window before screening
        case when kind = 'prior_therapy_required' then window_months end as minimum_months,
        case when kind = 'prior_therapy_required' then window_days end as minimum_days,
        (kind = 'concomitant_therapy_forbidden' and window_months is null) or is_up_to_screening as is_about_the_present
    from {{ ref('int_trials__conditions') }}
    where family = 'therapies'
),

-- what must be known completely before an absence is proven: few different scopes, of many conditions
scoped as (
    select
        *,
        coalesce(near_months, 0) + coalesce(near_days, 0) > 0 as has_near_edge,
        -- drugs are told apart where they are counted, terms where all of them are asked for
        asks_for = 'number' or coalesce(term_logic, 'any') = 'all' as is_counted,
        kind = 'steroid_use_forbidden' as is_about_relapse_steroids,
        case
            when is_about_the_present then 'present'
            when is_requirement or is_ever or window_months is null then 'life'
            else 'window'
        end as scope
    from asked
),

conditions as (
    select
        *,
        dense_rank() over (
            order by is_about_relapse_steroids, scope,
                case when scope = 'window' then window_months else 0 end, case when scope = 'window' then window_days else 0 end
        ) as scope_number
    from scoped
),

condition_drugs as (
    select * from {{ ref('int_trials__condition_drugs') }}
),

condition_terms as (
    select
        condition_number,
        count(distinct term) as terms,
        min(cast(is_term_recorded as integer)) = 1 as is_recorded
    from condition_drugs
    group by condition_number
),

-- an unknown drug of the clinic may be any drug
-- which term a drug stands for matters only where all terms are asked for
condition_matches as (
    select distinct
        condition_drugs.condition_number,
        case when conditions.term_logic = 'all' then condition_drugs.term else '' end as term,
        condition_drugs.drug_inn
    from condition_drugs
    inner join conditions on condition_drugs.condition_number = conditions.condition_number
    union
    select distinct
        condition_drugs.condition_number,
        case when conditions.term_logic = 'all' then condition_drugs.term else '' end,
        '?'
    from condition_drugs
    inner join conditions on condition_drugs.condition_number = conditions.condition_number
),

patients as (
    {{ spread(ref('int_trials__patients'), [
        'patient_number', 'screened_on', 'complete_from', 'is_complete_since_onset', 'has_treatments_table',
        'has_treatments_set_aside', 'has_relapses_table', 'has_relapses_set_aside']) }}
),

exposures as (
    select * from {{ ref('int_trials__exposures') }}
),

{%- for part in ['single', 'counted'] %}

-- {{ 'what asks for presence or time' if part == 'single' else 'what counts drugs, terms or courses' }}
matched_{{ part }} as (
    select
        exposures.patient_number,
        conditions.condition_number,
        {%- if part == 'counted' %}
        condition_matches.term,
        conditions.asks_for,
        -- different drugs are counted for numbers alone
        case when conditions.asks_for = 'number' then exposures.drug_inn else '' end as counted_drug,
        {%- endif %}
        exposures.table_name,
        exposures.record_number,
        exposures.from_earliest,
        exposures.from_latest,
        exposures.to_earliest,
        exposures.to_latest,
        exposures.is_doubtful,
        conditions.minimum_months,
        conditions.minimum_days,
        case
            when conditions.is_about_the_present then {{ add_days('exposures.screened_on', '-' ~ var('current_therapy_days')) }}
            when conditions.scope = 'window'
                then {{ days_before('exposures.screened_on', 'conditions.window_months', 'conditions.window_days') }}
        end as window_start,
        case
            when conditions.has_near_edge
                then {{ days_before('exposures.screened_on', 'coalesce(conditions.near_months, 0)', 'coalesce(conditions.near_days, 0)') }}
            else exposures.screened_on
        end as window_end
    from exposures
    inner join condition_matches on exposures.drug_inn = condition_matches.drug_inn
    inner join conditions on condition_matches.condition_number = conditions.condition_number
    where {{ 'not' if part == 'single' }} (conditions.is_counted or conditions.asks_for = 'courses')
),

judged_{{ part }} as (
    select
        *,
        not is_doubtful
        and from_latest <= window_end
        and (window_start is null or to_earliest >= window_start) as is_surely_in,
        case
            when minimum_months is null then true
            else {{ add_days(add_months('from_latest', 'minimum_months'), 'coalesce(minimum_days, 0)') }} <= to_earliest
        end as is_surely_long,
        case
            when minimum_months is null then true
            else {{ add_days(add_months('from_earliest', 'minimum_months'), 'coalesce(minimum_days, 0)') }} <= to_latest
        end as is_perhaps_long,
        greatest(0, {{ days_between('from_latest', 'to_earliest') }}) as days_low,
        greatest(0, {{ days_between('from_earliest', 'to_latest') }}) as days_high
    from matched_{{ part }}
    where from_earliest <= window_end and (window_start is null or to_latest >= window_start)
),
{%- endfor %}

-- a course begins where nothing was given in the days before; dates that leave this open count as possible alone
course_days as (
    select
        *,
        max(to_latest) over (
            partition by patient_number, condition_number
            order by from_earliest, table_name, record_number
            rows between unbounded preceding and 1 preceding
        ) as given_before
    from judged_counted
    where asks_for = 'courses'
),

courses as (
    select
        patient_number,
        condition_number,
        sum(
            case
                when is_surely_in = false then 0
                when given_before is null or from_earliest > {{ add_days('given_before', var('course_gap_days')) }} then 1
                else 0
            end
        ) as courses_low,
        -- a long stretch on the drug does not say how many courses it was
        case
            when max(case when days_high > {{ var('course_gap_days') }} and table_name <> 'infusions' then 1 else 0 end) = 1
                then cast('infinity' as double)
            else cast(sum(
                case when given_before is null or from_latest > {{ add_days('given_before', var('course_gap_days')) }} then 1 else 0 end
            ) as double)
        end as courses_high
    from course_days
    group by patient_number, condition_number
),

{#- one sortable number names the evidence: sure before possible, then the latest, then table and record #}
{%- set evidence_in_order -%}
case when is_surely_in then 100000000000000 else 0 end
            + {{ days_between("date '1900-01-01'", 'to_latest') }} * 1000000000
            + case table_name
                {%- for table_name in ['treatments', 'infusions', 'relapses'] %} when '{{ table_name }}' then {{ evidence_code(table_name) }}00000000{% endfor %} else 0 end
            + record_number
{%- endset %}

by_drug as (
    select
        patient_number,
        condition_number,
        term,
        counted_drug as drug_inn,
        max(case when is_surely_in and is_surely_long then 1 else 0 end) as is_sure,
        max(case when is_perhaps_long then 1 else 0 end) as is_possible,
        max(case when is_surely_in then days_low end) as longest_low,
        max(days_high) as longest_high,
        max({{ evidence_in_order }}) as evidence
    from judged_counted
    group by patient_number, condition_number, term, counted_drug
),

-- a drug that stands for two terms is one drug
distinct_drugs as (
    select patient_number, condition_number, drug_inn, is_sure, is_possible, longest_low, longest_high, evidence
    from by_drug
    where term = ''
    union all
    select
        patient_number,
        condition_number,
        drug_inn,
        max(is_sure) as is_sure,
        max(is_possible) as is_possible,
        max(longest_low) as longest_low,
        max(longest_high) as longest_high,
        max(evidence) as evidence
    from by_drug
    where term <> ''
    group by patient_number, condition_number, drug_inn
),

by_patient_drugs as (
    select
        patient_number,
        condition_number,
        cast(max(case when is_surely_in and is_surely_long then 1 else 0 end) as bigint) as drugs_low,
        cast(max(case when is_perhaps_long then 1 else 0 end) as bigint) as drugs_high,
        max(case when is_surely_in then days_low end) as longest_low,
        max(days_high) as longest_high,
        max({{ evidence_in_order }}) as evidence
    from judged_single
    group by patient_number, condition_number
    union all
    select
        patient_number,
        condition_number,
        cast(sum(is_sure) as bigint) as drugs_low,
        cast(sum(is_possible) as bigint) as drugs_high,
        max(longest_low) as longest_low,
        max(longest_high) as longest_high,
        max(evidence) as evidence
    from distinct_drugs
    group by patient_number, condition_number
),

-- "all of" conditions count terms instead of drugs
distinct_terms as (
    select
        by_drug.patient_number,
        by_drug.condition_number,
        by_drug.term,
        max(by_drug.is_sure) as is_sure,
        max(by_drug.is_possible) as is_possible
    from by_drug
    inner join conditions on by_drug.condition_number = conditions.condition_number
    where conditions.term_logic = 'all'
    group by by_drug.patient_number, by_drug.condition_number, by_drug.term
),

by_patient_terms as (
    select patient_number, condition_number, sum(is_sure) as terms_low, sum(is_possible) as terms_high
    from distinct_terms
    group by patient_number, condition_number
),

by_patient as (
    select
        by_patient_drugs.*,
        by_patient_terms.terms_low,
        by_patient_terms.terms_high,
        courses.courses_low,
        courses.courses_high,
        cast(floor(evidence / 100000000) as bigint) % 10 as evidence_table_code,
        evidence % 100000000 as record_number
    from by_patient_drugs
    left join by_patient_terms
        on by_patient_drugs.patient_number = by_patient_terms.patient_number
        and by_patient_drugs.condition_number = by_patient_terms.condition_number
    left join courses
        on by_patient_drugs.patient_number = courses.patient_number
        and by_patient_drugs.condition_number = courses.condition_number
),

scopes as (
    select distinct
        scope_number,
        scope,
        is_about_relapse_steroids,
        case when scope = 'window' then window_months end as window_months,
        case when scope = 'window' then window_days end as window_days
    from conditions
),

observed as (
    select
        scopes.scope_number,
        patients.patient_number,
        patients.has_treatments_table
        and not coalesce(patients.has_treatments_set_aside, false)
        and (
            not scopes.is_about_relapse_steroids
            or (patients.has_relapses_table and not coalesce(patients.has_relapses_set_aside, false))
        )
        and case scopes.scope
            when 'present' then coalesce(patients.complete_from <= patients.screened_on, false)
            when 'life' then patients.is_complete_since_onset
            else coalesce(patients.complete_from
                <= {{ days_before('patients.screened_on', 'scopes.window_months', 'scopes.window_days') }}, false)
        end as is_observed
    from scopes
    cross join patients
),

questions as (
    select
        observed.patient_number,
        conditions.condition_number,
        conditions.kind,
        conditions.asks_for,
        {{ days_of_unit('conditions.unit') }} as days_of_unit,
        case when conditions.asks_for = 'number' and conditions.max_value is null then coalesce(conditions.min_value, 1)
            else conditions.min_value end as min_value,
        conditions.min_inclusive,
        conditions.max_value,
        conditions.max_inclusive,
        conditions.term_logic = 'all' as is_all_terms,
        condition_terms.terms,
        coalesce(condition_terms.is_recorded, false) as is_recorded,
        by_patient.drugs_low,
        by_patient.drugs_high,
        by_patient.terms_low,
        by_patient.terms_high,
        by_patient.longest_low,
        by_patient.longest_high,
        by_patient.courses_low,
        by_patient.courses_high,
        by_patient.evidence_table_code,
        by_patient.record_number,
        observed.is_observed
    from observed
    inner join conditions on observed.scope_number = conditions.scope_number
    left join condition_terms on conditions.condition_number = condition_terms.condition_number
    left join by_patient
        on conditions.condition_number = by_patient.condition_number
        and observed.patient_number = by_patient.patient_number
),

numbered as (
    select
        *,
        case
            when asks_for = 'duration' then coalesce(longest_low, 0) / days_of_unit
            when asks_for = 'courses' then cast(coalesce(courses_low, 0) as double)
            when is_all_terms then case when coalesce(terms_low, 0) = terms then cast(terms as double) else 0e0 end
            else cast(coalesce(drugs_low, 0) as double)
        end as number_low,
        case
            when asks_for = 'duration' then coalesce(longest_high, 0) / days_of_unit
            when asks_for = 'courses' then coalesce(courses_high, 0)
            when is_all_terms then case when coalesce(terms_high, 0) = terms then cast(terms as double) else 0e0 end
            else cast(coalesce(drugs_high, 0) as double)
        end as number_high
    from questions
),

answered as (
    select
        *,
        case
            -- presence in a window
            when asks_for = 'presence' and number_low > 0 then 2
            when asks_for = 'presence' and number_high > 0 then 1
            when asks_for = 'presence' then case when is_observed and is_recorded then 0 else 1 end
            -- numbers and durations
            when is_observed and is_recorded then {{ within_bounds('number_low', 'number_high') }}
            when {{ above_minimum('number_low') }} and max_value is null then 2
            when {{ below_maximum('number_low') }} then 1
            else 0
        end as truth
    from numbered
),

final as (
    select
        patient_number,
        condition_number,
        cast(truth as integer) as truth,
        case
            when truth <> 1 then null
            when number_high > number_low then {{ unknown_code('imprecise') }}
            when kind = 'other_investigational_drug' or not is_recorded then {{ unknown_code('not_collected') }}
            else {{ unknown_code('missing') }}
        end as unknown_kind_code,
        cast(number_low as double) as number_low,
        cast(number_high as double) as number_high,
        evidence_table_code,
        record_number as evidence_number
    from answered
)

select * from final
