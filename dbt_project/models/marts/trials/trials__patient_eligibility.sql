with

study_answers as (
    select * from {{ ref('int_trials__study_answers') }}
),

patterns as (
    select * from {{ ref('int_trials__patterns') }}
),

pattern_verdicts as (
    select * from {{ ref('int_trials__pattern_verdicts') }}
),

pattern_truths as (
    select * from {{ ref('int_trials__pattern_truths') }}
),

group_truths as (
    select * from {{ ref('int_trials__group_truths') }}
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

totals as (
    select
        study_number,
        count(*) as criteria,
        sum(case when shape_number is null then 1 else 0 end) as constant_unknown
    from placed
    group by study_number
),

undecided as (
    select * from pattern_verdicts
    where verdict in ('indeterminate', 'eligible_on_evaluable')
),

-- Unknown criteria whose answer could still change the verdict. Those that lack data of this patient come first,
-- those about the decisive kinds before others; what is unknown for everybody follows, the same list for all.
own_questions as (
    select
        undecided.pattern_number,
        placed.criterion_id,
        case when pattern_truths.truth_evaluable = 1 then 0 else 1000000 end + placed.position_in_text as place
    from pattern_truths
    inner join undecided on pattern_truths.pattern_number = undecided.pattern_number
    inner join placed
        on pattern_truths.criterion_number = placed.criterion_number
        and placed.top_any_group_id is null
    where pattern_truths.truth = 1
    union all
    -- an alternative matters only while its group is undecided
    select
        undecided.pattern_number,
        placed.criterion_id,
        case when pattern_truths.truth_evaluable = 1 then 0 else 1000000 end + placed.position_in_text as place
    from undecided
    inner join group_truths
        on undecided.pattern_number = group_truths.pattern_number
        and group_truths.truth = 1
    inner join placed
        on undecided.study_number = placed.study_number and group_truths.group_id = placed.top_any_group_id
    left join pattern_truths
        on placed.criterion_number = pattern_truths.criterion_number
        and undecided.pattern_number = pattern_truths.pattern_number
    where coalesce(pattern_truths.truth, 1) = 1
),

own_lists as (
    select
        pattern_number,
        {{ list_of('criterion_id', 'place') }} as criterion_ids
    from own_questions
    group by pattern_number
),

constant_lists as (
    select
        study_number,
        {{ list_of('criterion_id', 'position_in_text') }} as criterion_ids
    from placed
    where shape_number is null and top_any_group_id is null
    group by study_number
),

open_lists as (
    select
        undecided.pattern_number,
        case
            when own_lists.criterion_ids is null then constant_lists.criterion_ids
            when constant_lists.criterion_ids is null then own_lists.criterion_ids
            else {{ lists_together('own_lists.criterion_ids', 'constant_lists.criterion_ids') }}
        end as criterion_ids
    from undecided
    left join own_lists on undecided.pattern_number = own_lists.pattern_number
    left join constant_lists on undecided.study_number = constant_lists.study_number
),

-- all that a patient's row says, but for the patient
judged as (
    select
        patterns.study_number,
        patterns.code,
        patterns.further_codes,
        studies.nct_id,
        pattern_verdicts.verdict,
        totals.criteria - pattern_verdicts.criteria_not_met - pattern_verdicts.criteria_unknown - totals.constant_unknown
            as criteria_met,
        pattern_verdicts.criteria_not_met,
        pattern_verdicts.criteria_unknown + totals.constant_unknown as criteria_unknown,
        failing.criterion_id as first_failing_criterion,
        open_lists.criterion_ids as deciding_unknowns
    from patterns
    inner join pattern_verdicts on patterns.pattern_number = pattern_verdicts.pattern_number
    inner join studies on patterns.study_number = studies.study_number
    inner join totals on patterns.study_number = totals.study_number
    left join placed as failing
        on patterns.study_number = failing.study_number
        and pattern_verdicts.first_failing_position = failing.position_in_text
    left join open_lists on patterns.pattern_number = open_lists.pattern_number
),

final as (
    select
        patients.cohort,
        patients.patient_id,
        judged.nct_id,
        judged.verdict,
        cast(judged.criteria_met as bigint) as criteria_met,
        cast(judged.criteria_not_met as bigint) as criteria_not_met,
        cast(judged.criteria_unknown as bigint) as criteria_unknown,
        judged.first_failing_criterion,
        judged.deciding_unknowns,
        patients.screened_on,
        patients.screening_basis
    from study_answers
    inner join judged
        on study_answers.study_number = judged.study_number
        and study_answers.code = judged.code
        and study_answers.further_codes = judged.further_codes
    inner join patients on study_answers.patient_number = patients.patient_number
)

select * from final
