{# For criteria of several constraints: the answers to them together, for every patient, packed into one number. Few
   different numbers occur, so that their logic is worked out once for each and not for every patient. #}

with

words as (
    select * from {{ ref('int_trials__answer_words') }}
),

uses as (
    select
        shape_number,
        page,
        bits_in_page,
        {{ word_of('condition_number') }} as word_number,
        {{ bits_before('condition_number') }} as bits_before,
        {{ same_states() }} as outcomes
    from {{ ref('int_trials__shapes') }}
    where is_representative and is_collected and constraints > 1
),

{{ packed_sets('shape_number') }},

final as (
    select * from packed
)

select * from final
