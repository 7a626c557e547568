{# "At least one of" groups for every way to stand before a study, rolled up from the deepest level to the topmost group with 'any'. #}

with

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where top_any_group_id is not null
),

groups as (
    select * from {{ ref('int_trials__groups') }}
    where top_any_group_id is not null
),

patterns as (
    select * from {{ ref('int_trials__patterns') }}
),

pattern_truths as (
    select * from {{ ref('int_trials__pattern_truths') }}
),

members as (
    select
        patterns.pattern_number,
        placed.study_number,
        placed.group_id,
        coalesce(pattern_truths.truth, 1) as truth,
        case
            -- the alternative that nobody can look up does not stand in for one about the disease
            when coalesce(pattern_truths.truth, 1) = 1 and placed.is_decisive = false and placed.is_beside_decisive then 1
            when pattern_truths.truth is null and placed.is_unread_decisive then 1
            else coalesce(pattern_truths.truth_evaluable, 2)
        end as truth_evaluable
    from placed
    inner join patterns on placed.study_number = patterns.study_number
    left join pattern_truths
        on placed.criterion_number = pattern_truths.criterion_number
        and patterns.pattern_number = pattern_truths.pattern_number
),

{%- for depth in [4, 3, 2, 1, 0] %}

inputs_{{ depth }} as (
    select members.pattern_number, members.study_number, groups.group_id, groups.parent_group_id, groups.group_logic,
        groups.group_minimum, members.truth, members.truth_evaluable
    from members
    inner join groups on members.study_number = groups.study_number and members.group_id = groups.group_id
    where groups.group_depth = {{ depth }}
    {%- if depth < 4 %}
    union all
    select below.pattern_number, below.study_number, groups.group_id, groups.parent_group_id, groups.group_logic,
        groups.group_minimum, below.truth, below.truth_evaluable
    from level_{{ depth + 1 }} as below
    inner join groups on below.study_number = groups.study_number and below.parent_group_id = groups.group_id
    where groups.group_depth = {{ depth }}
    {%- endif %}
),

level_{{ depth }} as (
    select
        pattern_number,
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
    group by pattern_number, study_number, group_id, parent_group_id, group_logic, group_minimum
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
        levels.pattern_number,
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
