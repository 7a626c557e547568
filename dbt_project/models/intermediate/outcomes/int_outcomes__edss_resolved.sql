{# One EDSS per patient and day. Values of one day that differ are a conflict: reported and resolved by the
   stated rule (variable `edss_conflict`: the higher), never by file order. Visits after death or before birth
   are left out. `is_in_relapse_window`: 0 to 29 days after any recorded onset that is not a pseudo-relapse. #}

with

edss as (
    select * from {{ ref('stg_cohort__edss') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

relapses as (
    select * from {{ ref('int_outcomes__relapses_resolved') }}
),

dated as (
    select
        patient_dates.patient_key,
        case
            when edss.visit_date_precision = 'day' then edss.visit_date
            else greatest(
                edss.visit_date_earliest,
                least(edss.visit_date, patient_dates.last_contact_date, patient_dates.death_date)
            )
        end as visit_date,
        edss.edss,
        edss.is_valid_confirmation,
        edss.msss_recorded,
        patient_dates.death_date,
        patient_dates.birth_date
    from edss
    inner join patient_dates
        on edss.cohort = patient_dates.cohort and edss.patient_id = patient_dates.patient_id
    where edss.visit_date is not null and edss.edss is not null
),

days as (
    select
        patient_key,
        visit_date,
        {% if var('edss_conflict') == 'lower' %}min(edss){% else %}max(edss){% endif %} as edss,
        min(edss) as lowest_edss,
        max(edss) as highest_edss,
        max(case when is_valid_confirmation = false then 1 else 0 end) = 0 as is_valid_confirmation,
        max(msss_recorded) as msss_recorded
    from dated
    where coalesce(visit_date <= death_date, true) and coalesce(visit_date >= birth_date, true)
    group by patient_key, visit_date
),

onsets as (
    select distinct patient_key, onset_date
    from relapses
    where is_relapse
),

-- from each onset to the day before the next
after_onsets as (
    select
        patient_key,
        onset_date,
        coalesce(
            lead(onset_date) over (partition by patient_key order by onset_date), cast('9999-12-31' as date)
        ) as next_onset_date
    from onsets
),

final as (
    select
        days.patient_key,
        patient_dates.cohort,
        patient_dates.patient_id,
        days.visit_date,
        days.edss,
        days.highest_edss <> days.lowest_edss as has_conflict,
        days.is_valid_confirmation,
        days.msss_recorded,
        coalesce(
            {{ days_between('after_onsets.onset_date', 'days.visit_date') }} < {{ var('relapse_window_days') }}, false
        ) as is_in_relapse_window
    from days
    inner join patient_dates on days.patient_key = patient_dates.patient_key
    left join after_onsets
        on days.patient_key = after_onsets.patient_key
        and days.visit_date >= after_onsets.onset_date
        and days.visit_date < after_onsets.next_onset_date
)

select * from final
