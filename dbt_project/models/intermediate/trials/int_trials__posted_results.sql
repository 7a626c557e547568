{# Posted relapse rates and EDSS changes with the window that each was measured over: by the row's own title
   ("Month 12"), else by the measure's title, else by the one time frame that the outcome registers. #}

with

results as (
    select * from {{ ref('stg_registry__outcome_results') }}
    where outcome_kind in ('arr', 'edss_change')
),

epochs as (
    select * from {{ ref('int_trials__registered_epochs') }}
    where is_baseline = false or is_baseline is null
),

titled as (
    select
        results.*,
        lower(coalesce(results.class_title, '')) as class_words,
        {{ number_in('lower(results.class_title)') }} as class_number,
        {{ unit_in('lower(results.class_title)') }} as class_unit,
        {{ number_before_unit('lower(results.measure)') }} as measure_number,
        {{ unit_in('lower(results.measure)') }} as measure_unit
    from results
),

candidates as (
    select
        titled.*,
        epochs.epoch_label,
        epochs.has_window,
        epochs.start_months,
        epochs.start_days,
        epochs.end_months,
        epochs.end_days,
        epochs.quote,
        case
            when lower(epochs.epoch_label) = titled.class_words then 0
            when titled.class_number = epochs.end_offset and titled.class_unit = epochs.offset_unit then 0
            when titled.class_number is not null and titled.class_unit is not null then 9
            when titled.measure_number = epochs.end_offset and titled.measure_unit = epochs.offset_unit then 1
            else 2
        end as distance,
        count(*) over (
            partition by titled.nct_id, titled.outcome_ordinal, titled.class_ordinal, titled.category_ordinal, titled.group_id,
                epochs.outcome_type, epochs.ordinal
        ) as epochs_of_outcome,
        epochs.outcome_type as registered_type,
        epochs.ordinal as registered_ordinal,
        epochs.epoch_number
    from titled
    left join epochs
        on titled.nct_id = epochs.nct_id and lower(trim(titled.measure)) = lower(trim(epochs.measure))
),

ranked as (
    select
        *,
        row_number() over (
            partition by nct_id, outcome_ordinal, class_ordinal, category_ordinal, group_id
            order by distance, registered_type, registered_ordinal, epoch_number
        ) as place
    from candidates
),

final as (
    select
        *,
        -- several time frames and no title that says which
        distance = 2 and epochs_of_outcome > 1 as is_ambiguous,
        distance = 9 as is_unregistered_time
    from ranked
    where place = 1
)

select * from final
