with

studies as (
    select * from {{ ref('int_trials__studies') }}
),

amendments as (
    select * from {{ ref('stg_registry__amendments') }}
),

verdicts as (
    select * from {{ ref('int_trials__verdicts') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
),

-- the version before each amendment and the one that it brought
pairs as (
    select
        before.nct_id,
        before.versions_back as amendment,
        before.study_number as number_before,
        after.study_number as number_after,
        amendments.version,
        amendments.seen_at
    from studies as before
    inner join studies as after
        on before.nct_id = after.nct_id and before.versions_back = after.versions_back + 1
    inner join amendments
        on before.nct_id = amendments.nct_id and before.versions_back = amendments.versions_back
),

compared as (
    select
        patients.cohort,
        patients.patient_id,
        pairs.nct_id,
        pairs.amendment,
        pairs.version,
        pairs.seen_at,
        verdicts_before.verdict as verdict_before,
        verdicts_after.verdict as verdict_after,
        verdicts_before.verdict in ('eligible', 'eligible_on_evaluable') as was_candidate,
        verdicts_after.verdict in ('eligible', 'eligible_on_evaluable') as is_candidate,
        failing_before.criterion_id as first_failing_criterion_before,
        failing_after.criterion_id as first_failing_criterion_after,
        patients.screened_on
    from pairs
    inner join verdicts as verdicts_before on pairs.number_before = verdicts_before.study_number
    inner join verdicts as verdicts_after
        on pairs.number_after = verdicts_after.study_number
        and verdicts_before.patient_number = verdicts_after.patient_number
    inner join patients on verdicts_before.patient_number = patients.patient_number
    left join placed as failing_before
        on verdicts_before.study_number = failing_before.study_number
        and coalesce(verdicts_before.first_failing_position, 0) = failing_before.position_in_text
    left join placed as failing_after
        on verdicts_after.study_number = failing_after.study_number
        and coalesce(verdicts_after.first_failing_position, 0) = failing_after.position_in_text
),

final as (
    select
        cohort,
        patient_id,
        nct_id,
        cast(amendment as bigint) as amendment,
        version,
        seen_at,
        verdict_before,
        verdict_after,
        verdict_before <> verdict_after as is_changed,
        case
            when is_candidate and not was_candidate then 'gained'
            when was_candidate and not is_candidate then 'lost'
            when verdict_before <> verdict_after then 'other'
            else 'none'
        end as effect,
        first_failing_criterion_before,
        first_failing_criterion_after,
        screened_on
    from compared
)

select * from final
