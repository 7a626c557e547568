with amendments as (
    select * from {{ ref('stg_registry__amendments') }}
),

final as (
    select
        nct_id,
        versions_back,
        version,
        seen_at,
        source
    from amendments
)

select * from final
