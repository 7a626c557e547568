-- A row of a study that is not in registry.studies: a version was taken out and left something behind.
{% set children = [
    'conditions', 'keywords', 'arms', 'interventions', 'outcomes', 'outcome_epochs', 'locations', 'contacts', 'sponsors',
    'identifiers', 'study_references', 'mesh_terms', 'criteria', 'criterion_constraints', 'outcome_measures',
    'outcome_results', 'result_analyses', 'baseline_measures', 'participant_flow', 'adverse_events'
] %}
with studies as (
    select nct_id from {{ ref('registry__studies') }}
),

children as (
    {% for child in children %}
    select distinct nct_id, '{{ child }}' as table_name from {{ ref('registry__' ~ child) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select children.nct_id, children.table_name
    from children
    left join studies on children.nct_id = studies.nct_id
    where studies.nct_id is null
)

select * from final
