{# Every patient, every criterion of every screened study: the truth of its shape, or unknown where it has none.
   A view: at 100,000 patients and 200 studies it has half a billion rows, which only readers of a few need. #}

{{ config(materialized='view') }}

with

placed as (
    select * from {{ ref('int_trials__placed_criteria') }}
),

patients as (
    select * from {{ ref('int_trials__patients') }}
),

shape_truths as (
    select * from {{ ref('int_trials__shape_truths') }}
),

final as (
    select
        patients.patient_number,
        placed.criterion_number,
        placed.study_number,
        coalesce(shape_truths.truth, 1) as truth,
        coalesce(shape_truths.truth_evaluable, case when placed.is_unread_decisive then 1 else 2 end) as truth_evaluable,
        coalesce(shape_truths.constraint_place, 1) as constraint_place
    from placed
    cross join patients
    left join shape_truths
        on placed.shape_number = shape_truths.shape_number and patients.patient_number = shape_truths.patient_number
)

select * from final
