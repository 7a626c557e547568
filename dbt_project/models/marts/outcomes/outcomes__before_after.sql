with

paired as (
    select * from {{ ref('int_outcomes__paired_epochs') }}
),

memberships as (
    select * from {{ ref('int_outcomes__groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

pair_names as (
    select * from {{ ref('int_outcomes__pair_names') }}
),

tests as (
    select * from {{ ref('stg_derived__paired_tests') }}
),

summarised as (
    select
        memberships.group_key,
        paired.pair_key,
        cast(count(*) as bigint) as n,
        {% for side in ['before', 'after'] %}
        avg(paired.{{ side }}_value) as {{ side }}_mean,
        stddev_samp(paired.{{ side }}_value) as {{ side }}_sd,
        {{ median('paired.' ~ side ~ '_value') }} as {{ side }}_median,
        min(paired.{{ side }}_value) as {{ side }}_min,
        max(paired.{{ side }}_value) as {{ side }}_max
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from memberships
    inner join paired on memberships.patient_key = paired.patient_key
    group by memberships.group_key, paired.pair_key
),

described as (
    select
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        pair_names.metric,
        pair_names.before_epoch,
        pair_names.after_epoch,
        summarised.*
    from summarised
    inner join group_names on summarised.group_key = group_names.group_key
    inner join pair_names on summarised.pair_key = pair_names.pair_key
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
            then 100e0 * (described.after_mean - described.before_mean) / described.before_mean end
            as relative_change_percent,
        case when described.before_median > 0
            then 100e0 * (described.after_median - described.before_median) / described.before_median end
            as relative_change_of_medians_percent,
        tests.rate_ratio,
        tests.rate_ratio_ci95_low,
        tests.rate_ratio_ci95_high,
        tests.rate_ratio_method,
        tests.p_paired_t,
        tests.p_wilcoxon
    from described
    left join tests
        on described.group_key = tests.group_key and described.pair_key = tests.pair_key
)

select * from final
