with study_documents as (
    select * from {{ ref('stg_registry__study_documents') }}
),

final as (
    select
        nct_id,
        ordinal,
        type_abbreviation,
        has_protocol,
        has_sap,
        has_icf,
        label,
        document_date,
        uploaded_at,
        filename,
        size_bytes,
        url
    from study_documents
)

select * from final
