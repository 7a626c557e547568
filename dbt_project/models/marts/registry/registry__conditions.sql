with conditions as (
    select * from {{ ref('stg_registry__conditions') }}
),

final as (
    select
        nct_id,
        ordinal,
        condition
    from conditions
)

select * from final
