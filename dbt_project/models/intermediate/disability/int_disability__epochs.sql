{# The epochs in which worsening is sought for NEDA-3. #}
{{ statistics_input() }}

with

windows as (
    select * from {{ ref('int_outcomes__epoch_windows') }}
),

final as (
    select cohort, patient_id, epoch, end_rule, start_date, end_date
    from windows
    where exposure_days > 0
)

select * from final
