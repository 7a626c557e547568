{# Small words of the eligibility models. Truth of a statement is an integer: 0 false, 1 unknown, 2 true, so that
   Kleene's AND is min, OR is max and NOT is 2 - x. #}

{# True where the text holds one of the words that a variable lists. #}
{% macro mentions(expression, variable) -%}
(
    {%- for word in var(variable) %}
    {% if not loop.first %}or {% endif %}coalesce(lower({{ expression }}), '') like '%{{ word }}%'
    {%- endfor %}
)
{%- endmacro %}

{# Rows of the present version of each study and of its earlier ones: `versions_back` is 0 for the present. #}
{% macro all_versions(present, earlier, columns) -%}
    select
        cast(0 as bigint) as versions_back,
        {{ columns | join(',\n        ') }}
    from {{ present }}
    union all
    select
        versions_back,
        {{ columns | join(',\n        ') }}
    from {{ earlier }}
{%- endmacro %}

{# A number known only as low .. high against the bounds of a condition. #}
{% macro within_bounds(low, high) -%}
case
    when {{ low }} is null or {{ high }} is null then 1
    when {{ above_minimum(low) }} and {{ below_maximum(high) }} then 2
    when {{ above_minimum(high) }} and {{ below_maximum(low) }} then 1
    else 0
end
{%- endmacro %}

{% macro above_minimum(number) -%}
(min_value is null or {{ number }} > min_value or (coalesce(min_inclusive, true) and {{ number }} = min_value))
{%- endmacro %}

{% macro below_maximum(number) -%}
(max_value is null or {{ number }} < max_value or (coalesce(max_inclusive, true) and {{ number }} = max_value))
{%- endmacro %}

{# The day that lies a condition's span (whole months and days) before another. #}
{% macro days_before(date, months, days) -%}
{{ add_days(add_months(date, '-(' ~ months ~ ')'), '-(' ~ days ~ ')') }}
{%- endmacro %}

{# A span in any unit as whole calendar months, and the rest as days; hours become days. #}
{% macro span_months(number, unit) -%}
case
    when {{ number }} is null then null
    when {{ unit }} like 'year%' then cast(floor({{ number }} * 12) as bigint)
    when {{ unit }} like 'month%' then cast(floor({{ number }}) as bigint)
    else 0
end
{%- endmacro %}

{% macro span_days(number, unit) -%}
case
    when {{ number }} is null then null
    when {{ unit }} like 'year%' then cast(round(({{ number }} * 12 - floor({{ number }} * 12)) * 30.4375e0) as bigint)
    when {{ unit }} like 'month%' then cast(round(({{ number }} - floor({{ number }})) * 30.4375e0) as bigint)
    when {{ unit }} like 'week%' then cast(round({{ number }} * 7) as bigint)
    when {{ unit }} like 'hour%' then cast(ceil({{ number }} / 24) as bigint)
    else cast(round({{ number }}) as bigint)
end
{%- endmacro %}

{# A number as people write it: 5, 5.5. #}
{% macro plain_number(number) -%}
case
    when {{ number }} = floor({{ number }}) then cast(cast({{ number }} as bigint) as string)
    else cast({{ number }} as string)
end
{%- endmacro %}

{# Units as clinics and protocols write them, on one spelling: 10^9/L, x ULN. #}
{% macro laboratory_unit(expression) -%}
case
    when replace(replace(replace(lower({{ expression }}), ' ', ''), '×', 'x'), '*', '') in
        ('10^9/l', 'x10^9/l', 'x10e9/l', '10e9/l', '10⁹/l', 'x10⁹/l', 'g/l(cells)', 'gpt/l', '10^3/ul', '10^3/µl', '10^3/μl', 'x10^3/ul', 'x10^3/µl', 'k/ul', 'k/µl', '10^3/mm3', 'x10^3/mm3', 'x103/mm3', 'x109/l', '109/l')
        then '10^9/l'
    when replace(lower({{ expression }}), ' ', '') in
        ('/ul', '/µl', '/μl', '/mm3', '/mm^3', 'cells/ul', 'cells/µl', 'cells/μl', 'cells/mm3', 'cells/mm^3', 'percubicmillimeter')
        then '/ul'
    when replace(replace(lower({{ expression }}), ' ', ''), '×', 'x') in ('xuln', 'uln', 'timesuln', 'timestheupperlimitofnormal') then 'xuln'
    when replace(replace(lower({{ expression }}), ' ', ''), '×', 'x') in ('xlln', 'lln', 'timeslln', 'timesthelowerlimitofnormal') then 'xlln'
    when replace(lower({{ expression }}), ' ', '') in ('iu/l', 'u/l') then 'u/l'
    else replace(replace(replace(lower({{ expression }}), ' ', ''), 'μ', 'u'), 'µ', 'u')
end
{%- endmacro %}

{# Length of a unit of age in days (mean month and year). #}
{% macro days_of_unit(unit) -%}
case when {{ unit }} like 'year%' then 365.25e0 when {{ unit }} like 'month%' then 30.4375e0 when {{ unit }} like 'week%' then 7e0
    when {{ unit }} like 'hour%' then 1 / 24e0 else 1e0 end
{%- endmacro %}

{# The first number of a text, the number that stands beside a unit of time ("Month 12", "12 months"), that unit. #}
{% macro number_in(text) -%}
cast(nullif(regexp_extract({{ text }}, '([0-9]+)', 1), '') as double)
{%- endmacro %}

{% macro number_before_unit(text) -%}
cast(nullif(coalesce(
    nullif(regexp_extract({{ text }}, '(week|month|year|day)s? ([0-9]+)', 2), ''),
    regexp_extract({{ text }}, '([0-9]+)[ -](week|month|year|day)', 1)
), '') as double)
{%- endmacro %}

{% macro unit_in(text) -%}
nullif(regexp_extract({{ text }}, '(week|month|year|day)', 1), '')
{%- endmacro %}

{# Whether a constraint is satisfied, from the truth of its condition: expected to hold or not. A violated exclusion
   with an exception that was not read is not yet a violation. #}
{% macro satisfied(constraint) -%}
case
    when {{ constraint }}.is_expected then answers.truth
    when {{ constraint }}.is_qualified and answers.truth = 2 then 1
    else 2 - answers.truth
end
{%- endmacro %}

{# The truth of a constraint with what no data can answer set aside: kinds that are not decisive, unless they are
   alternatives to a decisive one; the absence of what no clinic records. #}
{% macro set_aside() -%}
case
    when truth = 1 and is_decisive_kind = false and is_beside_decisive = false then 2
    when truth = 1 and is_decisive_kind and is_expected = false and unknown_kind = 'not_collected' then 2
    else truth
end
{%- endmacro %}
