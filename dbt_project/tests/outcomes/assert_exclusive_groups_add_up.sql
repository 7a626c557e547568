{# Every treated patient is in exactly one group of every exclusive grouping. #}
with

sizes as (
    select cohort, grouping, cast(sum(group_size) as bigint) as patients
    from {{ ref('int_outcomes__group_names') }}
    where is_exclusive
    group by cohort, grouping
),

treated as (
    select cohort, cast(count(*) as bigint) as patients
    from {{ ref('outcomes__patients') }}
    where index_date is not null
    group by cohort
)

select sizes.cohort, sizes.grouping
from sizes
inner join treated on sizes.cohort = treated.cohort
where sizes.patients <> treated.patients
