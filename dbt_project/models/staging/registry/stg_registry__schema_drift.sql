select
    path,
    drift_kind,
    occurrences,
    studies_sampled,
    example_nct_id,
    known_reason
from {{ source('lake_registry', 'schema_drift') }}
