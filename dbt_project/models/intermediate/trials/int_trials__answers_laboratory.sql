{# The latest result of each named test on or before screening (within `laboratory_days`) against its limit, both
   in the test's base unit. Multiples of the limits of normal use seeds/trials/laboratory_limits.csv; what has no
   unit that is known there stays unknown. #}

with

conditions as (
    select
        *,
        case when min_value is null and max_value is null then 'normal' else {{ laboratory_unit('unit') }} end as limit_unit
    from {{ ref('int_trials__conditions') }}
    where family = 'laboratory'
),

units as (
    select * from {{ ref('laboratory_units') }}
),

limits as (
    select * from {{ ref('laboratory_limits') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

samples as (
    select * from {{ ref('int_trials__records') }}
    where table_name = 'laboratory'
        and from_latest <= screened_on
        and from_earliest >= {{ add_days('screened_on', '-' ~ var('laboratory_days')) }}
),

ranked as (
    select
        *,
        row_number() over (partition by patient_number, concept order by from_latest desc, record_number desc) as place
    from samples
),

results as (
    select
        ranked.patient_number,
        ranked.concept as test,
        ranked.record_number,
        ranked.number_low * units.factor as result_low,
        ranked.number_high * units.factor as result_high,
        units.base_unit
    from ranked
    inner join units on ranked.concept = units.test and ranked.status = units.unit
    where ranked.place = 1
),

terms as (
    select condition_number, {{ each_word_of('terms') }} as test
    from conditions
),

questions as (
    select
        terms.condition_number,
        terms.test,
        conditions.term_logic,
        conditions.limit_unit,
        conditions.min_value,
        conditions.min_inclusive,
        conditions.max_value,
        conditions.max_inclusive,
        units.base_unit as stated_base_unit,
        units.factor
    from terms
    inner join conditions on terms.condition_number = conditions.condition_number
    left join units on terms.test = units.test and conditions.limit_unit = units.unit
),

bounded as (
    select
        questions.condition_number,
        questions.test,
        questions.term_logic,
        patients.patient_number,
        results.record_number,
        results.result_low as number_low,
        results.result_high as number_high,
        case
            when questions.limit_unit = 'normal' then limits.lower_limit
            when questions.limit_unit = 'xuln' then questions.min_value * limits.upper_limit
            when questions.limit_unit = '%aboveuln' then (1 + questions.min_value / 100) * limits.upper_limit
            when questions.limit_unit = 'xlln' then questions.min_value * limits.lower_limit
            else questions.min_value * questions.factor
        end as min_value,
        questions.min_inclusive,
        case
            when questions.limit_unit = 'normal' then limits.upper_limit
            when questions.limit_unit = 'xuln' then questions.max_value * limits.upper_limit
            when questions.limit_unit = '%aboveuln' then (1 + questions.max_value / 100) * limits.upper_limit
            when questions.limit_unit = 'xlln' then questions.max_value * limits.lower_limit
            else questions.max_value * questions.factor
        end as max_value,
        questions.max_inclusive,
        questions.min_value is not null as has_minimum,
        questions.max_value is not null as has_maximum
    from questions
    cross join patients
    left join results on questions.test = results.test and patients.patient_number = results.patient_number
    left join limits on questions.test = limits.test and (limits.sex = 'any' or limits.sex = patients.sex)
),

judged as (
    select
        *,
        case
            -- a bound that cannot be put into the base unit is no bound
            when (has_minimum and min_value is null) or (has_maximum and max_value is null) then 1
            when min_value is null and max_value is null then 1
            else {{ within_bounds('number_low', 'number_high') }}
        end as truth
    from bounded
),

answered as (
    select
        condition_number,
        patient_number,
        case when max(term_logic) = 'all' then min(truth) else max(truth) end as truth,
        max_by(record_number, case when record_number is not null then truth * 100000 + record_number else -1 end) as record_number,
        max_by(number_low, case when record_number is not null then truth * 100000 + record_number else -1 end) as number_low,
        max_by(number_high, case when record_number is not null then truth * 100000 + record_number else -1 end) as number_high
    from judged
    group by condition_number, patient_number
),

final as (
    select
        patient_number,
        condition_number,
        cast(truth as integer) as truth,
        case when truth <> 1 then null else {{ unknown_code('missing') }} end as unknown_kind_code,
        number_low,
        number_high,
        case when record_number is not null then {{ evidence_code('laboratory') }} end as evidence_table_code,
        record_number as evidence_number
    from answered
)

select * from final
