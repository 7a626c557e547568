{# The EDSS that the search for disability events reads: one per patient and day. #}
{{ statistics_input() }}

with

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

final as (
    select patient_key, visit_date, edss, is_valid_confirmation as may_confirm
    from edss
)

select * from final
