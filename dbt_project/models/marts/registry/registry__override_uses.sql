with override_uses as (
    select * from {{ ref('stg_registry__override_uses') }}
),

final as (
    select
        nct_id,
        criterion_id,
        author,
        override_date,
        reason,
        status
    from override_uses
)

select * from final
