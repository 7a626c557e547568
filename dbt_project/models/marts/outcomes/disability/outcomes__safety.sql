{# Treatment-emergent adverse events (onset on or after the first dose; serious ones as TESAE) of treated patients, by
   the course that they follow: course 0 stands for the whole time since the first dose. Person-time and events end with
   observation. A partial onset that could lie on or after the first dose counts and is shown apart. #}

with

adverse_events as (
    select * from {{ ref('stg_cohort__adverse_events') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

courses as (
    select * from {{ ref('int_outcomes__courses') }}
),

group_members as (
    select * from {{ ref('int_outcomes__groups') }}
),

group_names as (
    select * from {{ ref('int_outcomes__group_names') }}
),

kinds as (
    select 'TEAE' as kind
    union all
    select 'TESAE' as kind
),

treated as (
    select
        index_dates.patient_key,
        index_dates.cohort,
        index_dates.patient_id,
        index_dates.index_date,
        observation.observed_to
    from index_dates
    inner join observation on index_dates.patient_key = observation.patient_key
    where index_dates.index_date is not null
        and observation.observed_to > index_dates.index_date
        -- a cohort without such a table has no safety, not a perfect one
        and coalesce(observation.has_adverse_events_table, true)
),

spans as (
    select patient_key, cast(0 as bigint) as course_number, index_date as start_date, observed_to as end_date
    from treated

    union all

    select
        treated.patient_key,
        courses.course_number,
        case when courses.course_number = 1 then treated.index_date else courses.first_day end as start_date,
        least(coalesce(courses.next_first_day, treated.observed_to), treated.observed_to) as end_date
    from treated
    inner join courses on treated.patient_key = courses.patient_key
    where courses.first_day < treated.observed_to
),

emergent as (
    select
        treated.patient_key,
        coalesce(adverse_events.is_serious, false) as is_serious,
        -- a partial onset that could be after the first dose counts from the first dose on
        greatest(adverse_events.onset_date, treated.index_date) as onset_date,
        adverse_events.onset_date_earliest < treated.index_date as is_onset_uncertain
    from treated
    inner join adverse_events
        on treated.cohort = adverse_events.cohort and treated.patient_id = adverse_events.patient_id
    where adverse_events.onset_date_latest >= treated.index_date
),

events as (
    select
        spans.patient_key,
        spans.course_number,
        kinds.kind,
        cast(count(*) as bigint) as events,
        cast(sum(case when emergent.is_onset_uncertain then 1 else 0 end) as bigint) as events_of_uncertain_onset,
        min(emergent.onset_date) as first_onset_date
    from spans
    inner join emergent
        on spans.patient_key = emergent.patient_key
        and emergent.onset_date >= spans.start_date
        and emergent.onset_date < spans.end_date
    cross join kinds
    where kinds.kind = 'TEAE' or emergent.is_serious
    group by spans.patient_key, spans.course_number, kinds.kind
),

-- the time of everyone, and what those with an event add to it
group_spans as (
    select
        group_members.group_key,
        spans.course_number,
        cast(count(*) as bigint) as patients,
        cast(sum({{ days_between('spans.start_date', 'spans.end_date') }}) as bigint) as exposure_days
    from group_members
    inner join spans on group_members.patient_key = spans.patient_key
    group by group_members.group_key, spans.course_number
),

group_events as (
    select
        group_members.group_key,
        spans.course_number,
        events.kind,
        cast(count(*) as bigint) as patients_with_event,
        cast(sum(events.events) as bigint) as events,
        cast(sum(events.events_of_uncertain_onset) as bigint) as events_of_uncertain_onset,
        cast(sum({{ days_between('events.first_onset_date', 'spans.end_date') }}) as bigint) as days_after_first_event
    from group_members
    inner join events on group_members.patient_key = events.patient_key
    inner join spans on events.patient_key = spans.patient_key and events.course_number = spans.course_number
    group by group_members.group_key, spans.course_number, events.kind
),

sums as (
    select
        group_spans.group_key,
        group_spans.course_number,
        kinds.kind,
        group_spans.patients,
        coalesce(group_events.patients_with_event, 0) as patients_with_event,
        coalesce(group_events.events, 0) as events,
        coalesce(group_events.events_of_uncertain_onset, 0) as events_of_uncertain_onset,
        group_spans.exposure_days / 365.25e0 as person_years,
        (group_spans.exposure_days - coalesce(group_events.days_after_first_event, 0)) / 365.25e0
            as person_years_to_first_event
    from group_spans
    cross join kinds
    left join group_events
        on group_spans.group_key = group_events.group_key
        and group_spans.course_number = group_events.course_number
        and kinds.kind = group_events.kind
),

final as (
    select
        group_names.cohort,
        group_names.grouping,
        group_names.group_name,
        group_names.is_baseline_group,
        sums.kind,
        sums.course_number,
        sums.patients,
        sums.patients_with_event,
        sums.events,
        sums.events_of_uncertain_onset,
        sums.person_years,
        case when sums.person_years > 0 then 100 * sums.events / sums.person_years end as incidence_per_100_person_years,
        sums.person_years_to_first_event,
        case
            when sums.person_years_to_first_event > 0
                then 100 * sums.patients_with_event / sums.person_years_to_first_event
        end as patients_with_event_per_100_person_years
    from sums
    inner join group_names on sums.group_key = group_names.group_key
)

select * from final
