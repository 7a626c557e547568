with

amendments as (
    select * from {{ ref('trials__amendments') }}
),

criteria as (
    select * from {{ ref('trials__amended_criteria') }}
),

touched as (
    select
        cohort,
        nct_id,
        amendment,
        sum(case when change_kind = 'removed' then 1 else 0 end) as criteria_removed,
        sum(case when change_kind = 'added' then 1 else 0 end) as criteria_added
    from criteria
    group by cohort, nct_id, amendment
),

counted as (
    select
        cohort,
        nct_id,
        amendment,
        version,
        seen_at,
        count(*) as patients,
        sum(case when is_changed then 1 else 0 end) as patients_changed,
        sum(case when effect = 'gained' then 1 else 0 end) as candidates_gained,
        sum(case when effect = 'lost' then 1 else 0 end) as candidates_lost,
        sum(case when verdict_before in ('eligible', 'eligible_on_evaluable') then 1 else 0 end) as candidates_before,
        sum(case when verdict_after in ('eligible', 'eligible_on_evaluable') then 1 else 0 end) as candidates_after,
        sum(case when verdict_before = 'ineligible' then 1 else 0 end) as ineligible_before,
        sum(case when verdict_after = 'ineligible' then 1 else 0 end) as ineligible_after
    from amendments
    group by cohort, nct_id, amendment, version, seen_at
),

final as (
    select
        counted.cohort,
        counted.nct_id,
        counted.amendment,
        counted.version,
        counted.seen_at,
        cast(coalesce(touched.criteria_removed, 0) as bigint) as criteria_removed,
        cast(coalesce(touched.criteria_added, 0) as bigint) as criteria_added,
        cast(counted.patients as bigint) as patients,
        cast(counted.patients_changed as bigint) as patients_changed,
        cast(counted.candidates_gained as bigint) as candidates_gained,
        cast(counted.candidates_lost as bigint) as candidates_lost,
        cast(counted.candidates_before as bigint) as candidates_before,
        cast(counted.candidates_after as bigint) as candidates_after,
        cast(counted.ineligible_before as bigint) as ineligible_before,
        cast(counted.ineligible_after as bigint) as ineligible_after
    from counted
    left join touched
        on counted.cohort = touched.cohort
        and counted.nct_id = touched.nct_id
        and counted.amendment = touched.amendment
)

select * from final
