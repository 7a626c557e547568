{# Which patient is in which group, for Kaplan-Meier estimates. #}
{{ statistics_input() }}

with

group_members as (
    select * from {{ ref('int_outcomes__groups') }}
),

final as (
    select cohort, patient_id, grouping, group_name, is_baseline_group
    from group_members
)

select * from final
