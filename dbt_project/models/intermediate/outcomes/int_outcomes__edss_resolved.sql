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
        edss.cohort,
        edss.patient_id,
        case
            when edss.visit_date_precision = 'day' then edss.visit_date
            else greatest(
                edss.visit_date_earliest,
                least(edss.visit_date, patient_dates.last_contact_date, patient_dates.death_date)
            )
        end as visit_date,
        edss.visit_date_precision,
        edss.edss,
        edss.in_relapse,
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
        min(cohort) as cohort,
        min(patient_id) as patient_id,
        visit_date,
        {% if var('edss_conflict') == 'lower' %}min(edss){% else %}max(edss){% endif %} as edss,
        min(edss) as lowest_edss,
        max(edss) as highest_edss,
        cast(count(*) as bigint) as edss_rows,
        max(case when in_relapse then 1 else 0 end) = 1 as is_recorded_in_relapse,
        max(case when is_valid_confirmation = false then 1 else 0 end) = 0 as is_valid_confirmation,
        max(msss_recorded) as msss_recorded,
        min(visit_date_precision) as visit_date_precision
    from dated
    where coalesce(visit_date <= death_date, true) and coalesce(visit_date >= birth_date, true)
    group by patient_key, visit_date
),

moments as (
    select patient_key, visit_date as moment, cast(null as date) as onset_date from days
    union all
    select patient_key, onset_date as moment, onset_date from relapses where is_relapse
),

looked_back as (
    select
        patient_key,
        moment,
        onset_date,
        max(onset_date) over (
            partition by patient_key order by moment
            range between unbounded preceding and current row
        ) as last_onset_date
    from moments
),

last_onsets as (
    select patient_key, moment as visit_date, last_onset_date
    from looked_back
    where onset_date is null
),

final as (
    select
        days.patient_key,
        days.cohort,
        days.patient_id,
        days.visit_date,
        days.visit_date_precision,
        days.edss,
        days.highest_edss <> days.lowest_edss as has_conflict,
        days.edss_rows,
        days.is_recorded_in_relapse,
        days.is_valid_confirmation,
        days.msss_recorded,
        {{ days_between('last_onsets.last_onset_date', 'days.visit_date') }} as days_since_onset,
        coalesce(
            {{ days_between('last_onsets.last_onset_date', 'days.visit_date') }}
            < {{ var('relapse_window_days') }},
            false
        ) as is_in_relapse_window
    from days
    inner join last_onsets
        on days.patient_key = last_onsets.patient_key
        and days.visit_date = last_onsets.visit_date
)

select * from final
