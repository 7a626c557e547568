{# The groups of each study's criteria with the topmost "any of" that each belongs to. Below only "all of", a
   criterion is simply one of the study's conditions, whatever the depth. #}

with

all_criteria as (
    {{ all_versions(ref('stg_registry__criteria'), ref('stg_registry__earlier_criteria'), [
        'nct_id', 'group_id', 'parent_group_id', 'group_logic', 'group_minimum', 'group_depth', 'part', 'ordinal']) }}
),

criteria as (
    select * from all_criteria
    where group_id is not null
),

studies as (
    select * from {{ ref('int_trials__studies') }}
),

groups as (
    select
        studies.study_number,
        criteria.nct_id,
        criteria.group_id,
        max(criteria.parent_group_id) as parent_group_id,
        max(coalesce(criteria.group_logic, 'all')) as group_logic,
        max(coalesce(criteria.group_minimum, 1)) as group_minimum,
        max(coalesce(criteria.group_depth, 0)) as group_depth,
        max(coalesce(criteria.part, '')) as part,
        min(criteria.ordinal) as first_ordinal
    from criteria
    inner join studies on criteria.nct_id = studies.nct_id and criteria.versions_back = studies.versions_back
    group by studies.study_number, criteria.nct_id, criteria.group_id
),

final as (
    select
        groups.study_number,
        groups.nct_id,
        groups.group_id,
        groups.parent_group_id,
        groups.group_logic,
        cast(groups.group_minimum as bigint) as group_minimum,
        cast(groups.group_depth as bigint) as group_depth,
        groups.part,
        -- nearest to the top first
        coalesce(
            {%- for level in [4, 3, 2, 1] %}
            case when parent_{{ level }}.group_logic = 'any' then parent_{{ level }}.group_id end,
            {%- endfor %}
            case when groups.group_logic = 'any' then groups.group_id end
        ) as top_any_group_id
    from groups
    {%- for level in [1, 2, 3, 4] %}
    left join groups as parent_{{ level }}
        on {{ 'groups' if level == 1 else 'parent_' ~ (level - 1) }}.study_number = parent_{{ level }}.study_number
        and {{ 'groups' if level == 1 else 'parent_' ~ (level - 1) }}.parent_group_id = parent_{{ level }}.group_id
    {%- endfor %}
)

select * from final
