{# Which patient is in which group, by number: what the statistics read. #}
{{ statistics_input() }}

with

members as (
    select * from {{ ref('int_outcomes__groups') }}
),

final as (
    select patient_key, group_key
    from members
)

select * from final
