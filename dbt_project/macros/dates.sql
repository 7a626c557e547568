{# The day that stands for a partial date: the 15th of a month, 1 July of a year (variables), or a bound.
   `use` is `middle`, `first` (a treatment's start) or `last` (a treatment's stop). #}
{% macro derived_date(name, use='middle') -%}
    {%- if use == 'first' -%}
        {{ name }}_earliest
    {%- elif use == 'last' -%}
        {{ name }}_latest
    {%- else -%}
case {{ name }}_precision
        when 'month' then {{ add_days(name ~ '_earliest', var('partial_month_day') - 1) }}
        when 'year' then {{ add_months(name ~ '_earliest', var('partial_year_month') - 1) }}
        else {{ name }}_earliest
    end
    {%- endif -%}
{%- endmacro %}

{# A distance from the anchor as part of a name: 0, m24, d672, minus_m4. #}
{% macro span_name(months, days) -%}
case
    when {{ months }} = 0 and {{ days }} = 0 then '0'
    else concat(
        case when {{ months }} < 0 or {{ days }} < 0 then 'minus_' else '' end,
        case when {{ months }} <> 0 then concat('m', cast(abs({{ months }}) as string)) else '' end,
        case when {{ days }} <> 0 then concat('d', cast(abs({{ days }}) as string)) else '' end
    )
end
{%- endmacro %}
