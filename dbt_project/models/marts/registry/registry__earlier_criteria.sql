with earlier_criteria as (
    select * from {{ ref('stg_registry__earlier_criteria') }}
),

final as (
    select
        versions_back,
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
    from earlier_criteria
)

select * from final
