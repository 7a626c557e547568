{# Non-compartmental analysis, one profile per first dose: computed by pipeline/statistics/pharmacokinetics.py. #}

with

profiles as (
    select * from {{ ref('stg_derived__pharmacokinetics') }}
),

final as (
    select
        cohort,
        patient_id,
        first_dose_at,
        unit,
        samples,
        cmax,
        tmax_h,
        auc_last,
        auc_infinity,
        half_life_h,
        lambda_z,
        lambda_z_points,
        adjusted_r2,
        null_reason
    from profiles
)

select * from final
