{# Every epoch with its number: those of the seed, and those that registered time frames ask for beside them. #}

with

configured as (
    select * from {{ ref('int_outcomes__configured_epochs') }}
),

registered as (
    select * from {{ ref('int_outcomes__registered_epochs') }}
    where epoch is not null and not is_shipped
),

together as (
    select epoch, anchor, end_event, applies_to, start_months, start_days, end_months, end_days, false as is_registered
    from configured

    union all

    select distinct
        epoch,
        'index' as anchor,
        cast(null as string) as end_event,
        'all' as applies_to,
        start_months,
        start_days,
        end_months,
        end_days,
        true as is_registered
    from registered
),

final as (
    select
        cast(row_number() over (order by epoch) as bigint) as epoch_number,
        together.*
    from together
)

select * from final
