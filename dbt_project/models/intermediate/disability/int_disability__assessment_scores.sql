{# One score per patient, instrument, scale, respondent and day. PedsQL items (0 to 4) are reversed to 100 to 0; a scale, and
   the total over all items, is the mean of the answered items where at least half are. Several values of one day are
   averaged. MSFC: mean of the z-scores of T25FW (sign reversed), 9HPT (its reciprocal, as the MSFC manual has it: higher is
   better) and PASAT of one day, against the cohort's own baselines. OCT is listed as delivered. #}

with

assessments as (
    select * from {{ ref('stg_cohort__assessments') }}
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

dated as (
    select
        patient_dates.patient_key,
        patient_dates.cohort,
        assessments.assessed_on,
        assessments.instrument,
        lower(trim(assessments.scale)) as scale,
        coalesce(assessments.respondent, 'patient') as respondent,
        assessments.item,
        assessments.value
    from assessments
    inner join patient_dates
        on assessments.cohort = patient_dates.cohort and assessments.patient_id = patient_dates.patient_id
    where assessments.assessed_on is not null
),

-- an item answered twice on one day counts once
items as (
    select
        patient_key,
        assessed_on,
        scale,
        respondent,
        item,
        avg(100 - 25 * value) as score
    from dated
    where instrument = 'PedsQL' and item is not null and value >= 0 and value <= 4
    group by patient_key, assessed_on, scale, respondent, item
),

item_scales as (
    select patient_key, assessed_on, scale, respondent, score from items

    union all

    select items.patient_key, items.assessed_on, 'total' as scale, items.respondent, items.score
    from items
    inner join scales on scales.instrument = 'PedsQL' and items.scale = scales.scale
),

item_scores as (
    select
        item_scales.patient_key,
        item_scales.assessed_on,
        'PedsQL' as instrument,
        item_scales.scale,
        item_scales.respondent,
        case when 2 * count(*) >= max(scales.items) then avg(item_scales.score) end as value,
        case
            when max(scales.items) is null then 'unknown_scale'
            when 2 * count(*) < max(scales.items) then 'fewer_than_half_answered'
        end as null_reason
    from item_scales
    left join scales on scales.instrument = 'PedsQL' and item_scales.scale = scales.scale
    group by
        item_scales.patient_key,
        item_scales.assessed_on,
        item_scales.scale,
        item_scales.respondent
),

ranged as (
    select
        dated.patient_key,
        dated.assessed_on,
        dated.instrument,
        dated.scale,
        dated.respondent,
        case
            when dated.value >= coalesce(scales.minimum, dated.value)
                and dated.value <= coalesce(scales.maximum, dated.value)
                then dated.value
        end as value
    from dated
    left join scales on dated.instrument = scales.instrument and dated.scale = scales.scale
    where dated.instrument <> 'PedsQL' or dated.item is null
),

delivered_scores as (
    select
        patient_key,
        assessed_on,
        instrument,
        scale,
        respondent,
        avg(value) as value,
        case when max(value) is null then 'out_of_range' end as null_reason
    from ranged
    group by patient_key, assessed_on, instrument, scale, respondent
),

-- where items and a delivered score say the same scale, the items win
scores as (
    select * from item_scores

    union all

    select delivered_scores.*
    from delivered_scores
    left join item_scores
        on delivered_scores.patient_key = item_scores.patient_key
        and delivered_scores.assessed_on = item_scores.assessed_on
        and delivered_scores.instrument = item_scores.instrument
        and delivered_scores.scale = item_scores.scale
        and delivered_scores.respondent = item_scores.respondent
    where item_scores.patient_key is null
),

component_values as (
    select
        patient_key,
        assessed_on,
        instrument,
        case instrument when 'T25FW' then -1 * avg(value) when '9HPT' then 1 / avg(value) else avg(value) end as value
    from scores
    where instrument in ('T25FW', '9HPT', 'PASAT') and value is not null and (instrument <> '9HPT' or value > 0)
    group by patient_key, assessed_on, instrument
),

component_days as (
    select
        component_values.*,
        index_dates.cohort,
        row_number() over (
            partition by component_values.patient_key, component_values.instrument
            order by
                case
                    when index_dates.index_date is null then 0
                    when component_values.assessed_on <= index_dates.index_date
                        and component_values.assessed_on
                            > {{ add_months('index_dates.index_date', '-' ~ var('baseline_window_months')) }} then 0
                    else 1
                end,
                case when index_dates.index_date is null then component_values.assessed_on end,
                component_values.assessed_on desc
        ) as baseline_rank,
        coalesce(
            component_values.assessed_on <= index_dates.index_date
            and component_values.assessed_on
                > {{ add_months('index_dates.index_date', '-' ~ var('baseline_window_months')) }},
            index_dates.index_date is null
        ) as may_be_baseline
    from component_values
    inner join index_dates
        on component_values.patient_key = index_dates.patient_key
),

references_of_cohort as (
    select cohort, instrument, avg(value) as mean_value, stddev_samp(value) as sd_value
    from component_days
    where baseline_rank = 1 and may_be_baseline
    group by cohort, instrument
),

msfc as (
    select
        component_days.patient_key,
        component_days.assessed_on,
        'MSFC' as instrument,
        'z_score_own_cohort' as scale,
        'patient' as respondent,
        avg((component_days.value - references_of_cohort.mean_value) / references_of_cohort.sd_value) as value,
        cast(null as {{ dbt.type_string() }}) as null_reason
    from component_days
    inner join references_of_cohort
        on component_days.cohort = references_of_cohort.cohort
        and component_days.instrument = references_of_cohort.instrument
    where references_of_cohort.sd_value > 0
    group by component_days.patient_key, component_days.assessed_on
    having count(*) = 3
),

final as (
    select patient_key, assessed_on, instrument, scale, respondent, value, null_reason from scores

    union all

    select patient_key, assessed_on, instrument, scale, respondent, value, null_reason from msfc
)

select * from final
