with baseline_measures as (
    select * from {{ ref('stg_registry__baseline_measures') }}
),

final as (
    select
        nct_id,
        measure_ordinal,
        class_ordinal,
        category_ordinal,
        measure,
        description,
        population_description,
        group_id,
        arm_title,
        class_title,
        category,
        param_type,
        is_percent_calculated,
        denominator_units_selected,
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
    from baseline_measures
)

select * from final
