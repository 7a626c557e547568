{# Each criterion that data can answer, for each way to stand before its study. #}

{{ config(materialized='view') }}

with

patterns as (
    select * from {{ ref('int_trials__patterns') }}
),

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
    where shape_number is not null
),

pages as (
    {{ pages_of('patterns', ['pattern_number', 'study_number']) }}
),

states as (
    select
        pages.pattern_number,
        pages.study_number,
        placed.criterion_number,
        {{ state_in('pages.code', 'placed.bits_in_page') }} as state
    from pages
    inner join placed on pages.study_number = placed.study_number and pages.page = placed.page
),

final as (
    select
        pattern_number,
        study_number,
        criterion_number,
        {{ truth_of_state('state') }} as truth,
        {{ evaluable_truth_of_state('state') }} as truth_evaluable
    from states
)

select * from final
