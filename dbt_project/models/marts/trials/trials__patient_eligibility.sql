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

-- set 0: nothing open beyond what is unknown for everybody
sets_and_none as (
    select set_number, criterion_ids from whole_lists
    union all
    select cast(0 as bigint) as set_number, cast(null as {{ type_string_list() }}) as criterion_ids
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

-- all in numbers as long as rows are many; only what is open is looked up among what is open
numbered as (
    select
        undecided.patient_number,
        undecided.study_number,
        undecided.verdict,
        undecided.criteria_not_met,
        undecided.criteria_unknown,
        cast(0 as bigint) as first_failing_position,
        coalesce(open_questions.set_number, 0) as set_number,
        true as is_undecided
    from undecided
    left join open_questions
        on undecided.patient_number = open_questions.patient_number
        and undecided.study_number = open_questions.study_number
    union all
    select
        patient_number,
        study_number,
        verdict,
        criteria_not_met,
        criteria_unknown,
        coalesce(first_failing_position, 0) as first_failing_position,
        cast(0 as bigint) as set_number,
        false as is_undecided
    from verdicts
    where verdict not in ('indeterminate', 'eligible_on_evaluable')
),

-- place 0 stands for no criterion, so that the join below is an inner one
failing as (
    select
        study_number,
        position_in_text,
        criterion_id
    from placed
    union all
    select
        study_number,
        cast(0 as bigint) as position_in_text,
        cast(null as string) as criterion_id
    from totals
),

final as (
    select
        patients.cohort,
        patients.patient_id,
        studies.nct_id,
        numbered.verdict,
        cast(totals.criteria - numbered.criteria_not_met - numbered.criteria_unknown - totals.constant_unknown as bigint)
            as criteria_met,
        cast(numbered.criteria_not_met as bigint) as criteria_not_met,
        cast(numbered.criteria_unknown + totals.constant_unknown as bigint) as criteria_unknown,
        failing.criterion_id as first_failing_criterion,
        case when numbered.is_undecided then coalesce(sets_and_none.criterion_ids, constant_lists.criterion_ids) end
            as deciding_unknowns,
        patients.screened_on,
        patients.screening_basis
    from numbered
    inner join patients on numbered.patient_number = patients.patient_number
    inner join studies on numbered.study_number = studies.study_number
    inner join totals on numbered.study_number = totals.study_number
    inner join failing
        on numbered.study_number = failing.study_number
        and numbered.first_failing_position = failing.position_in_text
    inner join sets_and_none on numbered.set_number = sets_and_none.set_number
    left join constant_lists on numbered.study_number = constant_lists.study_number
)

select * from final
