with

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where versions_back = 0
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

pattern_verdicts as (
    select * from {{ ref('int_trials__pattern_verdicts') }}
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

-- who leaves at which criterion: a group of alternatives counts at its first
leaving as (
    select
        counted.cohort,
        pattern_verdicts.study_number,
        pattern_verdicts.first_failing_position as position_in_text,
        sum(counted.patients) as excluded
    from pattern_verdicts
    inner join counted on pattern_verdicts.pattern_number = counted.pattern_number
    where pattern_verdicts.first_failing_position is not null
    group by counted.cohort, pattern_verdicts.study_number, pattern_verdicts.first_failing_position
),

-- each criterion by itself, whoever is still there or not; and unknown among those who are still there when it is reached
answered as (
    select
        counted.cohort,
        placed.criterion_number,
        sum(case when pattern_truths.truth = 0 then counted.patients else 0 end) as excluded_alone,
        sum(case when pattern_truths.truth = 1 then counted.patients else 0 end) as unknown_alone,
        sum(
            case
                when pattern_truths.truth = 1
                    and coalesce(pattern_verdicts.first_failing_position >= placed.position_in_text, true)
                    then counted.patients
                else 0
            end
        ) as unknown_then
    from pattern_truths
    inner join placed on pattern_truths.criterion_number = placed.criterion_number
    inner join pattern_verdicts on pattern_truths.pattern_number = pattern_verdicts.pattern_number
    inner join counted on pattern_truths.pattern_number = counted.pattern_number
    where pattern_truths.truth < 2
    group by counted.cohort, placed.criterion_number
),

steps as (
    select
        cohort_sizes.cohort,
        cohort_sizes.patients,
        placed.nct_id,
        placed.criterion_id,
        placed.position_in_text,
        placed.section,
        placed.part,
        placed.top_any_group_id is not null as is_alternative,
        placed.shape_number,
        coalesce(leaving.excluded, 0) as excluded,
        coalesce(sum(leaving.excluded) over (
            partition by cohort_sizes.cohort, placed.study_number
            order by placed.position_in_text
            rows between unbounded preceding and 1 preceding
        ), 0) as excluded_before,
        answered.unknown_then,
        answered.excluded_alone,
        answered.unknown_alone
    from placed
    cross join cohort_sizes
    left join leaving
        on cohort_sizes.cohort = leaving.cohort
        and placed.study_number = leaving.study_number
        and placed.position_in_text = leaving.position_in_text
    left join answered
        on cohort_sizes.cohort = answered.cohort and placed.criterion_number = answered.criterion_number
),

final as (
    select
        cohort,
        nct_id,
        criterion_id,
        cast(position_in_text as bigint) as position_in_text,
        section,
        part,
        is_alternative,
        cast(patients - excluded_before as bigint) as remaining_before,
        cast(excluded as bigint) as excluded,
        cast(case when shape_number is null then patients - excluded_before else coalesce(unknown_then, 0) end as bigint)
            as unknown,
        cast(patients - excluded_before - excluded as bigint) as remaining_after,
        cast(coalesce(excluded_alone, 0) as bigint) as excluded_alone,
        cast(case when shape_number is null then patients else coalesce(unknown_alone, 0) end as bigint) as unknown_alone
    from steps
)

select * from final
