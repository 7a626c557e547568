{# How every criterion of several constraints stands for every patient, packed as the answers are. Numbers of these
   words are negative, so that both kinds stand side by side. #}

with

shape_answers as (
    select * from {{ ref('int_trials__shape_answers') }}
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
    where constraints > 1
),

states as (
    select
        shape_answers.patient_number,
        shape_answers.shape_number,
        shape_truths.state
    from shape_answers
    inner join shape_truths
        on shape_answers.shape_number = shape_truths.shape_number
        and shape_answers.code = shape_truths.code
        and shape_answers.further_codes = shape_truths.further_codes
),

words as (
    select
        patient_number,
        -1 - {{ word_of('shape_number') }} as word_number,
        bit_or({{ shifted_left('state', bits_before('shape_number')) }}) as word
    from states
    group by patient_number, -1 - {{ word_of('shape_number') }}
),

final as (
    select * from words
    order by patient_number
)

select * from final
