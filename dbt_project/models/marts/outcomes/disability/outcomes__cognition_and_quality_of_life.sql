{# Scores over time with their change from baseline: the latest on or before index within the baseline window, and for
   patients without index therapy the first. OCT is listed, nothing is derived from it. #}

with

scores as (
    select * from {{ ref('int_disability__assessment_scores') }}
),

scales as (
    select * from {{ ref('assessment_scales') }}
),

index_dates as (
    select * from {{ ref('int_outcomes__index') }}
),

patient_dates as (
    select * from {{ ref('int_outcomes__patient_dates') }}
),

placed as (
    select
        scores.*,
        index_dates.index_date,
        scores.value is not null
        and coalesce(
            scores.assessed_on <= index_dates.index_date
            and scores.assessed_on
                > {{ add_months('index_dates.index_date', '-' ~ var('baseline_window_months')) }},
            index_dates.index_date is null
        ) as may_be_baseline
    from scores
    left join index_dates
        on scores.patient_key = index_dates.patient_key
),

baseline_days as (
    select
        patient_key,
        instrument,
        scale,
        respondent,
        case when max(index_date) is null then min(assessed_on) else max(assessed_on) end as baseline_on
    from placed
    where may_be_baseline
    group by patient_key, instrument, scale, respondent
),

baselines as (
    select baseline_days.*, scores.value as baseline_value
    from baseline_days
    inner join scores
        on baseline_days.patient_key = scores.patient_key
        and baseline_days.instrument = scores.instrument
        and baseline_days.scale = scores.scale
        and baseline_days.respondent = scores.respondent
        and baseline_days.baseline_on = scores.assessed_on
),

changed as (
    select
        placed.patient_key,
        placed.instrument,
        placed.scale,
        placed.respondent,
        placed.assessed_on,
        placed.value,
        placed.null_reason,
        coalesce(placed.index_date, baselines.baseline_on) as origin_date,
        baselines.baseline_on,
        baselines.baseline_value,
        case
            when placed.assessed_on > baselines.baseline_on and placed.instrument <> 'OCT'
                then placed.value - baselines.baseline_value
        end as change_from_baseline
    from placed
    left join baselines
        on placed.patient_key = baselines.patient_key
        and placed.instrument = baselines.instrument
        and placed.scale = baselines.scale
        and placed.respondent = baselines.respondent
),

final as (
    select
        patient_dates.cohort,
        patient_dates.patient_id,
        changed.instrument,
        changed.scale,
        changed.respondent,
        case
            when changed.assessed_on = changed.baseline_on then 'baseline'
            when changed.assessed_on <= changed.origin_date then 'before_index'
            when changed.origin_date is not null
                then concat(
                    'month_',
                    cast(
                        cast(round({{ days_between('changed.origin_date', 'changed.assessed_on') }} / 30.4375e0) as int)
                        as {{ dbt.type_string() }}
                    )
                )
        end as time_point,
        changed.assessed_on as assessed_on_date,
        changed.value,
        changed.null_reason,
        changed.baseline_value,
        changed.change_from_baseline,
        case scales.worse_is
            when 'lower' then changed.change_from_baseline <= -1 * scales.worsened_points
            when 'higher' then changed.change_from_baseline >= scales.worsened_points
        end as is_worsened_points,
        -- compared as products: 10 % of 30 is 3, which a quotient may miss
        case scales.worse_is
            when 'lower'
                then 100 * changed.change_from_baseline <= -1 * scales.worsened_percent * changed.baseline_value
            when 'higher'
                then 100 * changed.change_from_baseline >= scales.worsened_percent * changed.baseline_value
        end as is_worsened_percent
    from changed
    inner join patient_dates on changed.patient_key = patient_dates.patient_key
    left join scales on changed.instrument = scales.instrument and changed.scale = scales.scale
)

select * from final
