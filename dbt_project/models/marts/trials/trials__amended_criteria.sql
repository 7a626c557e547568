with

studies as (
    select * from {{ ref('int_trials__studies') }}
),

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

pattern_truths as (
    select * from {{ ref('int_trials__pattern_truths') }}
),

counted as (
    {{ counted_patterns() }}
),

cohort_sizes as (
    select cohort, count(*) as patients
    from patients
    group by cohort
),

pairs as (
    select
        before.nct_id,
        before.versions_back as amendment,
        before.study_number as number_before,
        after.study_number as number_after
    from studies as before
    inner join studies as after
        on before.nct_id = after.nct_id and before.versions_back = after.versions_back + 1
),

-- the identifier holds the section and a hash of the wording: equal ones were not touched
removed as (
    select
        pairs.nct_id,
        pairs.amendment,
        'removed' as change_kind,
        before.criterion_number,
        before.criterion_id,
        before.position_in_text,
        before.section,
        before.part,
        before.text,
        before.parse_status,
        before.shape_number
    from pairs
    inner join placed as before on pairs.number_before = before.study_number
    left join placed as after
        on pairs.number_after = after.study_number and before.criterion_id = after.criterion_id
    where after.criterion_id is null
),

added as (
    select
        pairs.nct_id,
        pairs.amendment,
        'added' as change_kind,
        after.criterion_number,
        after.criterion_id,
        after.position_in_text,
        after.section,
        after.part,
        after.text,
        after.parse_status,
        after.shape_number
    from pairs
    inner join placed as after on pairs.number_after = after.study_number
    left join placed as before
        on pairs.number_before = before.study_number and after.criterion_id = before.criterion_id
    where before.criterion_id is null
),

touched as (
    select * from removed
    union all
    select * from added
),

touched_criteria as (
    select distinct criterion_number
    from touched
),

answered as (
    select
        counted.cohort,
        pattern_truths.criterion_number,
        sum(case when pattern_truths.truth = 0 then counted.patients else 0 end) as violating,
        sum(case when pattern_truths.truth = 1 then counted.patients else 0 end) as unknown
    from pattern_truths
    inner join touched_criteria on pattern_truths.criterion_number = touched_criteria.criterion_number
    inner join counted on pattern_truths.pattern_number = counted.pattern_number
    group by counted.cohort, pattern_truths.criterion_number
),

final as (
    select
        cohort_sizes.cohort,
        touched.nct_id,
        cast(touched.amendment as bigint) as amendment,
        touched.change_kind,
        touched.criterion_id,
        cast(touched.position_in_text as bigint) as position_in_text,
        touched.section,
        touched.part,
        touched.text,
        touched.parse_status,
        cast(case when touched.shape_number is null then 0 else coalesce(answered.violating, 0) end as bigint)
            as patients_violating,
        cast(case when touched.shape_number is null then cohort_sizes.patients else coalesce(answered.unknown, 0) end as bigint)
            as patients_unknown
    from touched
    cross join cohort_sizes
    left join answered
        on cohort_sizes.cohort = answered.cohort and touched.criterion_number = answered.criterion_number
)

select * from final
