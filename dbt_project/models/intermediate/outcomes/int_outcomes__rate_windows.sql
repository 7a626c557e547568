{# What the rates of groups are estimated from: relapses and days of every exposed window. #}
{{ statistics_input() }}

with

epochs as (
    select * from {{ ref('int_outcomes__observed_epochs') }}
),

final as (
    select
        patient_key,
        epoch_key,
        '{{ var("relapse_definition") }}' as relapse_definition,
        relapses,
        exposure_days
    from epochs
    where relapses is not null
)

select * from final
