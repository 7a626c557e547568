with result_denominators as (
    select * from {{ ref('stg_registry__result_denominators') }}
),

final as (
    select
        nct_id,
        module,
        scope,
        measure_ordinal,
        class_ordinal,
        ordinal,
        group_id,
        units,
        participants,
        participants_raw
    from result_denominators
)

select * from final
