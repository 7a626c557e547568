with criteria as (
    select * from {{ ref('stg_registry__criteria') }}
),

final as (
    select
        nct_id,
        criterion_id,
        section,
        part,
        ordinal,
        text,
        char_start,
        char_end,
        group_id,
        parent_group_id,
        group_logic,
        group_minimum,
        group_depth,
        parse_status,
        is_subjective,
        text_sha256,
        origin,
        constraint_count
    from criteria
)

select * from final
