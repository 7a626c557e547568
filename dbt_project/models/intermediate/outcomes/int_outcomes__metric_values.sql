{# Every number that a summary is made of: patient x metric x time point. Rates follow the end rule
   in use; those of the other epochs stand in outcomes.annualized_relapse_rates. Differences of tabulated scores are
   rounded to 9 decimals for their sign, so that equal scores are stable. #}
{% set measures_of_patients = [
    ('age_at_index', 'baseline', 'years', 'cast(age_at_index as double)'),
    ('disease_duration', 'baseline', 'years', 'disease_duration_years'),
    ('follow_up_lunar_months', 'last', 'lunar_months', 'follow_up_days / 28e0'),
    ('follow_up_months', 'last', 'months', 'follow_up_days / 30.4375e0'),
    ('courses', 'last', 'courses', 'cast(courses as double)'),
    ('baseline_edss', 'baseline', 'points', 'baseline_edss'),
    ('last_edss', 'last', 'points', 'last_edss'),
    ('last_stable_edss', 'last', 'points', 'last_stable_edss'),
    ('best_edss', 'after_index', 'points', 'best_edss'),
    ('worst_edss', 'after_index', 'points', 'worst_edss'),
    ('edss_change', 'last', 'points', 'edss_change'),
    ('edss_change', 'last_stable', 'points', 'stable_edss_change'),
    ('baseline_msss', 'baseline', 'points', 'baseline_msss'),
    ('last_msss', 'last', 'points', 'last_msss'),
    ('msss_change', 'last', 'points', 'msss_change'),
    ('baseline_armss', 'baseline', 'points', 'baseline_armss'),
    ('last_armss', 'last', 'points', 'last_armss'),
    ('armss_change', 'last', 'points', 'armss_change'),
    ('ped_msss', 'baseline', 'points', 'ped_msss'),
    ('ped_msss_change', 'last', 'points', 'ped_msss_change'),
] %}

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
    from {{ ref('int_outcomes__patient_epochs') }} as epochs
    inner join {{ ref('int_outcomes__epoch_names') }} as names on epochs.epoch_key = names.epoch_key
    where names.is_rule_in_use
),

paired as (
    select * from {{ ref('int_outcomes__paired_epochs') }}
),

values_of_patients as (
    {% for metric, time_point, unit, expression in measures_of_patients %}
    select
        patient_key, '{{ metric }}' as metric, '{{ time_point }}' as time_point, '{{ unit }}' as unit,
        {{ expression }} as value
    from measures
    union all
    {% endfor %}
    select patient_key, 'edss', landmark, 'points', edss from landmarks
    union all
    select patient_key, 'edss_change', landmark, 'points', edss_change from landmarks
    union all
    select
        epochs.patient_key, 'edss_change', epochs.epoch, 'points',
        epochs.edss_end - measures.baseline_edss
    from epochs
    inner join measures on epochs.patient_key = measures.patient_key
    where epochs.epoch like 'year_%' and epochs.edss_end_date > epochs.start_date
    union all
    select patient_key, 'arr_per_year', epoch, 'per_year', arr_per_year from epochs
    where epoch in ('pre_index_24m', 'pre_index_12m', 'post_index')
    union all
    select patient_key, 'new_t2_per_scan', epoch, 'lesions_per_scan', new_t2_per_scan from epochs
    where epoch like 'nct%' or epoch in ('pre_index_24m', 'post_index')
    union all
    select
        patient_key, 'arr_change', concat(before_epoch, '_to_', after_epoch), 'per_year',
        after_value - before_value
    from paired
    where metric = 'arr_per_year'
),

found as (
    select distinct metric, time_point
    from values_of_patients
),

names as (
    select metric, time_point, row_number() over (order by metric, time_point) as metric_key
    from found
),

final as (
    select
        cast(names.metric_key as bigint) as metric_key,
        values_of_patients.patient_key,
        values_of_patients.metric,
        values_of_patients.time_point,
        values_of_patients.unit,
        values_of_patients.value,
        values_of_patients.metric in (
            'edss_change', 'msss_change', 'armss_change', 'ped_msss_change', 'arr_change'
        ) as is_change,
        case
            when values_of_patients.metric in (
                'edss_change', 'msss_change', 'armss_change', 'ped_msss_change', 'arr_change'
            ) then cast(sign(round(values_of_patients.value, 9)) as bigint)
        end as direction
    from values_of_patients
    inner join names
        on values_of_patients.metric = names.metric and values_of_patients.time_point = names.time_point
    where values_of_patients.value is not null
)

select * from final
