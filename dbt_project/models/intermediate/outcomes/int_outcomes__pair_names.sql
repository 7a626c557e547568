{# What the number of a pair of epochs stands for. #}
{{ statistics_input() }}

with

paired as (
    select * from {{ ref('int_outcomes__paired_epochs') }}
),

final as (
    select
        pair_key,
        min(metric) as metric,
        min(before_epoch) as before_epoch,
        min(after_epoch) as after_epoch,
        -- the changes that are tested between groups
        case
            when min(metric) in ('edss', 'msss') then concat(min(metric), '_change')
            when min(metric) = 'arr_per_year' and min(before_epoch) = 'pre_index_24m' and min(after_epoch) = 'post_index'
                then 'arr_change'
        end as change_metric
    from paired
    group by pair_key
)

select * from final
