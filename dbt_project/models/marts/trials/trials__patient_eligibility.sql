with

verdicts as (
    select * from {{ ref('int_trials__verdicts') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

studies as (
    select * from {{ ref('int_trials__studies') }}
),

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
),

group_truths as (
    select * from {{ ref('int_trials__group_truths') }}
),

totals as (
    select
        study_number,
        count(*) as criteria,
        sum(case when shape_number is null then 1 else 0 end) as constant_unknown
    from placed
    group by study_number
),

counts as (
    select
        shape_truths.patient_number,
        placed.study_number,
        sum(case when shape_truths.truth = 0 then 1 else 0 end) as not_met,
        sum(case when shape_truths.truth = 1 then 1 else 0 end) as unknown
    from placed
    inner join shape_truths on placed.shape_number = shape_truths.shape_number
    where shape_truths.truth < 2
    group by shape_truths.patient_number, placed.study_number
),

undecided as (
    select * from verdicts
    where verdict in ('indeterminate', 'eligible_on_evaluable')
),

-- unknown criteria whose answer could still change the verdict; those about missing patient data come first
open_questions as (
    select
        undecided.patient_number,
        undecided.study_number,
        placed.criterion_id,
        case when coalesce(shape_truths.truth_evaluable, case when placed.is_unread_decisive then 1 else 2 end) = 1 then 0 else 1 end
            * 100000 + placed.position_in_text as place
    from undecided
    inner join placed on undecided.study_number = placed.study_number
    left join shape_truths
        on placed.shape_number = shape_truths.shape_number and undecided.patient_number = shape_truths.patient_number
    left join group_truths
        on placed.study_number = group_truths.study_number
        and placed.top_any_group_id = group_truths.group_id
        and undecided.patient_number = group_truths.patient_number
    where coalesce(shape_truths.truth, 1) = 1 and coalesce(group_truths.truth, 1) = 1
),

deciding as (
    select patient_number, study_number, {{ list_of('criterion_id', 'place') }} as deciding_unknowns
    from open_questions
    group by patient_number, study_number
),

final as (
    select
        patients.cohort,
        patients.patient_id,
        studies.nct_id,
        verdicts.verdict,
        cast(totals.criteria - coalesce(counts.not_met, 0) - coalesce(counts.unknown, 0) - totals.constant_unknown as bigint)
            as criteria_met,
        cast(coalesce(counts.not_met, 0) as bigint) as criteria_not_met,
        cast(coalesce(counts.unknown, 0) + totals.constant_unknown as bigint) as criteria_unknown,
        failing.criterion_id as first_failing_criterion,
        deciding.deciding_unknowns,
        patients.screened_on,
        patients.screening_basis
    from verdicts
    inner join patients on verdicts.patient_number = patients.patient_number
    inner join studies on verdicts.study_number = studies.study_number
    inner join totals on verdicts.study_number = totals.study_number
    left join counts
        on verdicts.patient_number = counts.patient_number and verdicts.study_number = counts.study_number
    left join placed as failing
        on verdicts.study_number = failing.study_number and verdicts.first_failing_position = failing.position_in_text
    left join deciding
        on verdicts.patient_number = deciding.patient_number and verdicts.study_number = deciding.study_number
)

select * from final
