with

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where versions_back = 0
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

verdicts as (
    select * from {{ ref('int_trials__verdicts') }}
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
),

cohort_sizes as (
    select cohort, count(*) as patients
    from patients
    group by cohort
),

-- who leaves at which criterion: a group of alternatives counts at its first
leaving as (
    select
        patients.cohort,
        verdicts.study_number,
        verdicts.first_failing_position as position_in_text,
        count(*) as excluded
    from verdicts
    inner join patients on verdicts.patient_number = patients.patient_number
    where verdicts.first_failing_position is not null
    group by patients.cohort, verdicts.study_number, verdicts.first_failing_position
),

-- each criterion by itself, whoever is still there or not
alone as (
    select
        patients.cohort,
        shape_truths.shape_number,
        sum(case when shape_truths.truth = 0 then 1 else 0 end) as excluded,
        sum(case when shape_truths.truth = 1 then 1 else 0 end) as unknown
    from shape_truths
    inner join patients on shape_truths.patient_number = patients.patient_number
    group by patients.cohort, shape_truths.shape_number
),

-- unknown among those who are still there when the criterion is reached
unknown_then as (
    select
        patients.cohort,
        placed.criterion_number,
        count(*) as unknown
    from shape_truths
    inner join placed on shape_truths.shape_number = placed.shape_number
    inner join verdicts
        on placed.study_number = verdicts.study_number
        and shape_truths.patient_number = verdicts.patient_number
        and (verdicts.first_failing_position is null or verdicts.first_failing_position >= placed.position_in_text)
    inner join patients on shape_truths.patient_number = patients.patient_number
    where shape_truths.truth = 1
    group by patients.cohort, placed.criterion_number
),

steps as (
    select
        cohort_sizes.cohort,
        cohort_sizes.patients,
        placed.nct_id,
        placed.criterion_id,
        placed.position_in_text,
        placed.section,
        placed.part,
        placed.top_any_group_id is not null as is_alternative,
        placed.shape_number,
        coalesce(leaving.excluded, 0) as excluded,
        coalesce(sum(leaving.excluded) over (
            partition by cohort_sizes.cohort, placed.study_number
            order by placed.position_in_text
            rows between unbounded preceding and 1 preceding
        ), 0) as excluded_before,
        unknown_then.unknown as unknown_then,
        alone.excluded as excluded_alone,
        alone.unknown as unknown_alone
    from placed
    cross join cohort_sizes
    left join leaving
        on cohort_sizes.cohort = leaving.cohort
        and placed.study_number = leaving.study_number
        and placed.position_in_text = leaving.position_in_text
    left join alone
        on cohort_sizes.cohort = alone.cohort and placed.shape_number = alone.shape_number
    left join unknown_then
        on cohort_sizes.cohort = unknown_then.cohort and placed.criterion_number = unknown_then.criterion_number
),

final as (
    select
        cohort,
        nct_id,
        criterion_id,
        cast(position_in_text as bigint) as position_in_text,
        section,
        part,
        is_alternative,
        cast(patients - excluded_before as bigint) as remaining_before,
        cast(excluded as bigint) as excluded,
        cast(case when shape_number is null then patients - excluded_before else coalesce(unknown_then, 0) end as bigint)
            as unknown,
        cast(patients - excluded_before - excluded as bigint) as remaining_after,
        cast(coalesce(excluded_alone, 0) as bigint) as excluded_alone,
        cast(case when shape_number is null then patients else coalesce(unknown_alone, 0) end as bigint) as unknown_alone
    from steps
)

select * from final
