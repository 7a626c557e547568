{# The time windows of registered outcomes as spans from the index date. What a protocol counts from baseline,
   randomization, the first dose or nothing in particular is counted from the index date; a point ("Week 96") of a
   rate runs from the start to it. Anchors that a cohort has no event for keep a null window. #}

with

outcomes as (
    select * from {{ ref('stg_registry__outcomes') }}
),

epochs as (
    select * from {{ ref('stg_registry__outcome_epochs') }}
),

studies as (
    select * from {{ ref('int_trials__studies') }}
    where versions_back = 0
),

placed as (
    select
        studies.study_number,
        outcomes.nct_id,
        outcomes.outcome_type,
        outcomes.ordinal,
        outcomes.measure,
        outcomes.outcome_kind,
        outcomes.time_frame,
        epochs.epoch_number,
        epochs.epoch_label,
        epochs.anchor,
        epochs.offset_unit,
        epochs.quote,
        coalesce(epochs.parse_status, 'empty') as parse_status,
        coalesce(epochs.anchor, 'unstated') in ('baseline', 'unstated', 'randomization', 'first_dose', 'dose', 'treatment_start',
            'enrolment', 'study_start', 'screening') as is_from_index,
        epochs.end_offset is not null and coalesce(epochs.start_offset, 0) <= epochs.end_offset as has_end,
        coalesce(epochs.epoch_kind = 'point' or epochs.start_offset = epochs.end_offset, false) as is_point,
        coalesce(epochs.start_offset, 0) = 0 and epochs.end_offset = 0 as is_baseline,
        case
            -- "during year 2" is that year; any other point of a rate is reached from the start
            when epochs.start_offset = epochs.end_offset and epochs.offset_unit = 'year'
                and lower(outcomes.measure) like '%during%' then epochs.end_offset - 1
            when epochs.start_offset = epochs.end_offset and outcomes.outcome_kind in ('arr', 'relapses') then 0
            -- a protocol's day 1 is the day of the first dose
            when epochs.offset_unit = 'day' and epochs.start_offset = 1 then 0
            else coalesce(epochs.start_offset, 0)
        end as start_offset,
        epochs.end_offset
    from outcomes
    inner join studies on outcomes.nct_id = studies.nct_id
    left join epochs
        on outcomes.nct_id = epochs.nct_id
        and outcomes.outcome_type = epochs.outcome_type
        and outcomes.ordinal = epochs.ordinal
),

final as (
    select
        *,
        is_from_index and has_end and parse_status in ('parsed', 'partial') as has_window,
        {{ span_months('start_offset', 'offset_unit') }} as start_months,
        {{ span_days('start_offset', 'offset_unit') }} as start_days,
        {{ span_months('end_offset', 'offset_unit') }} as end_months,
        {{ span_days('end_offset', 'offset_unit') }} as end_days
    from placed
)

select * from final
