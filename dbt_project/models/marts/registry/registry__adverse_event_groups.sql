with adverse_event_groups as (
    select * from {{ ref('stg_registry__adverse_event_groups') }}
),

final as (
    select
        nct_id,
        ordinal,
        group_id,
        title,
        description,
        deaths_affected,
        deaths_at_risk,
        serious_affected,
        serious_at_risk,
        other_affected,
        other_at_risk
    from adverse_event_groups
)

select * from final
