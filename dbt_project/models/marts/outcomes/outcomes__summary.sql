with

summaries as (
    select * from {{ ref('int_outcomes__summary_counts') }}
),

tests as (
    select * from {{ ref('stg_derived__change_tests') }}
),

final as (
    select
        summaries.cohort,
        summaries.grouping,
        summaries.group_name,
        summaries.is_baseline_group,
        summaries.metric,
        summaries.time_point,
        summaries.unit,
        summaries.n,
        summaries.mean,
        summaries.sd,
        summaries.median,
        summaries.min,
        summaries.max,
        summaries.improved,
        summaries.improved_mean,
        100e0 * summaries.improved / summaries.n as improved_percent,
        summaries.improved_median,
        summaries.improved_min,
        summaries.improved_max,
        summaries.stable,
        100e0 * summaries.stable / summaries.n as stable_percent,
        summaries.worsened,
        summaries.worsened_mean,
        100e0 * summaries.worsened / summaries.n as worsened_percent,
        summaries.worsened_median,
        summaries.worsened_min,
        summaries.worsened_max,
        tests.p_paired_t
    from summaries
    left join tests
        on summaries.cohort = tests.cohort
        and summaries.grouping = tests.grouping
        and summaries.group_name = tests.group_name
        and summaries.metric = tests.metric
        and summaries.time_point = tests.time_point
)

select * from final
