with rejected_rows as (

    select * from {{ ref('stg_cohort__rejected_rows') }}

),

final as (

    select
        cohort,
        delivery_id,
        sheet,
        row_number,
        column_name,
        rule,
        message
    from rejected_rows

)

select * from final
