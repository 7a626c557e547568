with outcome_measures as (
    select * from {{ ref('stg_registry__outcome_measures') }}
),

final as (
    select
        nct_id,
        ordinal,
        outcome_type,
        title,
        description,
        population_description,
        reporting_status,
        anticipated_posting_date,
        anticipated_posting_date_precision,
        anticipated_posting_date_text,
        param_type,
        dispersion_type,
        unit,
        is_percent_calculated,
        time_frame,
        type_units_analyzed,
        denominator_units_selected,
        outcome_kind,
        outcome_kind_words,
        registered_outcome_type,
        registered_ordinal
    from outcome_measures
)

select * from final
