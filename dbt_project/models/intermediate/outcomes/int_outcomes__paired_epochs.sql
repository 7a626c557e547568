{# Patients with a value in both epochs of a pair (rates: at least the minimum exposure in both), and EDSS and
   severity at baseline and last visit. Counts and exposure go along for the rate ratio. #}
{{ statistics_input() }}

with

epochs as (
    select * from {{ ref('int_outcomes__observed_epochs') }}
    where arr_per_year is not null or new_t2_per_scan is not null
),

pairs as (
    select * from {{ ref('int_outcomes__epoch_pairs') }}
),

measures as (
    select * from {{ ref('int_outcomes__patient_measures') }}
    where index_date is not null
),

{% for side in ['before', 'after'] %}
{{ side }}_values as (
    select
        pairs.pair_key,
        epochs.patient_key,
        {% for name, rate, lesions in [
            ('value', 'epochs.arr_per_year', 'epochs.new_t2_per_scan'),
            ('events', 'epochs.relapses', 'epochs.new_t2_total'),
            ('exposure', 'epochs.exposure_days / 365.25e0', 'cast(epochs.scans as double)'),
        ] %}
        case pairs.metric when 'arr_per_year' then {{ rate }} when 'new_t2_per_scan' then {{ lesions }} end as {{ name }}
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from pairs
    inner join epochs on pairs.{{ side }}_epoch_key = epochs.epoch_key
),

{% endfor %}
final as (
    select
        before_values.pair_key,
        before_values.patient_key,
        before_values.value as before_value,
        after_values.value as after_value,
        before_values.events as before_events,
        before_values.exposure as before_exposure,
        after_values.events as after_events,
        after_values.exposure as after_exposure
    from before_values
    inner join after_values
        on before_values.pair_key = after_values.pair_key
        and before_values.patient_key = after_values.patient_key
    where before_values.value is not null and after_values.value is not null

    {% for metric in ['edss', 'msss', 'armss'] %}
    union all

    select
        cast(1000 + {{ loop.index }} as bigint) as pair_key,
        patient_key,
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
