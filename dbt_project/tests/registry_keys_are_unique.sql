-- Two rows under one key: the same record was read twice, or a source numbers its items twice.
{% set keys = {
    'studies': 'nct_id',
    'conditions': 'nct_id, ordinal',
    'arms': 'nct_id, ordinal',
    'interventions': 'nct_id, ordinal',
    'outcomes': 'nct_id, outcome_type, ordinal',
    'locations': 'nct_id, ordinal',
    'sponsors': 'nct_id, ordinal',
    'identifiers': 'nct_id, identifier_kind, ordinal',
    'study_references': 'nct_id, ordinal',
    'criteria': 'nct_id, criterion_id',
    'outcome_measures': 'nct_id, ordinal',
    'result_analyses': 'nct_id, outcome_ordinal, ordinal'
} %}
with repeated as (
    {% for table, key in keys.items() %}
    select '{{ table }}' as table_name, cast(count(*) as bigint) as rows_of_key
    from {{ ref('registry__' ~ table) }}
    group by {{ key }}
    having count(*) > 1
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select table_name, rows_of_key from repeated
)

select * from final
