{# Patient x epoch x end rule: the planned window, and what of it was observed. Half-open [start, end). A patient
   without the anchor (no enrolment, no second course) has no row here; `outcomes.exclusions` lists those. #}

with

epochs as (
    select * from {{ ref('int_outcomes__epochs') }}
),

end_rules as (
    select
        *,
        row_number() over (order by end_rule) as rule_number,
        row_number() over (partition by ends_at_next_dmd order by end_rule) = 1 as is_first_of_kind,
        min(case when ends_at_next_dmd then 1 else 0 end) over () = 1 as is_every_rule_cutting
    from {{ ref('end_rules') }}
),

anchors as (
    select * from {{ ref('int_outcomes__anchors') }}
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

prospective_cohorts as (
    select * from {{ ref('int_outcomes__prospective_cohorts') }}
),

anchored as (
    select
        anchors.patient_key,
        epochs.epoch_number * 10000 + case when epochs.anchor = 'course_n' then anchors.anchor_number else 0 end
            as epoch_number,
        epochs.end_event,
        {{ add_days(add_months('anchors.anchor_date', 'epochs.start_months'), 'epochs.start_days') }}
            as planned_start_date,
        case
            when epochs.end_event = 'next_course' then anchors.next_date
            when epochs.end_event is null
                then {{ add_days(add_months('anchors.anchor_date', 'epochs.end_months'), 'epochs.end_days') }}
        end as offset_end_date,
        observation.observed_from,
        observation.observed_to,
        observation.is_history_assumed,
        observation.next_dmd_start,
        coalesce(observation.has_relapses_table, true) as has_relapses_table
    from epochs
    inner join anchors on epochs.anchor = anchors.anchor
    inner join observation on anchors.patient_key = observation.patient_key
    inner join prospective_cohorts on anchors.patient_key = prospective_cohorts.patient_key
    where epochs.applies_to = 'all' or epochs.applies_to = prospective_cohorts.prospective_cohort
),

planned as (
    select
        anchored.patient_key,
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
        anchored.next_dmd_start,
        anchored.has_relapses_table
    from anchored
    left join anchors as end_anchors
        on anchored.end_event = end_anchors.anchor and anchored.patient_key = end_anchors.patient_key
),

ruled as (
    select
        planned.patient_key,
        -- one number for patient and planned window: epoch numbers have at most seven digits
        planned.patient_key * 10000000 + planned.epoch_number as base_number,
        planned.epoch_number * 100 + end_rules.rule_number as epoch_key,
        planned.planned_start_date,
        greatest(planned.planned_end_date, planned.planned_start_date) as planned_end_date,
        greatest(planned.planned_start_date, planned.observed_from) as start_date,
        case
            when end_rules.ends_at_next_dmd then least(planned.observed_to, planned.next_dmd_start)
            else planned.observed_to
        end as last_end_date,
        planned.observed_to,
        planned.is_history_assumed,
        planned.has_relapses_table,
        end_rules.is_first_of_kind as is_first_where_cut,
        end_rules.is_first_of_kind and (not end_rules.ends_at_next_dmd or end_rules.is_every_rule_cutting)
            as is_first_where_uncut
    from planned
    cross join end_rules
    where planned.planned_end_date is not null and planned.observed_to is not null
),

clipped as (
    select
        patient_key,
        base_number,
        epoch_key,
        planned_start_date,
        planned_end_date,
        greatest(start_date, least(planned_end_date, observed_to)) as uncut_end_date,
        -- nothing observed: the window closes where it would have begun
        case when start_date > planned_end_date then planned_start_date else start_date end as start_date,
        case
            when start_date > planned_end_date then planned_start_date
            else greatest(start_date, least(planned_end_date, last_end_date))
        end as end_date,
        is_history_assumed,
        has_relapses_table,
        is_first_where_cut,
        is_first_where_uncut
    from ruled
),

final as (
    select
        -- end rules that leave a window as it is share its measures; nothing observed: nothing to measure
        case
            when start_date < end_date
                then cast(base_number * 2 + case when end_date < uncut_end_date then 1 else 0 end as bigint)
        end as measure_key,
        start_date < end_date
        and case when end_date < uncut_end_date then is_first_where_cut else is_first_where_uncut end as is_measured,
        cast(epoch_key as bigint) as epoch_key,
        patient_key,
        planned_start_date,
        planned_end_date,
        start_date,
        end_date,
        {{ days_between('planned_start_date', 'planned_end_date') }} as planned_days,
        {{ days_between('start_date', 'end_date') }} as exposure_days,
        start_date = planned_start_date
        and end_date = planned_end_date
        and planned_end_date > planned_start_date as is_complete,
        is_history_assumed,
        has_relapses_table
    from clipped
)

select * from final
