with result_groups as (
    select * from {{ ref('stg_registry__result_groups') }}
),

final as (
    select
        nct_id,
        module,
        measure_ordinal,
        ordinal,
        group_id,
        title,
        description
    from result_groups
)

select * from final
