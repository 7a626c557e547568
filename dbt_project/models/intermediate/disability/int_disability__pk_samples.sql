{# Serum samples for the non-compartmental analysis. #}
{{ statistics_input() }}

with

samples as (
    select * from {{ ref('stg_cohort__pk_samples') }}
),

final as (
    select
        cohort,
        patient_id,
        first_dose_at,
        time_h,
        concentration,
        unit,
        is_below_quantification,
        lower_limit
    from samples
)

select * from final
