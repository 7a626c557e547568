{# The studies whose criteria are put to the patients: those about the patients' disease (variable
   `screened_conditions`). Age and sex alone would make everyone "eligible" for a trial of another disease. #}

with

studies as (
    select * from {{ ref('stg_registry__studies') }}
),

conditions as (
    select * from {{ ref('stg_registry__conditions') }}
),

named_conditions as (
    select nct_id, max(case when {{ mentions('condition', 'screened_conditions') }} then 1 else 0 end) as is_named
    from conditions
    group by nct_id
),

final as (
    select
        cast(row_number() over (order by studies.nct_id) as bigint) as study_number,
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
)

select * from final
