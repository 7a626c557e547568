with reference_retractions as (
    select * from {{ ref('stg_registry__reference_retractions') }}
),

final as (
    select
        nct_id,
        reference_ordinal,
        ordinal,
        pmid,
        source
    from reference_retractions
)

select * from final
