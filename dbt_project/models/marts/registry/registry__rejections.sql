with rejections as (
    select * from {{ ref('stg_registry__rejections') }}
),

final as (
    select
        table_name,
        column_name,
        rule,
        rows,
        example_nct_id
    from rejections
)

select * from final
