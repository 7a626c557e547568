{# The confirmation times of every definition and of its twin. #}
{{ statistics_input() }}

with

definitions as (
    select * from {{ ref('int_disability__definitions') }}
),

confirmation_times as (
    select * from {{ ref('disability_confirmation_times') }}
),

final as (
    select
        coalesce(definitions.definition, confirmation_times.definition) as definition,
        confirmation_times.confirmation_days,
        confirmation_times.early_days,
        confirmation_times.late_days
    from confirmation_times
    left join definitions on confirmation_times.definition = definitions.base_definition
)

select * from final
