{# "At least one of" groups for every patient, rolled up from the deepest level to the topmost group with 'any'. #}

with

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where top_any_group_id is not null
),

groups as (
    select * from {{ ref('int_trials__groups') }}
    where top_any_group_id is not null
),

patients as (
    select patient_number from {{ ref('int_trials__patients') }}
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
),

members as (
    select
        patients.patient_number,
        placed.study_number,
        placed.group_id,
        coalesce(shape_truths.truth, 1) as truth,
        case
            -- the alternative that nobody can look up does not stand in for one about the disease
            when coalesce(shape_truths.truth, 1) = 1 and placed.is_decisive = false and placed.is_beside_decisive then 1
            when shape_truths.truth is null and placed.is_unread_decisive then 1
            else coalesce(shape_truths.truth_evaluable, 2)
        end as truth_evaluable
    from placed
    cross join patients
    left join shape_truths
        on placed.shape_number = shape_truths.shape_number and patients.patient_number = shape_truths.patient_number
),

{%- for depth in [4, 3, 2, 1, 0] %}

inputs_{{ depth }} as (
    select members.patient_number, members.study_number, groups.group_id, groups.parent_group_id, groups.group_logic,
        groups.group_minimum, members.truth, members.truth_evaluable
    from members
    inner join groups on members.study_number = groups.study_number and members.group_id = groups.group_id
    where groups.group_depth = {{ depth }}
    {%- if depth < 4 %}
    union all
    select below.patient_number, below.study_number, groups.group_id, groups.parent_group_id, groups.group_logic,
        groups.group_minimum, below.truth, below.truth_evaluable
    from level_{{ depth + 1 }} as below
    inner join groups on below.study_number = groups.study_number and below.parent_group_id = groups.group_id
    where groups.group_depth = {{ depth }}
    {%- endif %}
),

level_{{ depth }} as (
    select
        patient_number,
        study_number,
        group_id,
        parent_group_id,
        case
            when group_logic = 'all' then min(truth)
            when sum(case when truth = 2 then 1 else 0 end) >= group_minimum then 2
            when sum(case when truth >= 1 then 1 else 0 end) >= group_minimum then 1
            else 0
        end as truth,
        case
            when group_logic = 'all' then min(truth_evaluable)
            when sum(case when truth_evaluable = 2 then 1 else 0 end) >= group_minimum then 2
            when sum(case when truth_evaluable >= 1 then 1 else 0 end) >= group_minimum then 1
            else 0
        end as truth_evaluable
    from inputs_{{ depth }}
    group by patient_number, study_number, group_id, parent_group_id, group_logic, group_minimum
),
{%- endfor %}

levels as (
    {%- for depth in [0, 1, 2, 3, 4] %}
    select * from level_{{ depth }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

final as (
    select
        levels.patient_number,
        levels.study_number,
        levels.group_id,
        cast(levels.truth as integer) as truth,
        cast(levels.truth_evaluable as integer) as truth_evaluable
    from levels
    inner join groups
        on levels.study_number = groups.study_number
        and levels.group_id = groups.group_id
        and groups.group_id = groups.top_any_group_id
)

select * from final
