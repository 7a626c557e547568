{# The verdict of every patient for every study. #}

{{ config(materialized='view') }}

with

study_answers as (
    select * from {{ ref('int_trials__study_answers') }}
),

patterns as (
    select * from {{ ref('int_trials__patterns') }}
),

pattern_verdicts as (
    select * from {{ ref('int_trials__pattern_verdicts') }}
),

judged as (
    select
        patterns.pattern_number,
        patterns.study_number,
        patterns.code,
        patterns.further_codes,
        pattern_verdicts.verdict,
        pattern_verdicts.first_failing_position,
        pattern_verdicts.criteria_not_met,
        pattern_verdicts.criteria_unknown
    from patterns
    inner join pattern_verdicts on patterns.pattern_number = pattern_verdicts.pattern_number
),

final as (
    select
        study_answers.patient_number,
        study_answers.study_number,
        judged.pattern_number,
        judged.verdict,
        judged.first_failing_position,
        judged.criteria_not_met,
        judged.criteria_unknown
    from study_answers
    inner join judged
        on study_answers.study_number = judged.study_number
        and study_answers.code = judged.code
        and study_answers.further_codes = judged.further_codes
)

select * from final
