{# Where the series of the _from_index definitions starts: the day of the index baseline EDSS. #}
{{ statistics_input() }}

with

endpoints as (
    select * from {{ ref('int_outcomes__edss_endpoints') }}
),

final as (
    select cohort, patient_id, baseline_edss_date as index_baseline_date
    from endpoints
    where baseline_edss_date is not null
)

select * from final
