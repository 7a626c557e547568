with

pairs as (
    select * from {{ ref('int_outcomes__paired_counts') }}
),

tests as (
    select * from {{ ref('stg_derived__paired_tests') }}
),

ordered as (
    select
        *,
        sum(patients) over (
            partition by group_key, pair_key
        ) as total,
        sum(patients * before_value) over (
            partition by group_key, pair_key
        ) as before_sum,
        sum(patients * after_value) over (
            partition by group_key, pair_key
        ) as after_sum,
        sum(patients) over (
            partition by group_key, pair_key
            order by before_value, after_value, before_events, before_exposure, after_events, after_exposure
            rows between unbounded preceding and current row
        ) as before_cumulative,
        sum(patients) over (
            partition by group_key, pair_key
            order by after_value, before_value, before_events, before_exposure, after_events, after_exposure
            rows between unbounded preceding and current row
        ) as after_cumulative
    from pairs
),

described as (
    select
        cohort,
        grouping,
        group_name,
        is_baseline_group,
        metric,
        before_epoch,
        after_epoch,
        cast(max(total) as bigint) as n,
        max(before_sum / total) as before_mean,
        case
            when max(total) > 1
                then sqrt(cast(sum(patients * power(before_value - before_sum / total, 2)) as double) / (max(total) - 1))
        end as before_sd,
        {{ weighted_median('before_value', 'before_cumulative', 'patients', 'total') }} as before_median,
        min(before_value) as before_min,
        max(before_value) as before_max,
        max(after_sum / total) as after_mean,
        case
            when max(total) > 1
                then sqrt(cast(sum(patients * power(after_value - after_sum / total, 2)) as double) / (max(total) - 1))
        end as after_sd,
        {{ weighted_median('after_value', 'after_cumulative', 'patients', 'total') }} as after_median,
        min(after_value) as after_min,
        max(after_value) as after_max
    from ordered
    group by cohort, grouping, group_name, is_baseline_group, metric, before_epoch, after_epoch
),

final as (
    select
        described.cohort,
        described.grouping,
        described.group_name,
        described.is_baseline_group,
        described.metric,
        described.before_epoch,
        described.after_epoch,
        described.n,
        described.before_mean,
        described.before_sd,
        described.before_median,
        described.before_min,
        described.before_max,
        described.after_mean,
        described.after_sd,
        described.after_median,
        described.after_min,
        described.after_max,
        described.after_mean - described.before_mean as absolute_change,
        tests.absolute_change_ci95_low,
        tests.absolute_change_ci95_high,
        case when described.before_mean > 0
            then 100.0 * (described.after_mean - described.before_mean) / described.before_mean end
            as relative_change_percent,
        case when described.before_median > 0
            then 100.0 * (described.after_median - described.before_median) / described.before_median end
            as relative_change_of_medians_percent,
        tests.rate_ratio,
        tests.rate_ratio_ci95_low,
        tests.rate_ratio_ci95_high,
        tests.rate_ratio_method,
        tests.p_paired_t,
        tests.p_wilcoxon
    from described
    left join tests
        on described.cohort = tests.cohort
        and described.grouping = tests.grouping
        and described.group_name = tests.group_name
        and described.metric = tests.metric
        and described.before_epoch = tests.before_epoch
        and described.after_epoch = tests.after_epoch
)

select * from final
