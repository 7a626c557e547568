with participant_flow as (
    select * from {{ ref('stg_registry__participant_flow') }}
),

final as (
    select
        nct_id,
        period_ordinal,
        period,
        event_kind,
        ordinal,
        event,
        event_comment,
        group_id,
        arm_title,
        participants,
        participants_raw,
        units,
        units_raw,
        comment
    from participant_flow
)

select * from final
