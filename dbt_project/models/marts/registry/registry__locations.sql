with locations as (
    select * from {{ ref('stg_registry__locations') }}
),

final as (
    select
        nct_id,
        ordinal,
        facility,
        status,
        city,
        state,
        zip,
        country,
        country_code,
        latitude,
        longitude
    from locations
)

select * from final
