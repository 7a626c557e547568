with criterion_constraints as (
    select * from {{ ref('stg_registry__criterion_constraints') }}
),

final as (
    select
        nct_id,
        criterion_id,
        kind,
        polarity,
        min_value,
        min_inclusive,
        max_value,
        max_inclusive,
        unit,
        window_value,
        window_unit,
        window_anchor,
        terms,
        quote,
        rule_id,
        rule_version,
        origin
    from criterion_constraints
)

select * from final
