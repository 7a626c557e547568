{# Whether a patient satisfies each shape of criterion: 0 no, 1 unknown, 2 yes, by Kleene's logic over its
   constraints: ANDed within an alternative, ORed over alternatives, ANDed over the criterion.

   `truth_evaluable` sets aside what no data can answer (consent, an investigator's opinion, what the text says
   beyond what was read) and keeps what is missing about the decisive kinds as unknown. #}

with

represented as (
    select *, count(*) over (partition by shape_number) as constraints
    from {{ ref('int_trials__shapes') }}
    where is_representative
),

-- most criteria are one constraint: they need no logic over several
single as (
    select * from represented
    where constraints = 1 and is_collected
),

shapes as (
    select * from represented
    where constraints > 1
),

answers as (
    select * from {{ ref('int_trials__answers') }}
),

-- an alternative of one constraint, or a conjunct of one alternative, is that one: nothing to be grouped
collected as (
    select
        *,
        count(*) over (partition by shape_number, any_place, all_place) as members,
        count(*) over (partition by shape_number, any_place) as members_of_conjunct
    from shapes
    where is_collected
),

single_satisfied as (
    select
        answers.patient_number,
        single.shape_number,
        single.constraint_place,
        single.has_residue,
        single.is_beside_decisive,
        single.is_decisive_kind,
        single.is_expected,
        answers.unknown_kind,
        {{ satisfied('single') }} as truth
    from single
    inner join answers on single.condition_number = answers.condition_number
),

singles as (
    select
        patient_number,
        shape_number,
        cast(case when has_residue then least(truth, 1) else truth end as integer) as truth,
        cast({{ set_aside() }} as integer) as truth_evaluable,
        cast(constraint_place as integer) as constraint_place
    from single_satisfied
),

-- members that have no answers: unknown for everybody, at each level of the logic
alternatives as (
    select
        shape_number,
        any_place,
        all_place,
        max(case when is_collected then 0 else 1 end) as has_uncollected,
        min(case when is_collected then 0 else 1 end) as is_all_uncollected
    from shapes
    group by shape_number, any_place, all_place
),

conjuncts as (
    select
        shape_number,
        any_place,
        max(is_all_uncollected) as has_uncollected_alternative,
        min(is_all_uncollected) as is_all_uncollected
    from alternatives
    group by shape_number, any_place
),

whole as (
    select
        conjuncts.shape_number,
        max(conjuncts.is_all_uncollected) as has_uncollected_conjunct,
        max(cast(shapes.has_residue as integer)) as has_residue
    from conjuncts
    inner join shapes on conjuncts.shape_number = shapes.shape_number
    group by conjuncts.shape_number
),

satisfied as (
    select
        answers.patient_number,
        collected.shape_number,
        collected.any_place,
        collected.all_place,
        collected.constraint_place,
        collected.members,
        collected.members_of_conjunct,
        collected.is_beside_decisive,
        collected.is_decisive_kind,
        collected.is_expected,
        answers.unknown_kind,
        {{ satisfied('collected') }} as truth
    from collected
    inner join answers on collected.condition_number = answers.condition_number
),

evaluable as (
    select
        *,
        {{ set_aside() }} as truth_evaluable
    from satisfied
),

by_alternative as (
    select
        patient_number,
        shape_number,
        any_place,
        all_place,
        truth,
        truth_evaluable,
        truth * 1000 + constraint_place as decider,
        members_of_conjunct
    from evaluable
    where members = 1
    union all
    select
        patient_number,
        shape_number,
        any_place,
        all_place,
        min(truth) as truth,
        min(truth_evaluable) as truth_evaluable,
        min(truth * 1000 + constraint_place) as decider,
        max(members_of_conjunct) as members_of_conjunct
    from evaluable
    where members > 1
    group by patient_number, shape_number, any_place, all_place
),

with_uncollected as (
    select
        by_alternative.patient_number,
        by_alternative.shape_number,
        by_alternative.any_place,
        case when alternatives.has_uncollected = 1 then least(by_alternative.truth, 1) else by_alternative.truth end as truth,
        by_alternative.truth_evaluable,
        by_alternative.decider,
        by_alternative.members_of_conjunct
    from by_alternative
    inner join alternatives
        on by_alternative.shape_number = alternatives.shape_number
        and by_alternative.any_place = alternatives.any_place
        and by_alternative.all_place = alternatives.all_place
),

by_conjunct as (
    select
        patient_number,
        shape_number,
        any_place,
        truth,
        truth_evaluable,
        decider
    from with_uncollected
    where members_of_conjunct = 1
    union all
    select
        patient_number,
        shape_number,
        any_place,
        max(truth) as truth,
        max(truth_evaluable) as truth_evaluable,
        -- of equally good alternatives the first printed one, so that a rebuild shows the same sentence
        min_by(decider, -truth * 1000000 + decider) as decider
    from with_uncollected
    where members_of_conjunct > 1
    group by patient_number, shape_number, any_place
),

with_alternatives as (
    select
        by_conjunct.patient_number,
        by_conjunct.shape_number,
        case when conjuncts.has_uncollected_alternative = 1 then greatest(by_conjunct.truth, 1) else by_conjunct.truth end as truth,
        case when conjuncts.has_uncollected_alternative = 1 then greatest(by_conjunct.truth_evaluable, 1)
            else by_conjunct.truth_evaluable end as truth_evaluable,
        by_conjunct.decider
    from by_conjunct
    inner join conjuncts
        on by_conjunct.shape_number = conjuncts.shape_number and by_conjunct.any_place = conjuncts.any_place
),

by_shape as (
    select
        patient_number,
        shape_number,
        min(truth) as truth,
        min(truth_evaluable) as truth_evaluable,
        min_by(decider, truth * 1000000 + decider) as decider
    from with_alternatives
    group by patient_number, shape_number
),

several as (
    select
        by_shape.patient_number,
        by_shape.shape_number,
        cast(
            case when whole.has_uncollected_conjunct = 1 or whole.has_residue = 1 then least(by_shape.truth, 1)
                else by_shape.truth end as integer
        ) as truth,
        cast(by_shape.truth_evaluable as integer) as truth_evaluable,
        cast(by_shape.decider % 1000 as integer) as constraint_place
    from by_shape
    inner join whole on by_shape.shape_number = whole.shape_number
),

together as (
    select * from singles
    union all
    select * from several
),

-- what follows counts per patient: rows of one patient side by side make that half as dear
final as (
    select * from together
    order by patient_number
)

select * from final
