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
        edss.*,
        index_dates.index_date,
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

ranked as (
    select
        *,
        row_number() over (
            partition by patient_key, is_baseline_window
            order by case when is_in_relapse_window then 1 else 0 end, visit_date desc
        ) as baseline_rank,
        row_number() over (partition by patient_key, is_after_index order by visit_date desc) as last_rank,
        row_number() over (partition by patient_key, is_stable order by visit_date desc) as stable_rank
    from placed
),

final as (
    select
        patient_key,
        min(cohort) as cohort,
        min(patient_id) as patient_id,
        max(index_date) as index_date,
        max(case when is_baseline_window and baseline_rank = 1 then edss end) as baseline_edss,
        max(case when is_baseline_window and baseline_rank = 1 then visit_date end) as baseline_edss_date,
        max(case when is_baseline_window and baseline_rank = 1 then case when is_in_relapse_window then 1 else 0 end end) = 1
            as baseline_is_relapse_visit,
        max(case when is_after_index and last_rank = 1 then edss end) as last_edss,
        max(case when is_after_index and last_rank = 1 then visit_date end) as last_edss_date,
        max(case when is_stable and stable_rank = 1 then edss end) as last_stable_edss,
        max(case when is_stable and stable_rank = 1 then visit_date end) as last_stable_edss_date,
        min(case when is_after_index then edss end) as best_edss,
        max(case when is_after_index then edss end) as worst_edss,
        cast(sum(case when is_after_index then 1 else 0 end) as bigint) as edss_visits_after_index
    from ranked
    group by patient_key
)

select * from final
