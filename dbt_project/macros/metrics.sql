{# The numbers of a patient that summaries are made of: metric, time point, unit, column of
   int_outcomes__patient_measures. #}
{% macro patient_metrics() -%}
{{ return([
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
]) }}
{%- endmacro %}

{# The number of a metric and time point: the place of its kind, then the landmark's, epoch's or pair's own number. #}
{% macro metric_key(kind, number=none) -%}
{%- set kinds = ['landmark_edss', 'landmark_edss_change', 'epoch_edss_change', 'epoch_rate', 'epoch_lesions', 'pair_rate_change'] -%}
{%- if number is none -%}
cast({{ kind }} as bigint)
{%- else -%}
cast({{ 100 + kinds.index(kind) }} * 10000000000 + {{ number }} as bigint)
{%- endif -%}
{%- endmacro %}

{# Why a window has no rate: null where it has one. #}
{% macro rate_null_reason(exposure_days, has_relapses_table) -%}
case
    when not {{ has_relapses_table }} then 'relapses_not_delivered'
    when {{ exposure_days }} = 0 then 'no_exposure'
    when {{ exposure_days }} < {{ var('minimum_exposure_days') }} then 'short_exposure'
end
{%- endmacro %}
