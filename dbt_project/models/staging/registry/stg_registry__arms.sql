select
    nct_id,
    ordinal,
    label,
    arm_type,
    description,
    intervention_names
from {{ source('lake_registry', 'arms') }}
