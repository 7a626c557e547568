with

tests as (
    select * from {{ ref('stg_derived__group_tests') }}
),

groupings as (
    select * from {{ ref('groupings') }}
),

final as (
    select
        tests.cohort,
        tests.grouping,
        groupings.is_baseline_group,
        tests.metric,
        tests.groups,
        tests.group_names,
        tests.n,
        tests.test,
        tests.statistic,
        tests.p_value,
        tests.null_reason,
        cast(count(*) over (partition by tests.cohort) as bigint) as tests_made
    from tests
    inner join groupings on tests.grouping = groupings.grouping
)

select * from final
