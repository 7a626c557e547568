with contacts as (
    select * from {{ ref('stg_registry__contacts') }}
),

final as (
    select
        nct_id,
        contact_kind,
        location_ordinal,
        ordinal,
        name,
        role,
        affiliation,
        phone,
        phone_extension,
        email
    from contacts
)

select * from final
