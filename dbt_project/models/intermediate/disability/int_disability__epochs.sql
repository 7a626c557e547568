{# The distinct windows in which worsening is sought for NEDA-3. #}
{{ statistics_input() }}

with

measures as (
    select * from {{ ref('int_outcomes__window_measures') }}
),

final as (
    select measure_key, patient_key, start_date, end_date
    from measures
)

select * from final
