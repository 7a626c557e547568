{# What the number of an epoch and end rule stands for: of those that any patient has. `cycle_n` by its course. #}
{{ statistics_input() }}

with

epochs as (
    select * from {{ ref('int_outcomes__epochs') }}
),

end_rules as (
    select *, row_number() over (order by end_rule) as rule_number from {{ ref('end_rules') }}
),

rule_in_use as (
    select max(case when end_rule = '{{ var("end_rule") }}' then rule_number end) as rule_number
    from end_rules
),

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
),

keys as (
    select distinct epoch_key
    from windows
),

parts as (
    select
        epoch_key,
        cast(floor(epoch_key / 1000000e0) as bigint) as epoch_number,
        cast(floor(epoch_key / 100e0) as bigint) % 10000 as anchor_number,
        epoch_key % 100 as rule_number
    from keys
),

final as (
    select
        parts.epoch_key,
        case
            when epochs.anchor = 'course_n'
                then concat(
                    substring(epochs.epoch, 1, length(epochs.epoch) - 1), cast(parts.anchor_number as string)
                )
            else epochs.epoch
        end as epoch,
        end_rules.end_rule,
        end_rules.end_rule = '{{ var("end_rule") }}' as is_rule_in_use,
        cast(parts.epoch_key - parts.rule_number + rule_in_use.rule_number as bigint) as epoch_key_in_use
    from parts
    inner join epochs on parts.epoch_number = epochs.epoch_number
    inner join end_rules on parts.rule_number = end_rules.rule_number
    cross join rule_in_use
)

select * from final
