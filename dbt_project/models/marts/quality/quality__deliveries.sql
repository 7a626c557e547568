with deliveries as (

    select * from {{ ref('stg_cohort__deliveries') }}

),

final as (

    select
        cohort,
        delivery_id,
        file_sha256,
        received_at,
        sheet,
        table_name,
        rows_in,
        rows_accepted,
        rows_rejected,
        rows_not_data
    from deliveries

)

select * from final
