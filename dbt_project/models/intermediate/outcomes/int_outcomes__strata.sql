{# The three strata of every treated patient. #}
{{ config(materialized='view') }}

with

labels as (
    select * from {{ ref('int_outcomes__group_labels') }}
),

final as (
    {% for groupings in strata_of_groups() %}
    select patient_key, stratum_{{ loop.index }} as stratum_key from labels
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select * from final
