with documents as (
    select * from {{ ref('stg_registry__documents') }}
),

final as (
    select
        source,
        name,
        document_sha256,
        received_at,
        size_bytes,
        form,
        records,
        accepted,
        superseded,
        rejected,
        problem
    from documents
)

select * from final
