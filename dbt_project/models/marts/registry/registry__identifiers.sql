with identifiers as (
    select * from {{ ref('stg_registry__identifiers') }}
),

final as (
    select
        nct_id,
        identifier_kind,
        ordinal,
        identifier,
        identifier_type,
        domain,
        link
    from identifiers
)

select * from final
