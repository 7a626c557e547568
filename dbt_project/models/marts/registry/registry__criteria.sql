with criteria as (
    select * from {{ ref('stg_registry__criteria') }}
),

final as (
    select
        nct_id,
        criterion_id,
        section,
        ordinal,
        text,
        char_start,
        char_end,
        group_id,
        group_logic,
        parse_status
    from criteria
)

select * from final
