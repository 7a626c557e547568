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
from {{ source('lake_derived', 'pharmacokinetics') }}
