with results_without_values as (
    select * from {{ ref('stg_registry__results_without_values') }}
),

final as (
    select
        nct_id,
        module,
        item_kind,
        ordinal,
        class_ordinal,
        category_ordinal,
        title,
        class_title,
        category,
        description,
        unit,
        population_description,
        organ_system,
        source_vocabulary,
        comment
    from results_without_values
)

select * from final
