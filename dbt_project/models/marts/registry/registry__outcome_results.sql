with outcome_results as (
    select * from {{ ref('stg_registry__outcome_results') }}
),

final as (
    select
        nct_id,
        outcome_ordinal,
        class_ordinal,
        category_ordinal,
        outcome_kind,
        outcome_type,
        measure,
        group_id,
        arm_title,
        class_title,
        category,
        time_point,
        param_type,
        value,
        value_comparator,
        dispersion_type,
        dispersion_value,
        lower_limit,
        upper_limit,
        unit,
        participants,
        units_analyzed,
        units_analyzed_count,
        raw_value,
        dispersion_raw,
        lower_limit_raw,
        upper_limit_raw,
        comment
    from outcome_results
)

select * from final
