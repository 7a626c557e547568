{# Criteria with the same logic over the same conditions are one shape: "EDSS 0 to 5.5" of a hundred trials is
   evaluated once. One row a constraint of a shape. Criteria that no data can answer have no shape. #}

with

criteria as (
    select * from {{ ref('int_trials__criteria') }}
),

constraints as (
    select * from {{ ref('int_trials__constraints') }}
),

conditions as (
    select * from {{ ref('int_trials__conditions') }}
),

placed as (
    select
        constraints.criterion_number,
        constraints.constraint_ordinal,
        constraints.condition_number,
        conditions.family <> 'not_collected' as is_collected,
        constraints.is_expected,
        constraints.is_qualified,
        constraints.is_decisive_kind,
        constraints.kind,
        -- without an any-of group a constraint stands alone; without an all-of group it is an alternative of its own
        dense_rank() over (
            partition by constraints.criterion_number
            order by coalesce(constraints.any_of_group, 'alone ' || cast(constraints.constraint_ordinal as string))
        ) as any_place,
        case when constraints.any_of_group is null then 1
            else dense_rank() over (
                partition by constraints.criterion_number
                order by coalesce(constraints.all_of_group, 'alone ' || cast(constraints.constraint_ordinal as string))
            )
        end as all_place,
        row_number() over (partition by constraints.criterion_number order by constraints.constraint_ordinal) as constraint_place,
        sum(case when conditions.family <> 'not_collected' then 1 else 0 end) over (
            partition by constraints.criterion_number order by constraints.constraint_ordinal
            rows between unbounded preceding and current row
        ) as collected_place,
        criteria.parse_status = 'partial' or criteria.is_subjective as has_residue
    from constraints
    inner join criteria on constraints.criterion_number = criteria.criterion_number
    inner join conditions on constraints.condition_number = conditions.condition_number
    where criteria.parse_status <> 'unparsed'
),

keyed as (
    select
        criterion_number,
        max(cast(is_collected as integer)) as is_collected,
        cast(max(cast(has_residue as integer)) as string) || ':' || {{ joined_list(list_of(
            "concat_ws(',', cast(constraint_place as string), cast(any_place as string), cast(all_place as string), cast(condition_number as string), cast(is_expected as string), cast(is_qualified as string))",
            'constraint_place'), ';', sorted=false) }} as shape_key
    from placed
    group by criterion_number
),

numbered as (
    select
        criterion_number,
        cast(dense_rank() over (order by shape_key) as bigint) as shape_number
    from keyed
    where is_collected = 1
),

final as (
    select
        numbered.shape_number,
        placed.criterion_number,
        cast(placed.constraint_place as bigint) as constraint_place,
        placed.constraint_ordinal,
        placed.condition_number,
        placed.is_collected,
        placed.is_expected,
        placed.is_qualified,
        placed.is_decisive_kind,
        placed.kind,
        placed.any_place,
        placed.all_place,
        placed.has_residue,
        count(*) over (partition by placed.criterion_number) as constraints,
        -- where the answer stands in the number that packs the answers of the criterion
        case when placed.is_collected then {{ word_of('placed.collected_place') }} end as page,
        case when placed.is_collected then {{ bits_before('placed.collected_place') }} end as bits_in_page,
        -- a decisive alternative is not replaced by one that nobody can look up
        max(cast(placed.is_decisive_kind as integer)) over (partition by placed.criterion_number, placed.any_place) = 1
            as is_beside_decisive,
        placed.criterion_number = min(placed.criterion_number) over (partition by numbered.shape_number) as is_representative
    from placed
    inner join numbered on placed.criterion_number = numbered.criterion_number
)

select * from final
