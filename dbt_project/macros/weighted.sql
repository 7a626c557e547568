{# The median of values that stand for several patients each: `cumulative` is the running number of patients in
   the order of `value`, `patients` this row's, `total` the group's. #}
{% macro weighted_median(value, cumulative, patients, total) -%}
avg(
    case
        when {{ cumulative }} >= floor(({{ total }} + 1) / 2e0) and {{ cumulative }} - {{ patients }} < floor(({{ total }} + 1) / 2e0)
            then {{ value }}
    end
) / 2e0
+ avg(
    case
        when {{ cumulative }} >= ceil(({{ total }} + 1) / 2e0) and {{ cumulative }} - {{ patients }} < ceil(({{ total }} + 1) / 2e0)
            then {{ value }}
    end
) / 2e0
{%- endmacro %}
