{# The studies whose criteria are put to the patients: those about the patients' disease (variable
   `screened_conditions`). Age and sex alone would make everyone "eligible" for a trial of another disease.

   The version before each of the latest amendments (variable `amendments_evaluated`) stands beside the present one
   as a study of its own, so that one evaluation serves both; `versions_back` is 0 for the present. #}

with

studies as (
    select * from {{ ref('stg_registry__studies') }}
),

conditions as (
    select * from {{ ref('stg_registry__conditions') }}
),

amendments as (
    select * from {{ ref('stg_registry__amendments') }}
    where versions_back <= {{ var('amendments_evaluated') }}
),

named_conditions as (
    select nct_id, max(case when {{ mentions('condition', 'screened_conditions') }} then 1 else 0 end) as is_named
    from conditions
    group by nct_id
),

screened as (
    select
        studies.nct_id,
        studies.brief_title
    from studies
    left join named_conditions on studies.nct_id = named_conditions.nct_id
    where studies.is_current
        and (
            coalesce(named_conditions.is_named, 0) = 1
            or {{ mentions('studies.brief_title', 'screened_conditions') }}
            or {{ mentions('studies.official_title', 'screened_conditions') }}
        )
),

versions as (
    select
        nct_id,
        brief_title,
        cast(0 as bigint) as versions_back
    from screened
    union all
    select
        screened.nct_id,
        screened.brief_title,
        amendments.versions_back
    from screened
    inner join amendments on screened.nct_id = amendments.nct_id
),

final as (
    select
        cast(row_number() over (order by nct_id, versions_back) as bigint) as study_number,
        nct_id,
        versions_back,
        brief_title
    from versions
)

select * from final
