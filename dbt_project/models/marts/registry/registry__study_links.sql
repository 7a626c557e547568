with study_links as (
    select * from {{ ref('stg_registry__study_links') }}
),

final as (
    select
        nct_id,
        link_kind,
        ordinal,
        url,
        label,
        identifier,
        data_type,
        comment
    from study_links
)

select * from final
