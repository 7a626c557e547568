with field_changes as (
    select * from {{ ref('stg_registry__field_changes') }}
),

final as (
    select
        nct_id,
        field_path,
        change_kind,
        old_value,
        new_value,
        version,
        seen_at,
        is_primary_outcome_change,
        is_eligibility_change,
        is_enrollment_change,
        is_completion_slip,
        is_status_change,
        source
    from field_changes
)

select * from final
