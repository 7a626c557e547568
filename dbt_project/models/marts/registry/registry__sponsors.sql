with sponsors as (
    select * from {{ ref('stg_registry__sponsors') }}
),

final as (
    select
        nct_id,
        ordinal,
        role,
        name,
        sponsor_class
    from sponsors
)

select * from final
