{# Every epoch with its number and its offsets as months and days from the anchor. #}

with

epochs as (
    select * from {{ ref('epochs') }}
),

final as (
    select
        cast(row_number() over (order by epoch) as bigint) as epoch_number,
        epoch,
        anchor,
        end_event,
        applies_to,
        case offset_unit when 'year' then start_offset * 12 when 'month' then start_offset else 0 end as start_months,
        case offset_unit when 'day' then start_offset else 0 end as start_days,
        case offset_unit when 'year' then end_offset * 12 when 'month' then end_offset when 'day' then end_offset * 0 end
            as end_months,
        case offset_unit when 'day' then end_offset else end_offset * 0 end as end_days
    from epochs
)

select * from final
