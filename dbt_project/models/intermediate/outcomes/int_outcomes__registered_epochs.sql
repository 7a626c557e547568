{# Which epoch of outcomes.patient_epochs stands for a registered time frame. Different trials share windows, so each
   window is one epoch whoever registered it; one that the seed has keeps its name there. A point in time ("Month 8") is
   reached from the index. Kept are the windows of the studies in `registered_epoch_studies`, and of the others the most
   frequent, `registered_epochs` in all; the rest have no epoch. #}

with

frames as (
    select * from {{ ref('int_trials__registered_epochs') }}
    where has_window and epoch_number is not null
),

configured as (
    select * from {{ ref('int_outcomes__configured_epochs') }}
    where anchor = 'index' and end_event is null and applies_to = 'all'
),

spans as (
    select
        nct_id,
        outcome_type,
        ordinal,
        epoch_number,
        cast(case when is_point then 0 else start_months end as bigint) as start_months,
        cast(case when is_point then 0 else start_days end as bigint) as start_days,
        cast(end_months as bigint) as end_months,
        cast(end_days as bigint) as end_days
    from frames
),

shipped as (
    select
        start_months,
        start_days,
        end_months,
        end_days,
        min(epoch) as epoch
    from configured
    group by start_months, start_days, end_months, end_days
),

windows as (
    select
        start_months,
        start_days,
        end_months,
        end_days,
        count(distinct nct_id) as studies,
        max(case when nct_id in ('' {%- for study in var('registered_epoch_studies') %}, '{{ study }}'{% endfor %}) then 1 else 0 end)
            as is_chosen
    from spans
    where end_months * 30.4375e0 + end_days > start_months * 30.4375e0 + start_days
    group by start_months, start_days, end_months, end_days
),

ranked as (
    select
        windows.*,
        shipped.epoch as shipped_epoch,
        row_number() over (
            order by
                case when shipped.epoch is null then 1 else 2 end,
                windows.is_chosen desc,
                windows.studies desc,
                windows.end_months * 30.4375e0 + windows.end_days,
                windows.start_months * 30.4375e0 + windows.start_days,
                windows.end_months,
                windows.start_months
        ) as place
    from windows
    left join shipped
        on windows.start_months = shipped.start_months
        and windows.start_days = shipped.start_days
        and windows.end_months = shipped.end_months
        and windows.end_days = shipped.end_days
),

named as (
    select
        start_months,
        start_days,
        end_months,
        end_days,
        shipped_epoch is not null as is_shipped,
        case
            when shipped_epoch is not null then shipped_epoch
            when is_chosen = 1 or place <= {{ var('registered_epochs') }}
                then concat(
                    'registered_', {{ span_name('start_months', 'start_days') }}, '_to_', {{ span_name('end_months', 'end_days') }}
                )
        end as epoch
    from ranked
),

final as (
    select
        spans.nct_id,
        spans.outcome_type,
        spans.ordinal,
        spans.epoch_number,
        named.epoch,
        named.is_shipped,
        spans.start_months,
        spans.start_days,
        spans.end_months,
        spans.end_days
    from spans
    inner join named
        on spans.start_months = named.start_months
        and spans.start_days = named.start_days
        and spans.end_months = named.end_months
        and spans.end_days = named.end_days
)

select * from final
