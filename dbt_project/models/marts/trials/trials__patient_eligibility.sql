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

alternative_shapes as (
    select distinct shape_number
    from placed
    where top_any_group_id is not null and shape_number is not null
),

alternative_truths as (
    select shape_truths.*
    from shape_truths
    inner join alternative_shapes on shape_truths.shape_number = alternative_shapes.shape_number
),

-- Unknown criteria whose answer could still change the verdict. Those that lack data of this patient come first,
-- those about the decisive kinds before others; what is unknown for everybody follows, the same list for all.
own_questions as (
    select
        undecided.patient_number,
        undecided.study_number,
        case when shape_truths.truth_evaluable = 1 then 0 else 1000000 end + placed.position_in_text as place
    from shape_truths
    inner join placed
        on shape_truths.shape_number = placed.shape_number
        and placed.top_any_group_id is null
    inner join undecided
        on placed.study_number = undecided.study_number
        and shape_truths.patient_number = undecided.patient_number
    where shape_truths.truth = 1
    union all
    -- an alternative matters only while its group is undecided
    select
        undecided.patient_number,
        undecided.study_number,
        case when alternative_truths.truth_evaluable = 1 then 0 else 1000000 end + placed.position_in_text as place
    from undecided
    inner join group_truths
        on undecided.patient_number = group_truths.patient_number
        and undecided.study_number = group_truths.study_number
        and group_truths.truth = 1
    inner join placed
        on undecided.study_number = placed.study_number and group_truths.group_id = placed.top_any_group_id
    left join alternative_truths
        on coalesce(placed.shape_number, 0) = alternative_truths.shape_number
        and undecided.patient_number = alternative_truths.patient_number
    where coalesce(alternative_truths.truth, 1) = 1
),

-- few different sets of questions are open, of many patients: sets of numbers here, their words once for each below
own_sets as (
    select
        patient_number,
        study_number,
        {{ sorted_set('place') }} as places
    from own_questions
    group by patient_number, study_number
),

different_sets as (
    select
        study_number,
        places,
        row_number() over (order by study_number) as set_number
    from own_sets
    group by study_number, places
),

set_members as (
    select
        study_number,
        set_number,
        {{ each_of('places') }} as place
    from different_sets
),

set_words as (
    select
        set_members.set_number,
        {{ list_of('placed.criterion_id', 'set_members.place') }} as criterion_ids
    from set_members
    inner join placed
        on set_members.study_number = placed.study_number
        and set_members.place % 1000000 = placed.position_in_text
    group by set_members.set_number
),

constant_lists as (
    select
        study_number,
        {{ list_of('criterion_id', 'position_in_text') }} as criterion_ids
    from placed
    where shape_number is null and top_any_group_id is null
    group by study_number
),

whole_lists as (
    select
        different_sets.set_number,
        case
            when constant_lists.criterion_ids is null then set_words.criterion_ids
            else {{ lists_together('set_words.criterion_ids', 'constant_lists.criterion_ids') }}
        end as criterion_ids
    from different_sets
    inner join set_words on different_sets.set_number = set_words.set_number
    left join constant_lists on different_sets.study_number = constant_lists.study_number
),

open_questions as (
    select
        own_sets.patient_number,
        own_sets.study_number,
        different_sets.set_number
    from own_sets
    inner join different_sets
        on own_sets.study_number = different_sets.study_number and own_sets.places = different_sets.places
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
            when verdicts.verdict in ('indeterminate', 'eligible_on_evaluable')
                then coalesce(whole_lists.criterion_ids, constant_lists.criterion_ids)
        end as deciding_unknowns,
        patients.screened_on,
        patients.screening_basis
    from verdicts
    inner join patients on verdicts.patient_number = patients.patient_number
    inner join studies on verdicts.study_number = studies.study_number
    inner join totals on verdicts.study_number = totals.study_number
    left join placed as failing
        on verdicts.study_number = failing.study_number
        -- null keys of a join are compared with one another for nothing
        and coalesce(verdicts.first_failing_position, 0) = failing.position_in_text
    left join open_questions
        on verdicts.patient_number = open_questions.patient_number and verdicts.study_number = open_questions.study_number
    left join whole_lists on coalesce(open_questions.set_number, 0) = whole_lists.set_number
    left join constant_lists on verdicts.study_number = constant_lists.study_number
)

select * from final
