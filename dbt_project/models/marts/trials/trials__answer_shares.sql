with

conditions as (
    select * from {{ ref('int_trials__conditions') }}
),

constraints as (
    select * from {{ ref('int_trials__constraints') }}
    where versions_back = 0
),

answers as (
    select * from {{ ref('int_trials__answers') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

cohort_sizes as (
    select cohort, count(*) as patients
    from patients
    group by cohort
),

uses as (
    select condition_number, kind, max(cast(is_decisive_kind as integer)) as is_decisive, count(*) as uses
    from constraints
    group by condition_number, kind
),

answered as (
    select
        patients.cohort,
        answers.condition_number,
        sum(case when answers.truth = 1 then 1 else 0 end) as unknown,
        sum(case when answers.unknown_kind_code = {{ unknown_code('missing') }} then 1 else 0 end) as missing,
        sum(case when answers.unknown_kind_code = {{ unknown_code('imprecise') }} then 1 else 0 end) as imprecise
    from answers
    inner join patients on answers.patient_number = patients.patient_number
    group by patients.cohort, answers.condition_number
),

by_kind as (
    select
        cohort_sizes.cohort,
        uses.kind,
        max(uses.is_decisive) as is_decisive,
        cast(sum(uses.uses * cohort_sizes.patients) as bigint) as answers,
        cast(sum(uses.uses * coalesce(answered.unknown, cohort_sizes.patients)) as bigint) as unknown,
        cast(sum(uses.uses * coalesce(answered.missing, 0)) as bigint) as unknown_missing,
        cast(sum(uses.uses * coalesce(answered.imprecise, 0)) as bigint) as unknown_imprecise
    from uses
    cross join cohort_sizes
    left join answered
        on cohort_sizes.cohort = answered.cohort and uses.condition_number = answered.condition_number
    group by cohort_sizes.cohort, uses.kind
),

together as (
    select cohort, kind, is_decisive, answers, unknown, unknown_missing, unknown_imprecise from by_kind
    union all
    select cohort, 'all', 0, sum(answers), sum(unknown), sum(unknown_missing), sum(unknown_imprecise)
    from by_kind
    group by cohort
    union all
    select cohort, 'all decisive', 1, sum(answers), sum(unknown), sum(unknown_missing), sum(unknown_imprecise)
    from by_kind
    where is_decisive = 1
    group by cohort
),

final as (
    select
        cohort,
        kind,
        is_decisive = 1 as is_decisive,
        cast(answers as bigint) as answers,
        cast(unknown as bigint) as unknown,
        cast(unknown_missing as bigint) as unknown_missing,
        cast(unknown_imprecise as bigint) as unknown_imprecise,
        cast(unknown - unknown_missing - unknown_imprecise as bigint) as unknown_not_collected,
        cast(unknown as double) / answers as share_unknown
    from together
)

select * from final
