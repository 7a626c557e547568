{% set summary_statistics = [
    'mean', 'sd', 'median', 'min', 'max', 'improved', 'improved_percent', 'stable', 'stable_percent', 'worsened',
    'worsened_percent', 'p_paired_t'
] %}
{% set pair_statistics = [
    'before_mean', 'before_sd', 'before_median', 'before_min', 'before_max', 'after_mean', 'after_sd',
    'after_median', 'after_min', 'after_max', 'relative_change_percent', 'p_paired_t'
] %}

with

figures as (
    select * from {{ ref('published_figures') }}
),

summaries as (
    select * from {{ ref('outcomes__summary') }}
),

pairs as (
    select * from {{ ref('outcomes__before_after') }}
    where metric = 'arr_per_year' and before_epoch = 'pre_index_24m' and after_epoch = 'post_index'
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

cohorts as (
    select cohort, group_size from group_names
    where grouping = 'all'
),

cohort_values as (
    select
        cohort, 'groups' as source, grouping, group_name, 'patients' as metric, cast(null as string) as time_point,
        'count' as statistic, cast(group_size as double) as value, group_size as n
    from group_names
    {% for statistic in summary_statistics %}
    union all
    select
        cohort, 'summary' as source, grouping, group_name, metric, time_point,
        '{{ statistic }}' as statistic, cast({{ statistic }} as double) as value, n
    from summaries
    {% endfor %}
    {% for statistic in pair_statistics %}
    union all
    select
        cohort, 'before_after' as source, grouping, group_name, metric,
        concat(before_epoch, '_to_', after_epoch) as time_point,
        '{{ statistic }}' as statistic, cast({{ statistic }} as double) as value, n
    from pairs
    {% endfor %}
),

placed as (
    select
        cohorts.cohort,
        figures.*,
        -- nobody of that kind in the cohort is a number too
        case
            when figures.source = 'groups' then coalesce(cohort_values.value, 0)
            else cohort_values.value
        end as cohort_value,
        coalesce(cohort_values.n, 0) as cohort_n
    from cohorts
    cross join figures
    left join cohort_values
        on cohorts.cohort = cohort_values.cohort
        and figures.source = cohort_values.source
        and figures.cohort_grouping = cohort_values.grouping
        and figures.cohort_group = cohort_values.group_name
        and figures.cohort_metric = cohort_values.metric
        and coalesce(figures.cohort_time_point, '') = coalesce(cohort_values.time_point, '')
        and figures.cohort_statistic = cohort_values.statistic
),

final as (
    select
        cohort,
        analysis,
        group_name,
        metric,
        statistic,
        published_value,
        printed,
        comparator,
        cast(published_n as bigint) as published_n,
        unit,
        is_doubtful,
        note,
        cohort_value,
        cast(cohort_n as bigint) as cohort_n,
        case
            when cohort_value is null then 'no_cohort_value'
            when comparator = '<' and cohort_value < published_value then 'agrees'
            when comparator <> '<' and abs(cohort_value - published_value) <= tolerance + 1e-9 then 'agrees'
            else 'differs'
        end as status,
        cohort_grouping,
        cohort_group,
        cohort_metric,
        cohort_time_point,
        cohort_statistic
    from placed
)

select * from final
