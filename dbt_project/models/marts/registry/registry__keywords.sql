with keywords as (
    select * from {{ ref('stg_registry__keywords') }}
),

final as (
    select
        nct_id,
        ordinal,
        keyword
    from keywords
)

select * from final
