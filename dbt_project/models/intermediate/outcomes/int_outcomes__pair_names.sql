{# What the number of a pair of epochs stands for, of those that any patient has. #}
{{ statistics_input() }}

with

pairs as (
    select * from {{ ref('int_outcomes__epoch_pairs') }}
),

found as (
    select distinct pair_key
    from {{ ref('int_outcomes__paired_epochs') }}
),

final as (
    select
        pairs.pair_key,
        pairs.metric,
        pairs.before_epoch,
        pairs.after_epoch,
        -- the changes that are tested between groups
        case
            when pairs.metric in ('edss', 'msss') then concat(pairs.metric, '_change')
            when
                pairs.metric = 'arr_per_year'
                and pairs.before_epoch = 'pre_index_24m'
                and pairs.after_epoch = 'post_index'
                then 'arr_change'
        end as change_metric
    from pairs
    inner join found on pairs.pair_key = found.pair_key
)

select * from final
