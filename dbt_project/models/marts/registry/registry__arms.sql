with arms as (
    select * from {{ ref('stg_registry__arms') }}
),

final as (
    select
        nct_id,
        ordinal,
        label,
        arm_type,
        description,
        intervention_names
    from arms
)

select * from final
