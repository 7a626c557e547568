{# Conditions of the medical history (infections, malignancy, pregnancy, contraindications …) on the screening day.

   present   true where it had begun by then and had not ended; one that began later proves that it was not there yet
   past      true for what counts when past (malignancy, HIV, "history of"); false where it had ended before
   absent    false
   unknown   unknown, and so is a category without a row: silence proves nothing
   Terms that name a part of a category ("pneumonia" within infection) are false where the category is absent and
   unknown where it is there. #}

with

conditions as (
    select * from {{ ref('int_trials__conditions') }}
    where family = 'history'
),

term_history as (
    select * from {{ ref('eligibility_term_history') }}
),

patients as (
    {{ spread(ref('int_trials__patients'), ['patient_number', 'sex']) }}
),

history as (
    select * from {{ ref('int_trials__records') }}
    where table_name = 'medical_history'
),

own_terms as (
    select condition_number, kind, {{ each_word_of('terms') }} as term
    from conditions
),

-- a kind without terms is about its own category
terms as (
    select
        condition_number,
        kind,
        case
            when term <> '' then term
            when kind = 'contraception_required' then 'contraception'
            when kind = 'malignancy' then 'malignancy'
            when kind = 'infection' then 'any infection'
            when kind = 'mri_contraindication' then 'mri contraindication'
            else 'pregnancy'
        end as term
    from own_terms
),

questions as (
    select
        terms.condition_number,
        terms.kind,
        terms.term,
        term_history.category,
        coalesce(term_history.match = 'exact', false) as is_exact,
        coalesce(term_history.counts_past, false) or conditions.is_ever or conditions.window_months is not null as counts_past,
        conditions.window_months,
        conditions.window_days,
        conditions.term_logic
    from terms
    inner join conditions on terms.condition_number = conditions.condition_number
    left join term_history on terms.kind = term_history.kind and terms.term = term_history.term
),

rows_judged as (
    select
        questions.condition_number,
        questions.term,
        history.patient_number,
        history.record_number,
        questions.is_exact,
        case
            when history.status = 'unknown' or history.status is null then 1
            when history.status = 'absent' then 0
            -- begun after screening: not yet there
            when history.from_earliest > history.screened_on then 0
            when history.from_latest > history.screened_on then 1
            when history.status = 'present' and (history.to_latest is null or history.to_earliest >= history.screened_on) then 2
            when history.status = 'present' and history.to_latest >= history.screened_on then 1
            -- over by then
            when questions.counts_past and questions.window_months is not null then
                case
                    when history.to_latest is null then 1
                    when history.to_earliest
                        >= {{ days_before('history.screened_on', 'questions.window_months', 'questions.window_days') }} then 2
                    when history.to_latest
                        < {{ days_before('history.screened_on', 'questions.window_months', 'questions.window_days') }} then 0
                    else 1
                end
            when questions.counts_past and (history.from_latest is not null or history.to_latest <= history.screened_on) then 2
            when questions.counts_past then 1
            when history.to_latest < history.screened_on then 0
            else 1
        end as truth
    from questions
    inner join history on questions.category = history.concept
),

narrowed as (
    select
        condition_number,
        term,
        patient_number,
        record_number,
        case when truth = 2 and is_exact = false then 1 else truth end as truth
    from rows_judged
),

by_term as (
    select
        condition_number,
        patient_number,
        term,
        max(truth) as truth,
        max_by(record_number, truth * 1000 + record_number) as record_number
    from narrowed
    group by condition_number, patient_number, term
),

asked as (
    select
        questions.condition_number,
        questions.kind,
        questions.term,
        questions.term_logic,
        patients.patient_number,
        questions.category is null as is_not_collected,
        by_term.record_number,
        case
            when questions.kind = 'pregnancy_or_breastfeeding' and patients.sex = 'male' then 0
            -- who uses none may have no need to: not of childbearing potential
            when questions.kind = 'contraception_required' and by_term.truth = 0 then 1
            else coalesce(by_term.truth, 1)
        end as truth
    from questions
    cross join patients
    left join by_term
        on questions.condition_number = by_term.condition_number
        and questions.term = by_term.term
        and patients.patient_number = by_term.patient_number
),

answered as (
    select
        condition_number,
        patient_number,
        case when max(term_logic) = 'all' then min(truth) else max(truth) end as truth,
        max(case when is_not_collected and truth = 1 then 1 else 0 end) as is_not_collected,
        max_by(record_number, case when record_number is not null then truth * 1000 + record_number else -1 end) as record_number
    from asked
    group by condition_number, patient_number
),

final as (
    select
        patient_number,
        condition_number,
        cast(truth as integer) as truth,
        case when truth <> 1 then null when is_not_collected = 1 then {{ unknown_code('not_collected') }} else {{ unknown_code('missing') }} end as unknown_kind_code,
        cast(null as double) as number_low,
        cast(null as double) as number_high,
        case when record_number is not null then {{ evidence_code('medical_history') }} end as evidence_table_code,
        record_number as evidence_number
    from answered
)

select * from final
