{# The groups that there are, with their sizes. #}
{{ statistics_input() }}

with

memberships as (
    select * from {{ ref('int_outcomes__stratum_groups') }}
),

final as (
    select
        group_key,
        min(cohort) as cohort,
        min(grouping) as grouping,
        min(group_name) as group_name,
        max(case when is_baseline_group then 1 else 0 end) = 1 as is_baseline_group,
        max(case when is_exclusive then 1 else 0 end) = 1 as is_exclusive,
        -- tests between groups: those of an exclusive grouping about which it knows something
        max(
            case
                when is_exclusive
                    and grouping not in ('all', 'edss_change_class')
                    and group_name not in ('unknown', 'UNKNOWN', 'not_enrolled')
                    then 1
                else 0
            end
        ) = 1 as is_compared,
        cast(sum(patients) as bigint) as group_size
    from memberships
    group by group_key
)

select * from final
