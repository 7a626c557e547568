{# The drugs that a term of a criterion stands for: an INN itself, and every drug of the class that the term names
   (seeds drugs and drug_groups, one vocabulary for cohorts and protocols). #}

with

drugs as (
    select * from {{ ref('drugs') }}
),

drug_groups as (
    select * from {{ ref('drug_groups') }}
),

memberships as (
    select inn, {{ each_word_of('groups') }} as group_name
    from drugs
),

classes as (
    select drug_groups.term, memberships.inn as drug_inn
    from drug_groups
    inner join memberships on drug_groups.group_name = trim(memberships.group_name)
),

itself as (
    select inn as term, inn as drug_inn
    from drugs
),

final as (
    select term, drug_inn from classes
    union
    select term, drug_inn from itself
)

select * from final
