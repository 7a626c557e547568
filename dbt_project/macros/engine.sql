{# What DuckDB and Spark say differently, one dispatched macro each. Models use only these. #}

{% macro days_between(start_date, end_date) %}{{ return(adapter.dispatch('days_between')(start_date, end_date)) }}{% endmacro %}
{% macro default__days_between(start_date, end_date) %}cast(({{ end_date }}) - ({{ start_date }}) as bigint){% endmacro %}
{% macro spark__days_between(start_date, end_date) %}cast(datediff({{ end_date }}, {{ start_date }}) as bigint){% endmacro %}

{% macro add_days(date, days) %}{{ return(adapter.dispatch('add_days')(date, days)) }}{% endmacro %}
{% macro default__add_days(date, days) %}cast(({{ date }}) + cast({{ days }} as integer) as date){% endmacro %}
{% macro spark__add_days(date, days) %}date_add({{ date }}, cast({{ days }} as int)){% endmacro %}

{# Calendar months; the last day of a shorter month where the day does not exist. #}
{% macro add_months(date, months) %}{{ return(adapter.dispatch('add_months')(date, months)) }}{% endmacro %}
{% macro default__add_months(date, months) %}cast(({{ date }}) + to_months(cast({{ months }} as integer)) as date){% endmacro %}
{% macro spark__add_months(date, months) %}add_months({{ date }}, cast({{ months }} as int)){% endmacro %}

{% macro median(expression) %}{{ return(adapter.dispatch('median')(expression)) }}{% endmacro %}
{% macro default__median(expression) %}cast(quantile_cont({{ expression }}, 0.5e0) as double){% endmacro %}
{% macro spark__median(expression) %}cast(percentile({{ expression }}, 0.5e0) as double){% endmacro %}

{# A list of strings from rows, in the order given. #}
{% macro list_of(expression, order_by) %}{{ return(adapter.dispatch('list_of')(expression, order_by)) }}{% endmacro %}
{% macro default__list_of(expression, order_by) %}list({{ expression }} order by {{ order_by }}){% endmacro %}
{% macro spark__list_of(expression, order_by) %}transform(array_sort(collect_list(struct({{ order_by }} as o, {{ expression }} as v))), x -> x.v){% endmacro %}

{# Completed years by anniversary; 29 February is kept on 1 March of other years. #}
{% macro completed_years(from_date, to_date) -%}
cast(
    extract(year from {{ to_date }}) - extract(year from {{ from_date }})
    - case
        when extract(month from {{ to_date }}) * 100 + extract(day from {{ to_date }})
            < extract(month from {{ from_date }}) * 100 + extract(day from {{ from_date }})
        then 1 else 0
    end as bigint
)
{%- endmacro %}

{# Text of a list of strings; `sorted` makes equal sets equal texts. #}
{% macro joined_list(expression, separator, sorted=true) %}{{ return(adapter.dispatch('joined_list')(expression, separator, sorted)) }}{% endmacro %}
{% macro default__joined_list(expression, separator, sorted) %}array_to_string({% if sorted %}list_sort({{ expression }}){% else %}{{ expression }}{% endif %}, '{{ separator }}'){% endmacro %}
{% macro spark__joined_list(expression, separator, sorted) %}array_join({% if sorted %}array_sort({{ expression }}){% else %}{{ expression }}{% endif %}, '{{ separator }}'){% endmacro %}

{# One row for each word of a text with separators; stands in a select list. #}
{% macro each_word_of(expression, separator=';') %}{{ return(adapter.dispatch('each_word_of')(expression, separator)) }}{% endmacro %}
{% macro default__each_word_of(expression, separator) %}unnest(string_split({{ expression }}, '{{ separator }}')){% endmacro %}
{% macro spark__each_word_of(expression, separator) %}explode(split({{ expression }}, '{{ separator }}')){% endmacro %}

{# Two lists one after the other. #}
{% macro lists_together(first, second) %}{{ return(adapter.dispatch('lists_together')(first, second)) }}{% endmacro %}
{% macro default__lists_together(first, second) %}list_concat({{ first }}, {{ second }}){% endmacro %}
{% macro spark__lists_together(first, second) %}concat({{ first }}, {{ second }}){% endmacro %}

{# A whole number moved by so many bits. `&` and bit_or() are the same in both. #}
{% macro shifted_left(number, bits) %}{{ return(adapter.dispatch('shifted_left')(number, bits)) }}{% endmacro %}
{% macro default__shifted_left(number, bits) %}(({{ number }}) << ({{ bits }})){% endmacro %}
{% macro spark__shifted_left(number, bits) %}shiftleft({{ number }}, cast({{ bits }} as int)){% endmacro %}

{% macro shifted_right(number, bits) %}{{ return(adapter.dispatch('shifted_right')(number, bits)) }}{% endmacro %}
{% macro default__shifted_right(number, bits) %}(({{ number }}) >> ({{ bits }})){% endmacro %}
{% macro spark__shifted_right(number, bits) %}shiftright({{ number }}, cast({{ bits }} as int)){% endmacro %}

{# A small table to which many rows are joined, so that several threads read it: DuckDB scans 122,880 rows by one, but
   gives out groups by all. The rows must be different. #}
{% macro spread(relation, columns=['*']) %}{{ return(adapter.dispatch('spread')(relation, columns)) }}{% endmacro %}
{% macro default__spread(relation, columns) %}select distinct {{ columns | join(', ') }} from {{ relation }}{% endmacro %}
{% macro spark__spread(relation, columns) %}select {{ columns | join(', ') }} from {{ relation }}{% endmacro %}
