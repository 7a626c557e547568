{# Every number that a summary is made of: patient x metric and time point, by the number that
   int_outcomes__metric_names gives them. Rates follow the end rule in use; those of the other epochs stand in
   outcomes.annualized_relapse_rates. #}

with

measures as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where index_date is not null
),

landmarks as (
    select * from {{ ref('int_outcomes__landmarks') }}
),

epochs as (
    select epochs.*, names.epoch
    from {{ ref('int_outcomes__observed_epochs') }} as epochs
    inner join {{ ref('int_outcomes__epoch_names') }} as names on epochs.epoch_key = names.epoch_key
    where names.is_rule_in_use
),

paired as (
    select paired.*
    from {{ ref('int_outcomes__paired_epochs') }} as paired
    inner join {{ ref('int_outcomes__pair_names') }} as names on paired.pair_key = names.pair_key
    where names.metric = 'arr_per_year'
),

every_value as (
    {% for metric, time_point, unit, expression in patient_metrics() %}
    select {{ metric_key(loop.index) }} as metric_key, patient_key, {{ expression }} as value from measures
    union all
    {% endfor %}
    select {{ metric_key('landmark_edss', 'landmark_number') }}, patient_key, edss from landmarks
    union all
    select {{ metric_key('landmark_edss_change', 'landmark_number') }}, patient_key, edss_change from landmarks
    union all
    select {{ metric_key('epoch_edss_change', 'epochs.epoch_key') }}, epochs.patient_key, epochs.edss_reached - measures.baseline_edss
    from epochs
    inner join measures on epochs.patient_key = measures.patient_key
    where epochs.epoch like 'year_%'
    union all
    select {{ metric_key('epoch_rate', 'epoch_key') }}, patient_key, arr_per_year from epochs
    where epoch in ('pre_index_24m', 'pre_index_12m', 'post_index')
    union all
    select {{ metric_key('epoch_lesions', 'epoch_key') }}, patient_key, new_t2_per_scan from epochs
    where epoch like 'nct%' or epoch in ('pre_index_24m', 'post_index')
    union all
    select {{ metric_key('pair_rate_change', 'pair_key') }}, patient_key, after_value - before_value from paired
),

final as (
    select metric_key, patient_key, value
    from every_value
    where value is not null
)

select * from final
