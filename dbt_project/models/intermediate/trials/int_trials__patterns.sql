{# The different ways in which patients stand before each study, numbered. #}

with

pattern_patients as (
    select * from {{ ref('int_trials__pattern_patients') }}
),

different as (
    select distinct
        study_number,
        code,
        further_codes
    from pattern_patients
),

final as (
    select
        cast(row_number() over (order by study_number, code, further_codes) as bigint) as pattern_number,
        study_number,
        code,
        further_codes
    from different
)

select * from final
