{# The drugs that a condition's terms stand for, less its exceptions; and for each term whether clinics record its
   drugs as treatments at all. A drug that a clinic wrote and nobody knows (`?`) may be any of them. #}

with

conditions as (
    select * from {{ ref('int_trials__conditions') }}
    where family in ('therapies', 'relapses_on_therapy')
),

term_drugs as (
    select * from {{ ref('int_trials__term_drugs') }}
),

drugs as (
    select * from {{ ref('drugs') }}
),

terms as (
    select condition_number, exception_terms, {{ each_word_of('terms') }} as term
    from conditions
),

exceptions as (
    select condition_number, {{ each_word_of('exception_terms') }} as term
    from conditions
),

excepted as (
    select distinct exceptions.condition_number, coalesce(term_drugs.drug_inn, exceptions.term) as drug_inn
    from exceptions
    left join term_drugs on exceptions.term = term_drugs.term
    where exceptions.term <> ''
),

meant as (
    select
        terms.condition_number,
        terms.term,
        coalesce(term_drugs.drug_inn, terms.term) as drug_inn,
        -- a clinic's list of treatments is no list of the trials that a patient was in
        (coalesce(drugs.is_dmt, false) and terms.term not like '%investigational%')
        or terms.term like 'corticosteroid%' as is_recorded
    from terms
    left join term_drugs on terms.term = term_drugs.term
    left join drugs on coalesce(term_drugs.drug_inn, terms.term) = drugs.inn
    where terms.term <> ''
),

final as (
    select
        meant.condition_number,
        meant.term,
        meant.drug_inn,
        max(cast(meant.is_recorded as integer)) over (partition by meant.condition_number, meant.term) = 1 as is_term_recorded
    from meant
    left join excepted
        on meant.condition_number = excepted.condition_number and meant.drug_inn = excepted.drug_inn
    where excepted.drug_inn is null
)

select * from final
