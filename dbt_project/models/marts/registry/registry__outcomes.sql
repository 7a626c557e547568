with outcomes as (
    select * from {{ ref('stg_registry__outcomes') }}
),

final as (
    select
        nct_id,
        outcome_type,
        ordinal,
        measure,
        description,
        time_frame,
        outcome_kind,
        outcome_kind_words
    from outcomes
)

select * from final
