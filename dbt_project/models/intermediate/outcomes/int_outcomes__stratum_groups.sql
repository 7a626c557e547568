{# Which stratum is in which group. Exclusive groupings give every patient one group, unknown included; the others give as
   many as apply. #}
{% set strata = strata_of_groups() %}

with

labels as (
    select * from {{ ref('int_outcomes__group_labels') }}
),

groupings as (
    select * from {{ ref('groupings') }}
),

{% for groupings in strata %}
strata_{{ loop.index }} as (
    select
        stratum_{{ loop.index }} as stratum_key,
        cohort,
        {% for grouping, group_name, label in groupings %}
        {{ label }},
        {% endfor %}
        cast(count(*) as bigint) as patients
    from labels
    group by stratum_{{ loop.index }}, cohort{% for grouping, group_name, label in groupings %}, {{ label }}{% endfor %}
),

{% endfor %}
memberships as (
    {% for groupings in strata %}
    {% set stratum = loop %}
    {% for grouping, group_name, label in groupings %}
    select
        stratum_key, cohort, '{{ grouping }}' as grouping, {{ label if group_name is none else "'" ~ group_name ~ "'" }} as group_name,
        patients
    from strata_{{ stratum.index }}
    {% if group_name is not none %}where {{ label }}{% endif %}
    {% if not (stratum.last and loop.last) %}union all{% endif %}
    {% endfor %}
    {% endfor %}
),

found as (
    select distinct cohort, grouping, group_name
    from memberships
),

names as (
    select
        groupings.grouping,
        found.cohort,
        found.group_name,
        groupings.is_baseline_group,
        groupings.is_exclusive,
        row_number() over (order by found.cohort, found.grouping, found.group_name) as group_key
    from found
    inner join groupings on found.grouping = groupings.grouping
),

final as (
    select
        memberships.stratum_key,
        cast(names.group_key as bigint) as group_key,
        memberships.cohort,
        memberships.grouping,
        memberships.group_name,
        names.is_baseline_group,
        names.is_exclusive,
        memberships.patients
    from memberships
    inner join names
        on memberships.cohort = names.cohort
        and memberships.grouping = names.grouping
        and memberships.group_name = names.group_name
)

select * from final
