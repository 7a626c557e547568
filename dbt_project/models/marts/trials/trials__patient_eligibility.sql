with

verdicts as (
    select * from {{ ref('int_trials__verdicts') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

studies as (
    select * from {{ ref('int_trials__studies') }}
    where versions_back = 0
),

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where versions_back = 0
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

undecided as (
    select * from verdicts
    where verdict in ('indeterminate', 'eligible_on_evaluable')
),

-- Unknown criteria whose answer could still change the verdict. Those that lack data of this patient come first,
-- those about the decisive kinds before others; what is unknown for everybody follows, the same list for all.
own_questions as (
    select
        undecided.patient_number,
        undecided.study_number,
        placed.criterion_id,
        case when shape_truths.truth_evaluable = 1 then 0 else 100000 end + placed.position_in_text as place
    from undecided
    inner join shape_truths on undecided.patient_number = shape_truths.patient_number and shape_truths.truth = 1
    inner join placed
        on undecided.study_number = placed.study_number
        and shape_truths.shape_number = placed.shape_number
        and placed.top_any_group_id is null
    union all
    -- an alternative matters only while its group is undecided
    select
        undecided.patient_number,
        undecided.study_number,
        placed.criterion_id,
        case when shape_truths.truth_evaluable = 1 then 0 else 100000 end + placed.position_in_text as place
    from undecided
    inner join group_truths
        on undecided.patient_number = group_truths.patient_number
        and undecided.study_number = group_truths.study_number
        and group_truths.truth = 1
    inner join placed
        on undecided.study_number = placed.study_number and group_truths.group_id = placed.top_any_group_id
    left join shape_truths
        on placed.shape_number = shape_truths.shape_number and undecided.patient_number = shape_truths.patient_number
    where coalesce(shape_truths.truth, 1) = 1
),

own_lists as (
    select patient_number, study_number, {{ list_of('criterion_id', 'place') }} as criterion_ids
    from own_questions
    group by patient_number, study_number
),

constant_lists as (
    select
        study_number,
        {{ list_of('criterion_id', 'position_in_text') }} as criterion_ids
    from placed
    where shape_number is null and top_any_group_id is null
    group by study_number
),

final as (
    select
        patients.cohort,
        patients.patient_id,
        studies.nct_id,
        verdicts.verdict,
        cast(totals.criteria - verdicts.criteria_not_met - verdicts.criteria_unknown - totals.constant_unknown as bigint)
            as criteria_met,
        cast(verdicts.criteria_not_met as bigint) as criteria_not_met,
        cast(verdicts.criteria_unknown + totals.constant_unknown as bigint) as criteria_unknown,
        failing.criterion_id as first_failing_criterion,
        case
            when verdicts.verdict not in ('indeterminate', 'eligible_on_evaluable') then null
            when own_lists.criterion_ids is null then constant_lists.criterion_ids
            when constant_lists.criterion_ids is null then own_lists.criterion_ids
            else {{ lists_together('own_lists.criterion_ids', 'constant_lists.criterion_ids') }}
        end as deciding_unknowns,
        patients.screened_on,
        patients.screening_basis
    from verdicts
    inner join patients on verdicts.patient_number = patients.patient_number
    inner join studies on verdicts.study_number = studies.study_number
    inner join totals on verdicts.study_number = totals.study_number
    left join placed as failing
        on verdicts.study_number = failing.study_number and verdicts.first_failing_position = failing.position_in_text
    left join own_lists
        on verdicts.patient_number = own_lists.patient_number and verdicts.study_number = own_lists.study_number
    left join constant_lists on verdicts.study_number = constant_lists.study_number
)

select * from final
