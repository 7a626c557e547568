{# Every condition's truth for every patient: 0 false, 1 unknown, 2 true, with what the answer rests on.
   A view over the families. Conditions of kinds that the canonical tables do not collect (consent …) have no rows: unknown for everybody. #}

{{ config(materialized='view') }}

with

answers as (
    {%- for family in ['person', 'relapses', 'relapses_on_therapy', 'therapies', 'mri', 'history', 'laboratory'] %}
    select * from {{ ref('int_trials__answers_' ~ family) }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

final as (
    select
        patient_number,
        condition_number,
        truth,
        unknown_kind_code,
        number_low,
        number_high,
        evidence_table_code,
        evidence_number
    from answers
)

select * from final
