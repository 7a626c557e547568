with outcome_epochs as (
    select * from {{ ref('stg_registry__outcome_epochs') }}
),

final as (
    select
        nct_id,
        outcome_type,
        ordinal,
        epoch_number,
        epoch_label,
        epoch_kind,
        anchor,
        anchor_words,
        start_offset,
        end_offset,
        offset_unit,
        end_anchor,
        end_event,
        repeats,
        is_approximate,
        is_unit_converted,
        quote,
        parse_status
    from outcome_epochs
)

select * from final
