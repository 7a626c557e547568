with mesh_terms as (
    select * from {{ ref('stg_registry__mesh_terms') }}
),

final as (
    select
        nct_id,
        topic,
        term_kind,
        ordinal,
        mesh_id,
        term,
        as_found,
        relevance
    from mesh_terms
)

select * from final
