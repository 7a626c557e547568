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

kinds as (
    select 'TEAE' as kind
    union all
    select 'TESAE' as kind
),

treated as (
    select index_dates.cohort, index_dates.patient_id, index_dates.index_date, observation.observed_to
    from index_dates
    inner join observation
        on index_dates.cohort = observation.cohort and index_dates.patient_id = observation.patient_id
    where index_dates.index_date is not null and observation.observed_to > index_dates.index_date
),

spans as (
    select cohort, patient_id, cast(0 as bigint) as course_number, index_date as start_date, observed_to as end_date
    from treated

    union all

    select
        treated.cohort,
        treated.patient_id,
        courses.course_number,
        case when courses.course_number = 1 then treated.index_date else courses.first_day end as start_date,
        least(coalesce(courses.next_first_day, treated.observed_to), treated.observed_to) as end_date
    from treated
    inner join courses on treated.cohort = courses.cohort and treated.patient_id = courses.patient_id
    where courses.first_day < treated.observed_to
),

emergent as (
    select
        treated.cohort,
        treated.patient_id,
        coalesce(adverse_events.is_serious, false) as is_serious,
        -- a partial onset that could be after the first dose counts from the first dose on
        greatest(adverse_events.onset_date, treated.index_date) as onset_date,
        adverse_events.onset_date_earliest < treated.index_date as is_onset_uncertain
    from treated
    inner join adverse_events
        on treated.cohort = adverse_events.cohort and treated.patient_id = adverse_events.patient_id
    where adverse_events.onset_date_latest >= treated.index_date
),

counted as (
    select
        spans.cohort,
        spans.patient_id,
        spans.course_number,
        kinds.kind,
        max({{ days_between('spans.start_date', 'spans.end_date') }}) as exposure_days,
        cast(count(emergent.onset_date) as bigint) as events,
        cast(sum(case when emergent.is_onset_uncertain then 1 else 0 end) as bigint) as events_of_uncertain_onset,
        max(spans.start_date) as start_date,
        min(emergent.onset_date) as first_onset_date
    from spans
    cross join kinds
    left join emergent
        on spans.cohort = emergent.cohort
        and spans.patient_id = emergent.patient_id
        and emergent.onset_date >= spans.start_date
        and emergent.onset_date < spans.end_date
        and (kinds.kind = 'TEAE' or emergent.is_serious)
    group by spans.cohort, spans.patient_id, spans.course_number, kinds.kind
),

sums as (
    select
        group_members.cohort,
        group_members.grouping,
        group_members.group_name,
        group_members.is_baseline_group,
        counted.kind,
        counted.course_number,
        cast(count(*) as bigint) as patients,
        cast(sum(case when counted.events > 0 then 1 else 0 end) as bigint) as patients_with_event,
        cast(sum(counted.events) as bigint) as events,
        cast(sum(counted.events_of_uncertain_onset) as bigint) as events_of_uncertain_onset,
        cast(sum(counted.exposure_days) as double) / 365.25 as person_years,
        cast(sum(
            case
                when counted.events > 0 then {{ days_between('counted.start_date', 'counted.first_onset_date') }}
                else counted.exposure_days
            end
        ) as double) / 365.25 as person_years_to_first_event
    from group_members
    inner join counted
        on group_members.cohort = counted.cohort and group_members.patient_id = counted.patient_id
    group by
        group_members.cohort,
        group_members.grouping,
        group_members.group_name,
        group_members.is_baseline_group,
        counted.kind,
        counted.course_number
),

final as (
    select
        cohort,
        grouping,
        group_name,
        is_baseline_group,
        kind,
        course_number,
        patients,
        patients_with_event,
        events,
        events_of_uncertain_onset,
        person_years,
        case when person_years > 0 then 100 * events / person_years end as incidence_per_100_person_years,
        person_years_to_first_event,
        case when person_years_to_first_event > 0 then 100 * patients_with_event / person_years_to_first_event end
            as patients_with_event_per_100_person_years
    from sums
)

select * from final
