with earlier_criterion_constraints as (
    select * from {{ ref('stg_registry__earlier_criterion_constraints') }}
),

final as (
    select
        versions_back,
        nct_id,
        criterion_id,
        constraint_ordinal,
        kind,
        polarity,
        min_value,
        min_inclusive,
        max_value,
        max_inclusive,
        unit,
        measure,
        window_value,
        window_unit,
        window_near_value,
        window_near_unit,
        window_anchor,
        terms,
        term_logic,
        exception_terms,
        exceptions,
        is_qualified,
        on_therapy_value,
        on_therapy_unit,
        any_of_group,
        all_of_group,
        quote,
        char_start,
        char_end,
        rule_id,
        rule_version,
        origin
    from earlier_criterion_constraints
)

select * from final
