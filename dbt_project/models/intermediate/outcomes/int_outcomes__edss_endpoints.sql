{# The EDSS that stand for a patient: baseline, last, last stable, best and worst after index. Baseline is the
   latest in (index - window, index] that is not 0 to 29 days after an onset, else the latest, flagged. #}

with

edss as (
    select * from {{ ref('int_outcomes__edss_resolved') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

placed as (
    select
        edss.patient_key,
        edss.visit_date,
        edss.edss,
        edss.is_in_relapse_window,
        edss.visit_date <= index_dates.index_date
        and edss.visit_date
            > {{ add_months('index_dates.index_date', '-' ~ var('baseline_window_months')) }} as is_baseline_window,
        edss.visit_date > index_dates.index_date as is_after_index,
        edss.visit_date > index_dates.index_date
        and edss.is_in_relapse_window = false
        and {{ days_between('index_dates.index_date', 'edss.visit_date') }} >= {{ var('stable_edss_days') }}
            as is_stable
    from edss
    inner join index_dates
        on edss.patient_key = index_dates.patient_key
    where index_dates.index_date is not null
),

days as (
    select
        patient_key,
        coalesce(
            max(case when is_baseline_window and not is_in_relapse_window then visit_date end),
            max(case when is_baseline_window then visit_date end)
        ) as baseline_edss_date,
        max(case when is_after_index then visit_date end) as last_edss_date,
        max(case when is_stable then visit_date end) as last_stable_edss_date,
        min(case when is_after_index then edss end) as best_edss,
        max(case when is_after_index then edss end) as worst_edss,
        cast(sum(case when is_after_index then 1 else 0 end) as bigint) as edss_visits_after_index
    from placed
    group by patient_key
),

final as (
    select
        days.patient_key,
        index_dates.cohort,
        index_dates.patient_id,
        index_dates.index_date,
        at_baseline.edss as baseline_edss,
        days.baseline_edss_date,
        at_baseline.is_in_relapse_window as baseline_is_relapse_visit,
        at_last.edss as last_edss,
        days.last_edss_date,
        at_last_stable.edss as last_stable_edss,
        days.last_stable_edss_date,
        days.best_edss,
        days.worst_edss,
        days.edss_visits_after_index
    from days
    inner join index_dates on days.patient_key = index_dates.patient_key
    left join edss as at_baseline
        on days.patient_key = at_baseline.patient_key and days.baseline_edss_date = at_baseline.visit_date
    left join edss as at_last
        on days.patient_key = at_last.patient_key and days.last_edss_date = at_last.visit_date
    left join edss as at_last_stable
        on days.patient_key = at_last_stable.patient_key and days.last_stable_edss_date = at_last_stable.visit_date
)

select * from final
