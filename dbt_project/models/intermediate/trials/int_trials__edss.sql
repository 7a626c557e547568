{# The EDSS at screening: the latest on or before the screening day. Two on one day that differ are resolved as
   everywhere (variable `edss_conflict`). A visit known only to the month may or may not be the latest, or may
   lie after screening: then the EDSS is a range. #}

with

visits as (
    select * from {{ ref('int_trials__records') }}
    where table_name = 'edss'
),

days as (
    select
        patient_number,
        from_earliest,
        from_latest,
        screened_on,
        {% if var('edss_conflict') == 'lower' %}min{% else %}max{% endif %}(number_low) as edss,
        {% if var('edss_conflict') == 'lower' %}min_by(record_number, number_low * 1000000 + record_number)
        {%- else %}max_by(record_number, number_low * 1000000 - record_number)
        {%- endif %} as record_number
    from visits
    group by patient_number, from_earliest, from_latest, screened_on
),

latest_certain as (
    select patient_number, max(from_earliest) as latest_from
    from days
    where from_latest <= screened_on
    group by patient_number
),

candidates as (
    select
        days.*,
        latest_certain.latest_from
    from days
    left join latest_certain on days.patient_number = latest_certain.patient_number
    where latest_certain.latest_from is null or days.from_latest >= latest_certain.latest_from
),

final as (
    select
        patient_number,
        min(edss) as edss_low,
        max(edss) as edss_high,
        max_by(record_number, {{ days_between("date '1900-01-01'", 'from_latest') }} * 1000000 + record_number) as record_number,
        -- visits that may all lie after screening prove nothing
        max(latest_from) is not null as is_certain,
        coalesce(max(latest_from) >= max({{ add_months('screened_on', '-' ~ var('screening_edss_months')) }}), false) as is_recent
    from candidates
    group by patient_number
)

select * from final
