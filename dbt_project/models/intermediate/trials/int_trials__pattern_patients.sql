{# How many patients of each cohort stand alike before a study: the different numbers of int_trials__study_answers. #}

with

study_answers as (
    select * from {{ ref('int_trials__study_answers') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

final as (
    select
        patients.cohort,
        study_answers.study_number,
        study_answers.code,
        study_answers.further_codes,
        count(*) as patients
    from study_answers
    inner join patients on study_answers.patient_number = patients.patient_number
    group by patients.cohort, study_answers.study_number, study_answers.code, study_answers.further_codes
)

select * from final
