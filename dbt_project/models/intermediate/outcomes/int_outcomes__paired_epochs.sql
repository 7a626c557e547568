{# Patients with a value in both epochs of a pair (rates: at least the minimum exposure in both), and EDSS and
   severity at baseline and last visit. Counts and exposure go along for the rate ratio. #}
{{ statistics_input() }}

with

epochs as (
    select epochs.*, names.epoch
    from {{ ref('int_outcomes__patient_epochs') }} as epochs
    inner join {{ ref('int_outcomes__epoch_names') }} as names on epochs.epoch_key = names.epoch_key
    where names.is_rule_in_use
),

pairs as (
    select *, row_number() over (order by metric, before_epoch, after_epoch) as pair_key from {{ ref('epoch_pairs') }}
),

measures as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where index_date is not null
),

epoch_values as (
    select
        patient_key,
        epoch,
        'arr_per_year' as metric,
        arr_per_year as value,
        relapses as events,
        exposure_days / 365.25e0 as exposure
    from epochs
    where arr_per_year is not null

    union all

    select
        patient_key,
        epoch,
        'new_t2_per_scan' as metric,
        new_t2_per_scan as value,
        new_t2_total as events,
        cast(scans as double) as exposure
    from epochs
    where new_t2_per_scan is not null
),

final as (
    select
        cast(pairs.pair_key as bigint) as pair_key,
        before_values.patient_key,
        pairs.metric,
        pairs.before_epoch,
        pairs.after_epoch,
        before_values.value as before_value,
        after_values.value as after_value,
        before_values.events as before_events,
        before_values.exposure as before_exposure,
        after_values.events as after_events,
        after_values.exposure as after_exposure
    from pairs
    inner join epoch_values as before_values
        on pairs.metric = before_values.metric and pairs.before_epoch = before_values.epoch
    inner join epoch_values as after_values
        on pairs.metric = after_values.metric
        and pairs.after_epoch = after_values.epoch
        and before_values.patient_key = after_values.patient_key

    {% for metric in ['edss', 'msss', 'armss'] %}
    union all

    select
        cast(1000 + {{ loop.index }} as bigint) as pair_key,
        patient_key,
        '{{ metric }}' as metric,
        'baseline' as before_epoch,
        'last_visit' as after_epoch,
        baseline_{{ metric }} as before_value,
        last_{{ metric }} as after_value,
        cast(null as bigint) as before_events,
        cast(null as double) as before_exposure,
        cast(null as bigint) as after_events,
        cast(null as double) as after_exposure
    from measures
    where baseline_{{ metric }} is not null and last_{{ metric }} is not null
    {% endfor %}
)

select * from final
