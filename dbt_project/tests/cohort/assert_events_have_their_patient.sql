-- An event of a patient who is not in cohort.patients would count in no denominator.
with events as (

    {% for table in ['edss', 'relapses', 'treatments', 'infusions', 'mri_scans', 'assessments',
                     'adverse_events', 'laboratory', 'medical_history', 'pk_samples'] -%}
    select cohort, patient_id, '{{ table }}' as table_name from {{ ref('cohort__' ~ table) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

patients as (

    select cohort, patient_id from {{ ref('cohort__patients') }}

),

final as (

    select events.cohort, events.table_name, count(*) as orphans
    from events
    left join patients on events.cohort = patients.cohort and events.patient_id = patients.patient_id
    where patients.patient_id is null
    group by events.cohort, events.table_name

)

select * from final
