with interventions as (
    select * from {{ ref('stg_registry__interventions') }}
),

final as (
    select
        nct_id,
        ordinal,
        intervention_type,
        name,
        description,
        arm_labels,
        other_names
    from interventions
)

select * from final
