{# The verdict for every way to stand before a study. Satisfied conditions are counted by subtraction; what is unknown
   for everybody (consent, unread sentences) is counted per study. #}

with

placed as (
    select *, top_any_group_id is null as is_own
    from {{ ref('int_trials__placed_criteria') }}
),

patterns as (
    select * from {{ ref('int_trials__patterns') }}
),

pattern_truths as (
    select * from {{ ref('int_trials__pattern_truths') }}
),

group_truths as (
    select * from {{ ref('int_trials__group_truths') }}
),

groups as (
    select * from {{ ref('int_trials__groups') }}
    where group_id = top_any_group_id
),

group_places as (
    select
        study_number,
        top_any_group_id,
        min(position_in_text) as position_in_text,
        max(cast(is_about_disease as integer)) as is_about_disease
    from placed
    where top_any_group_id is not null
    group by study_number, top_any_group_id
),

-- the parts of a study, and what in each is unknown for everybody
parts as (
    select
        study_number,
        part,
        part_number,
        sum(case when top_any_group_id is null and shape_number is null then 1 else 0 end) as constant_unknown,
        sum(case when top_any_group_id is null and shape_number is null and is_unread_decisive then 1 else 0 end) as constant_decisive,
        sum(case when top_any_group_id is null and is_about_disease then 1 else 0 end) as about_disease
    from placed
    group by study_number, part, part_number
),

group_parts as (
    select
        group_places.study_number,
        groups.part,
        sum(group_places.is_about_disease) as about_disease
    from group_places
    inner join groups
        on group_places.study_number = groups.study_number and group_places.top_any_group_id = groups.group_id
    group by group_places.study_number, groups.part
),

-- what is not satisfied: conditions of their own decide, alternatives only count
own as (
    select
        pattern_truths.pattern_number,
        placed.part_number,
        cast(sum(case when pattern_truths.truth = 0 then 1 else 0 end) as bigint) as criteria_not_met,
        cast(sum(case when pattern_truths.truth = 1 then 1 else 0 end) as bigint) as criteria_unknown,
        sum(case when placed.is_own and pattern_truths.truth = 0 then 1 else 0 end) as failing,
        sum(case when placed.is_own and pattern_truths.truth = 1 then 1 else 0 end) as unknown,
        sum(case when placed.is_own and pattern_truths.truth_evaluable = 1 then 1 else 0 end) as unknown_decisive,
        sum(case when placed.is_own and placed.is_about_disease and pattern_truths.truth_evaluable < 2 then 1 else 0 end)
            as disease_not_met,
        min(case when placed.is_own and pattern_truths.truth = 0 then placed.position_in_text end) as first_failing_position
    from pattern_truths
    inner join placed on pattern_truths.criterion_number = placed.criterion_number
    where pattern_truths.truth < 2
    group by pattern_truths.pattern_number, placed.part_number
),

grouped as (
    select
        group_truths.pattern_number,
        group_truths.study_number,
        groups.part,
        sum(case when group_truths.truth = 0 then 1 else 0 end) as failing,
        sum(case when group_truths.truth = 1 then 1 else 0 end) as unknown,
        sum(case when group_truths.truth_evaluable = 1 then 1 else 0 end) as unknown_decisive,
        sum(case when group_truths.truth_evaluable < 2 then group_places.is_about_disease else 0 end) as disease_not_met,
        min(case when group_truths.truth = 0 then group_places.position_in_text end) as first_failing_position
    from group_truths
    inner join groups on group_truths.study_number = groups.study_number and group_truths.group_id = groups.group_id
    inner join group_places
        on group_truths.study_number = group_places.study_number
        and group_truths.group_id = group_places.top_any_group_id
    where group_truths.truth < 2
    group by group_truths.pattern_number, group_truths.study_number, groups.part
),

part_counts as (
    select
        patterns.pattern_number,
        parts.study_number,
        parts.part,
        parts.constant_unknown,
        parts.constant_decisive,
        parts.about_disease + coalesce(group_parts.about_disease, 0) as about_disease,
        coalesce(own.criteria_not_met, 0) as criteria_not_met,
        coalesce(own.criteria_unknown, 0) as criteria_unknown,
        coalesce(own.failing, 0) + coalesce(grouped.failing, 0) as failing,
        coalesce(own.unknown, 0) + coalesce(grouped.unknown, 0) as unknown,
        coalesce(own.unknown_decisive, 0) + coalesce(grouped.unknown_decisive, 0) as unknown_decisive,
        coalesce(own.disease_not_met, 0) + coalesce(grouped.disease_not_met, 0) as disease_not_met,
        least(own.first_failing_position, grouped.first_failing_position) as first_failing_position
    from parts
    inner join patterns on parts.study_number = patterns.study_number
    left join group_parts on parts.study_number = group_parts.study_number and parts.part = group_parts.part
    left join own
        on parts.part_number = own.part_number and patterns.pattern_number = own.pattern_number
    left join grouped
        on parts.study_number = grouped.study_number
        and parts.part = grouped.part
        and patterns.pattern_number = grouped.pattern_number
),

part_truths as (
    select
        pattern_number,
        study_number,
        part,
        case when failing > 0 then 0 when unknown + constant_unknown > 0 then 1 else 2 end as truth,
        case when failing > 0 then 0 when unknown_decisive + constant_decisive > 0 then 1 else 2 end as truth_evaluable,
        about_disease - disease_not_met as disease_met,
        criteria_not_met,
        criteria_unknown,
        first_failing_position
    from part_counts
),

studies_with_parts as (
    select distinct study_number
    from parts
    where part <> ''
),

-- everything outside the parts, and at least one named part where there are any
with_parts as (
    select
        part_truths.pattern_number,
        part_truths.study_number,
        least(
            coalesce(min(case when part_truths.part = '' then part_truths.truth end), 2),
            coalesce(max(case when part_truths.part <> '' then part_truths.truth end), 2)
        ) as truth,
        least(
            coalesce(min(case when part_truths.part = '' then part_truths.truth_evaluable end), 2),
            coalesce(max(case when part_truths.part <> '' then part_truths.truth_evaluable end), 2)
        ) as truth_evaluable,
        max(part_truths.disease_met) as disease_met,
        cast(sum(part_truths.criteria_not_met) as bigint) as criteria_not_met,
        cast(sum(part_truths.criteria_unknown) as bigint) as criteria_unknown,
        min(part_truths.first_failing_position) as first_failing_position,
        min(case when part_truths.part = '' then part_truths.first_failing_position end) as whole_failing_position
    from part_truths
    inner join studies_with_parts on part_truths.study_number = studies_with_parts.study_number
    group by part_truths.pattern_number, part_truths.study_number
),

-- most studies have no parts and need no grouping
without_parts as (
    select
        part_truths.pattern_number,
        part_truths.study_number,
        part_truths.truth,
        part_truths.truth_evaluable,
        part_truths.disease_met,
        part_truths.criteria_not_met,
        part_truths.criteria_unknown,
        part_truths.first_failing_position,
        part_truths.first_failing_position as whole_failing_position
    from part_truths
    left join studies_with_parts on part_truths.study_number = studies_with_parts.study_number
    where studies_with_parts.study_number is null
),

by_study as (
    select * from with_parts
    union all
    select * from without_parts
),

final as (
    select
        pattern_number,
        study_number,
        case
            when truth = 0 then 'ineligible'
            when truth = 2 then 'eligible'
            -- age alone makes nobody a candidate
            when truth_evaluable = 2 and disease_met > 0 then 'eligible_on_evaluable'
            else 'indeterminate'
        end as verdict,
        cast(case when truth = 0 then coalesce(whole_failing_position, first_failing_position) end as bigint)
            as first_failing_position,
        criteria_not_met,
        criteria_unknown
    from by_study
)

select * from final
