with study_references as (
    select * from {{ ref('stg_registry__study_references') }}
),

final as (
    select
        nct_id,
        ordinal,
        pmid,
        reference_type,
        citation,
        retractions
    from study_references
)

select * from final
