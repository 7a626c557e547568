with schema_drift as (
    select * from {{ ref('stg_registry__schema_drift') }}
),

final as (
    select
        path,
        drift_kind,
        occurrences,
        studies_sampled,
        example_nct_id,
        known_reason
    from schema_drift
)

select * from final
