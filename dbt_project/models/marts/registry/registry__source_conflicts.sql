with source_conflicts as (
    select * from {{ ref('stg_registry__source_conflicts') }}
),

final as (
    select
        nct_id,
        field,
        left_source,
        left_value,
        right_source,
        right_value
    from source_conflicts
)

select * from final
