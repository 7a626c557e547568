{# The epochs of the seed, with offsets as months and days from the anchor. #}

with

epochs as (
    select * from {{ ref('epochs') }}
),

final as (
    select
        epoch,
        anchor,
        end_event,
        applies_to,
        cast(case offset_unit when 'year' then start_offset * 12 when 'month' then start_offset else 0 end as bigint)
            as start_months,
        cast(case offset_unit when 'day' then start_offset else 0 end as bigint) as start_days,
        cast(
            case offset_unit when 'year' then end_offset * 12 when 'month' then end_offset else end_offset * 0 end as bigint
        ) as end_months,
        cast(case offset_unit when 'day' then end_offset else end_offset * 0 end as bigint) as end_days
    from epochs
)

select * from final
