{# Each criterion with its shape, whether it is a condition of the study by itself or an alternative within a group,
   and whether it is about the decisive kinds. #}

with

criteria as (
    select * from {{ ref('int_trials__criteria') }}
),

shapes as (
    select
        criterion_number,
        max(shape_number) as shape_number
    from {{ ref('int_trials__shapes') }}
    group by criterion_number
),

kinds as (
    select
        criterion_number,
        max(cast(is_decisive_kind as integer)) = 1 as is_decisive,
        max(case when is_decisive_kind and kind <> 'age_range' then 1 else 0 end) = 1 as is_about_disease,
        {{ joined_list(list_of('kind', 'constraint_ordinal'), ';', sorted=false) }} as kinds,
        count(*) as constraints
    from {{ ref('int_trials__constraints') }}
    group by criterion_number
),

groups as (
    select * from {{ ref('int_trials__groups') }}
),

joined as (
    select
        criteria.*,
        shapes.shape_number,
        coalesce(kinds.is_decisive, false) and shapes.shape_number is not null as is_decisive,
        coalesce(kinds.is_about_disease, false) and shapes.shape_number is not null as is_about_disease,
        kinds.kinds,
        coalesce(kinds.constraints, 0) as constraints,
        groups.top_any_group_id
    from criteria
    left join shapes on criteria.criterion_number = shapes.criterion_number
    left join kinds on criteria.criterion_number = kinds.criterion_number
    left join groups on criteria.study_number = groups.study_number and criteria.group_id = groups.group_id
),

-- the criteria that data can answer, numbered within their study
answerable as (
    select
        *,
        sum(case when shape_number is not null then 1 else 0 end) over (
            partition by study_number order by position_in_text
            rows between unbounded preceding and current row
        ) as answerable_place
    from joined
),

final as (
    select
        *,
        -- where the criterion stands in the number that packs the states of the study's criteria
        case when shape_number is not null then {{ word_of('answerable_place') }} end as page,
        case when shape_number is not null then {{ bits_before('answerable_place') }} end as bits_in_page,
        -- a part of a study as one number
        cast(dense_rank() over (order by study_number, part) as bigint) as part_number,
        max(cast(is_decisive as integer)) over (partition by study_number, coalesce(top_any_group_id, 'c' || cast(criterion_number as string))) = 1
            as is_beside_decisive,
        min(position_in_text) over (partition by study_number, coalesce(top_any_group_id, 'c' || cast(criterion_number as string)))
            as member_position
    from answerable
)

select * from final
