with result_analyses as (
    select * from {{ ref('stg_registry__result_analyses') }}
),

final as (
    select
        nct_id,
        outcome_ordinal,
        ordinal,
        measure,
        outcome_kind,
        group_ids,
        group_description,
        statistical_method,
        statistical_comment,
        param_type,
        param_value,
        param_value_raw,
        dispersion_type,
        dispersion_value,
        dispersion_raw,
        p_value,
        p_value_comparator,
        p_value_raw,
        p_value_comment,
        ci_sides,
        ci_percent,
        ci_lower_limit,
        ci_lower_limit_raw,
        ci_lower_limit_comment,
        ci_upper_limit,
        ci_upper_limit_raw,
        ci_upper_limit_comment,
        estimate_comment,
        is_non_inferiority_tested,
        non_inferiority_type,
        non_inferiority_comment,
        other_analysis_description
    from result_analyses
)

select * from final
