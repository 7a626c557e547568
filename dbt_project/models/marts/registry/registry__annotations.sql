with annotations as (
    select * from {{ ref('stg_registry__annotations') }}
),

final as (
    select
        nct_id,
        annotation_kind,
        ordinal,
        event_type,
        event_date,
        is_date_unknown,
        description,
        created_date,
        release_date,
        posted_date
    from annotations
)

select * from final
