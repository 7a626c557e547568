{# How the criteria of every study stand for every patient, packed into one number a pair. Millions of pairs have far
   fewer different numbers (int_trials__patterns): groups, parts and verdicts are worked out for those alone. #}

with

answer_words as (
    select * from {{ ref('int_trials__answer_words') }}
),

shape_words as (
    select * from {{ ref('int_trials__shape_words') }}
),

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
),

shapes as (
    select * from {{ ref('int_trials__shapes') }}
    where is_representative
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
    where constraints = 1
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

words as (
    select * from answer_words
    union all
    select * from shape_words
),

-- a criterion of one constraint stands where its condition does
single as (
    select
        shapes.shape_number,
        {{ word_of('shapes.condition_number') }} as word_number,
        {{ bits_before('shapes.condition_number') }} as bits_before,
        bit_or({{ shifted_left('shape_truths.state', '2 * shape_truths.code') }}) as outcomes
    from shapes
    inner join shape_truths on shapes.shape_number = shape_truths.shape_number
    where shapes.constraints = 1
    group by shapes.shape_number, shapes.condition_number
),

several as (
    select distinct
        shape_number,
        -1 - {{ word_of('shape_number') }} as word_number,
        {{ bits_before('shape_number') }} as bits_before,
        {{ same_states() }} as outcomes
    from shapes
    where constraints > 1
),

statements as (
    select * from single
    union all
    select * from several
),

uses as (
    select
        placed.study_number,
        placed.page,
        placed.bits_in_page,
        statements.word_number,
        statements.bits_before,
        statements.outcomes
    from placed
    inner join statements on placed.shape_number = statements.shape_number
),

{{ packed_sets('study_number') }},

-- studies of which nothing can be answered
silent_studies as (
    select study_number
    from placed
    group by study_number
    having max(shape_number) is null
),

final as (
    select
        patient_number,
        study_number,
        code,
        further_codes
    from packed
    union all
    select
        patients.patient_number,
        silent_studies.study_number,
        cast(0 as bigint) as code,
        '' as further_codes
    from silent_studies
    cross join patients
)

select * from final
