{# Every condition's answer for every patient in two bits, 31 conditions a word: what follows reads these and not the
   answers themselves, one row each, of which there are millions. #}

with

answers as (
    select * from {{ ref('int_trials__answers') }}
),

states as (
    select
        patient_number,
        condition_number,
        {{ state_of('truth', 'unknown_kind_code = ' ~ unknown_code('not_collected')) }} as state
    from answers
),

words as (
    select
        patient_number,
        {{ word_of('condition_number') }} as word_number,
        bit_or({{ shifted_left('cast(state as bigint)', bits_before('condition_number')) }}) as word
    from states
    group by patient_number, {{ word_of('condition_number') }}
),

-- what follows counts per patient: rows of one patient side by side make that half as dear
final as (
    select * from words
    order by patient_number
)

select * from final
