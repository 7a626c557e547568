{# Patient x epoch x end rule: the planned window, and what of it was observed. Half-open [start, end). A patient
   without the anchor (no enrolment, no second course) has no row here; `outcomes.exclusions` lists those. #}

with

epochs as (
    select *, row_number() over (order by epoch) as epoch_number from {{ ref('epochs') }}
),

end_rules as (
    select *, row_number() over (order by end_rule) as rule_number from {{ ref('end_rules') }}
),

anchors as (
    select * from {{ ref('int_outcomes__anchors') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

prospective_cohorts as (
    select * from {{ ref('int_outcomes__prospective_cohorts') }}
),

anchored as (
    select
        patient_dates.patient_key,
        anchors.cohort,
        anchors.patient_id,
        epochs.epoch_number * 10000 + case when epochs.anchor = 'course_n' then anchors.anchor_number else 0 end
            as epoch_number,
        case
            when epochs.anchor = 'course_n'
                then concat(
                    substring(epochs.epoch, 1, length(epochs.epoch) - 1), cast(anchors.anchor_number as string)
                )
            else epochs.epoch
        end as epoch,
        epochs.end_event,
        case epochs.offset_unit
            when 'day' then {{ add_days('anchors.anchor_date', 'epochs.start_offset') }}
            when 'month' then {{ add_months('anchors.anchor_date', 'epochs.start_offset') }}
            when 'year' then {{ add_months('anchors.anchor_date', 'epochs.start_offset * 12') }}
        end as planned_start_date,
        case
            when epochs.end_event = 'next_course' then anchors.next_date
            when epochs.end_event is not null then null
            when epochs.offset_unit = 'day' then {{ add_days('anchors.anchor_date', 'epochs.end_offset') }}
            when epochs.offset_unit = 'month' then {{ add_months('anchors.anchor_date', 'epochs.end_offset') }}
            when epochs.offset_unit = 'year' then {{ add_months('anchors.anchor_date', 'epochs.end_offset * 12') }}
        end as offset_end_date,
        observation.observed_from,
        observation.observed_to,
        observation.is_history_assumed,
        observation.next_dmd_start
    from epochs
    inner join anchors on epochs.anchor = anchors.anchor
    inner join patient_dates
        on anchors.cohort = patient_dates.cohort and anchors.patient_id = patient_dates.patient_id
    inner join observation
        on anchors.cohort = observation.cohort and anchors.patient_id = observation.patient_id
    inner join prospective_cohorts
        on anchors.cohort = prospective_cohorts.cohort and anchors.patient_id = prospective_cohorts.patient_id
    where epochs.applies_to = 'all' or epochs.applies_to = prospective_cohorts.prospective_cohort
),

planned as (
    select
        row_number() over (order by anchored.patient_key, anchored.epoch_number) as base_number,
        anchored.patient_key,
        anchored.cohort,
        anchored.patient_id,
        anchored.epoch,
        anchored.epoch_number,
        anchored.planned_start_date,
        case
            when anchored.end_event is null then anchored.offset_end_date
            when anchored.end_event = 'end_of_follow_up' then anchored.observed_to
            when anchored.end_event = 'next_course' then coalesce(anchored.offset_end_date, anchored.observed_to)
            else end_anchors.anchor_date
        end as planned_end_date,
        anchored.observed_from,
        anchored.observed_to,
        anchored.is_history_assumed,
        anchored.next_dmd_start
    from anchored
    left join anchors as end_anchors
        on anchored.end_event = end_anchors.anchor
        and anchored.cohort = end_anchors.cohort
        and anchored.patient_id = end_anchors.patient_id
),

ruled as (
    select
        planned.base_number,
        planned.patient_key,
        planned.cohort,
        planned.patient_id,
        planned.epoch,
        planned.epoch_number * 100 + end_rules.rule_number as epoch_key,
        end_rules.end_rule,
        planned.planned_start_date,
        greatest(planned.planned_end_date, planned.planned_start_date) as planned_end_date,
        greatest(planned.planned_start_date, planned.observed_from) as start_date,
        case
            when end_rules.ends_at_next_dmd then least(planned.observed_to, planned.next_dmd_start)
            else planned.observed_to
        end as last_end_date,
        planned.observed_to,
        planned.is_history_assumed
    from planned
    cross join end_rules
    where planned.planned_end_date is not null and planned.observed_to is not null
),

clipped as (
    select
        base_number,
        patient_key,
        cohort,
        patient_id,
        epoch,
        epoch_key,
        end_rule,
        planned_start_date,
        planned_end_date,
        greatest(start_date, least(planned_end_date, observed_to)) as uncut_end_date,
        -- nothing observed: the window closes where it would have begun
        case when start_date > planned_end_date then planned_start_date else start_date end as start_date,
        case
            when start_date > planned_end_date then planned_start_date
            else greatest(start_date, least(planned_end_date, last_end_date))
        end as end_date,
        is_history_assumed
    from ruled
),

final as (
    select
        -- end rules that leave a window as it is share its measures; nothing observed: nothing to measure
        case
            when start_date < end_date
                then cast(base_number * 2 + case when end_date < uncut_end_date then 1 else 0 end as bigint)
        end as measure_key,
        cast(epoch_key as bigint) as epoch_key,
        patient_key,
        cohort,
        patient_id,
        epoch,
        end_rule,
        planned_start_date,
        planned_end_date,
        start_date,
        end_date,
        {{ days_between('planned_start_date', 'planned_end_date') }} as planned_days,
        {{ days_between('start_date', 'end_date') }} as exposure_days,
        start_date = planned_start_date
        and end_date = planned_end_date
        and planned_end_date > planned_start_date as is_complete,
        is_history_assumed
    from clipped
)

select * from final
