{# Any dated record of a patient, whatever its kind: first and last day. Partial dates stand at their derived
   day; a partial stop stands at its first possible day, or it would lengthen the observation. #}
{% set kinds = [
    ('stg_cohort__edss', 'visit_date'),
    ('stg_cohort__relapses', 'onset_date'),
    ('stg_cohort__relapses', 'end_date_earliest'),
    ('stg_cohort__treatments', 'start_date'),
    ('stg_cohort__treatments', 'end_date_earliest'),
    ('stg_cohort__infusions', 'infusion_date'),
    ('stg_cohort__mri_scans', 'scan_date'),
    ('stg_cohort__assessments', 'assessed_on'),
    ('stg_cohort__adverse_events', 'onset_date'),
    ('stg_cohort__adverse_events', 'end_date_earliest'),
    ('stg_cohort__laboratory', 'sampled_on'),
    ('stg_cohort__pk_samples', 'cast(first_dose_at as date)'),
] %}

with

dated as (
    {% for model, day in kinds %}
    select cohort, patient_id, {{ day }} as record_date
    from {{ ref(model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select
        cohort,
        patient_id,
        min(record_date) as first_record_date,
        max(record_date) as last_record_date
    from dated
    where record_date is not null
    group by cohort, patient_id
)

select * from final
