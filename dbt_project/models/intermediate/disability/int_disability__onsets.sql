{# Every recorded onset that is no pseudo-relapse, unmerged, those before the first visit included. #}
{{ statistics_input() }}

with

relapses as (
    select * from {{ ref('int_outcomes__relapses_resolved') }}
),

final as (
    select patient_key, onset_date
    from relapses
    where is_relapse
)

select * from final
