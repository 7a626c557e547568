{# The cohort's own relapse rate and EDSS change over each window that a trial posted, patient by patient, once
   per different window. #}

with

posted as (
    select * from {{ ref('int_trials__posted_results') }}
    where has_window and is_ambiguous = false and is_unregistered_time = false
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
    where index_date is not null
),

observation as (
    select * from {{ ref('int_outcomes__observation') }}
),

relapses as (
    select * from {{ ref('int_outcomes__relapses_resolved') }}
    where is_counted
),

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

endpoints as (
    select * from {{ ref('int_outcomes__edss_endpoints') }}
),

windows as (
    select distinct
        outcome_kind,
        start_months,
        start_days,
        end_months,
        end_days
    from posted
),

placed as (
    select
        patients.patient_number,
        patients.cohort,
        patients.patient_id,
        windows.outcome_kind,
        windows.start_months,
        windows.start_days,
        windows.end_months,
        windows.end_days,
        index_dates.index_date,
        {{ add_days(add_months('index_dates.index_date', 'windows.start_months'), 'windows.start_days') }} as planned_start,
        {{ add_days(add_months('index_dates.index_date', 'windows.end_months'), 'windows.end_days') }} as planned_end,
        observation.observed_from,
        observation.observed_to
    from index_dates
    inner join patients
        on index_dates.cohort = patients.cohort and index_dates.patient_id = patients.patient_id
    inner join observation
        on index_dates.cohort = observation.cohort and index_dates.patient_id = observation.patient_id
    cross join windows
    where windows.outcome_kind <> 'arr' or coalesce(observation.has_relapses_table, true)
),

clipped as (
    select
        *,
        greatest(planned_start, observed_from) as start_date,
        least(planned_end, observed_to) as end_date
    from placed
),

relapse_counts as (
    select
        clipped.patient_number,
        clipped.start_months,
        clipped.start_days,
        clipped.end_months,
        clipped.end_days,
        count(*) as relapses
    from clipped
    inner join relapses
        on clipped.cohort = relapses.cohort
        and clipped.patient_id = relapses.patient_id
        and relapses.onset_date >= clipped.start_date
        and relapses.onset_date < clipped.end_date
    where clipped.outcome_kind = 'arr'
    group by clipped.patient_number, clipped.start_months, clipped.start_days, clipped.end_months, clipped.end_days
),

rates as (
    select
        clipped.patient_number,
        clipped.outcome_kind,
        clipped.start_months,
        clipped.start_days,
        clipped.end_months,
        clipped.end_days,
        cast(coalesce(relapse_counts.relapses, 0) as double) as relapses,
        greatest(0, {{ days_between('clipped.start_date', 'clipped.end_date') }}) as exposure_days,
        cast(null as double) as edss_change
    from clipped
    left join relapse_counts
        on clipped.patient_number = relapse_counts.patient_number
        and clipped.start_months = relapse_counts.start_months
        and clipped.start_days = relapse_counts.start_days
        and clipped.end_months = relapse_counts.end_months
        and clipped.end_days = relapse_counts.end_days
    where clipped.outcome_kind = 'arr'
),

visits as (
    select
        clipped.patient_number,
        clipped.start_months,
        clipped.start_days,
        clipped.end_months,
        clipped.end_days,
        edss.edss - endpoints.baseline_edss as edss_change,
        row_number() over (
            partition by clipped.patient_number, clipped.start_months, clipped.start_days, clipped.end_months, clipped.end_days
            order by abs({{ days_between('clipped.planned_end', 'edss.visit_date') }}), edss.visit_date desc
        ) as place
    from clipped
    inner join endpoints
        on clipped.cohort = endpoints.cohort and clipped.patient_id = endpoints.patient_id
    inner join edss
        on clipped.cohort = edss.cohort
        and clipped.patient_id = edss.patient_id
        and edss.visit_date > clipped.index_date
        -- as the landmarks: a month either way up to month 8, three months later on
        and abs({{ days_between('clipped.planned_end', 'edss.visit_date') }})
        <= case when {{ days_between('clipped.index_date', 'clipped.planned_end') }} <= 250 then 30 else 91 end
    where clipped.outcome_kind = 'edss_change' and endpoints.baseline_edss is not null
),

changes as (
    select
        patient_number,
        'edss_change' as outcome_kind,
        start_months,
        start_days,
        end_months,
        end_days,
        cast(null as double) as relapses,
        cast(null as bigint) as exposure_days,
        edss_change
    from visits
    where place = 1
),

final as (
    select * from rates
    union all
    select * from changes
)

select * from final
