with results_submissions as (
    select * from {{ ref('stg_registry__results_submissions') }}
),

final as (
    select
        nct_id,
        ordinal,
        release_date,
        unrelease_date,
        is_unrelease_date_unknown,
        reset_date,
        mcp_release_number
    from results_submissions
)

select * from final
