select
    nct_id,
    ordinal,
    intervention_type,
    name,
    description,
    arm_labels,
    other_names
from {{ source('lake_registry', 'interventions') }}
