{# Changes of EDSS, MSSS and ARR per group of the exclusive groupings, equal ones counted together: the input of
   the tests between groups. Groups of patients about whom the grouping knows nothing are not tested. #}
{{ statistics_input() }}

with

paired as (
    select * from {{ ref('int_outcomes__paired_epochs') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
    where is_exclusive
        and grouping not in ('all', 'edss_change_class')
        and group_name not in ('unknown', 'UNKNOWN', 'not_enrolled')
),

changes as (
    select
        patient_key,
        concat(metric, '_change') as metric,
        after_value - before_value as value
    from paired
    where metric in ('edss', 'msss')

    union all

    select patient_key, 'arr_change' as metric, after_value - before_value as value
    from paired
    where metric = 'arr_per_year' and before_epoch = 'pre_index_24m' and after_epoch = 'post_index'
),

final as (
    select
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        changes.metric,
        changes.value,
        cast(count(*) as bigint) as patients
    from memberships
    inner join changes
        on memberships.patient_key = changes.patient_key
    group by
        memberships.cohort, memberships.grouping, memberships.group_name, changes.metric, changes.value
)

select * from final
