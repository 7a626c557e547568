{# Whether each shape of criterion is satisfied, for each combination of answers to its constraints: 0 no, 1 unknown,
   2 yes, by Kleene's logic over its constraints: ANDed within an alternative, ORed over alternatives, ANDed over the
   criterion. Patients come in later, by the combination that they have.

   `truth_evaluable` sets aside what no data can answer (consent, an investigator's opinion, what the text says
   beyond what was read) and keeps what is missing about the decisive kinds as unknown. #}

with

shapes as (
    select * from {{ ref('int_trials__shapes') }}
    where is_representative
),

shape_answers as (
    select * from {{ ref('int_trials__shape_answers') }}
),

four_states as (
    {%- for state in range(4) %}
    select cast({{ state }} as bigint) as state
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

-- one constraint has the four states of its condition; of several, the combinations that patients have
combinations as (
    select distinct
        shapes.shape_number,
        states.state as code,
        '' as further_codes
    from shapes
    cross join four_states as states
    where shapes.constraints = 1 and shapes.is_collected
    union all
    select distinct
        shape_number,
        code,
        further_codes
    from shape_answers
),

numbered as (
    select
        *,
        row_number() over (order by shape_number, code, further_codes) as combination_number
    from combinations
),

pages as (
    {{ pages_of('numbered', ['shape_number', 'combination_number']) }}
),

states as (
    select
        pages.combination_number,
        shapes.*,
        {{ state_in('pages.code', 'shapes.bits_in_page') }} as state
    from pages
    inner join shapes on pages.shape_number = shapes.shape_number and pages.page = shapes.page
    where shapes.is_collected
),

answers as (
    select
        *,
        {{ truth_of_state('state') }} as truth,
        state = 3 as is_not_collected
    from states
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

uncollected as (
    select
        shape_number,
        max(is_all_uncollected) as has_uncollected_conjunct
    from conjuncts
    group by shape_number
),

whole as (
    select
        shapes.shape_number,
        max(uncollected.has_uncollected_conjunct) as has_uncollected_conjunct,
        max(cast(shapes.has_residue as integer)) as has_residue,
        max(shapes.constraints) as constraints
    from shapes
    inner join uncollected on shapes.shape_number = uncollected.shape_number
    group by shapes.shape_number
),

satisfied as (
    select
        combination_number,
        shape_number,
        any_place,
        all_place,
        constraint_place,
        is_beside_decisive,
        is_decisive_kind,
        is_expected,
        is_not_collected,
        {{ satisfied('answers') }} as truth
    from answers
),

evaluable as (
    select
        *,
        {{ set_aside() }} as truth_evaluable
    from satisfied
),

by_alternative as (
    select
        combination_number,
        shape_number,
        any_place,
        all_place,
        min(truth) as truth,
        min(truth_evaluable) as truth_evaluable,
        min(truth * 1000 + constraint_place) as decider
    from evaluable
    group by combination_number, shape_number, any_place, all_place
),

with_uncollected as (
    select
        by_alternative.combination_number,
        by_alternative.shape_number,
        by_alternative.any_place,
        case when alternatives.has_uncollected = 1 then least(by_alternative.truth, 1) else by_alternative.truth end as truth,
        by_alternative.truth_evaluable,
        by_alternative.decider
    from by_alternative
    inner join alternatives
        on by_alternative.shape_number = alternatives.shape_number
        and by_alternative.any_place = alternatives.any_place
        and by_alternative.all_place = alternatives.all_place
),

by_conjunct as (
    select
        combination_number,
        shape_number,
        any_place,
        max(truth) as truth,
        max(truth_evaluable) as truth_evaluable,
        -- of equally good alternatives the first printed one, so that a rebuild shows the same sentence
        min_by(decider, -truth * 1000000 + decider) as decider
    from with_uncollected
    group by combination_number, shape_number, any_place
),

with_alternatives as (
    select
        by_conjunct.combination_number,
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
        combination_number,
        shape_number,
        min(truth) as truth,
        min(truth_evaluable) as truth_evaluable,
        min_by(decider, truth * 1000000 + decider) as decider
    from with_alternatives
    group by combination_number, shape_number
),

together as (
    select
        by_shape.combination_number,
        by_shape.shape_number,
        whole.constraints,
        case when whole.has_uncollected_conjunct = 1 or whole.has_residue = 1 then least(by_shape.truth, 1)
            else by_shape.truth end as truth,
        by_shape.truth_evaluable,
        by_shape.decider % 1000 as constraint_place
    from by_shape
    inner join whole on by_shape.shape_number = whole.shape_number
),

final as (
    select
        numbered.shape_number,
        numbered.code,
        numbered.further_codes,
        together.constraints,
        cast(together.truth as integer) as truth,
        cast(together.truth_evaluable as integer) as truth_evaluable,
        -- who does not fail may have what is unknown set aside, never the other way round
        cast({{ state_of('together.truth', 'together.truth_evaluable = 2') }} as bigint) as state,
        cast(together.constraint_place as integer) as constraint_place
    from together
    inner join numbered on together.combination_number = numbered.combination_number
)

select * from final
