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
    when truth = 1 and is_decisive_kind and is_expected = false and is_not_collected then 2
    else truth
end
{%- endmacro %}

{# Why an answer is unknown, and the table of its evidence, as small numbers as long as rows are many. #}
{%- macro unknown_kinds() -%}{{ return(['missing', 'imprecise', 'not_collected']) }}{%- endmacro -%}
{%- macro evidence_tables() -%}
{{ return(['patients', 'relapses', 'infusions', 'treatments', 'edss', 'mri_scans', 'medical_history', 'laboratory']) }}
{%- endmacro -%}

{% macro unknown_code(kind) -%}
{{ unknown_kinds().index(kind) + 1 }}
{%- endmacro %}

{% macro evidence_code(table_name) -%}
{{ evidence_tables().index(table_name) }}
{%- endmacro %}

{% macro unknown_kind_of(code) -%}
case {{ code }}{% for kind in unknown_kinds() %} when {{ unknown_code(kind) }} then '{{ kind }}'{% endfor %} end
{%- endmacro %}

{% macro evidence_table_of(code) -%}
case {{ code }}{% for table_name in evidence_tables() %} when {{ evidence_code(table_name) }} then '{{ table_name }}'{% endfor %} end
{%- endmacro %}

{# How a statement stands for a patient, in two bits: 0 unknown, 1 false, 2 true, 3 unknown but set aside (what no data
   can answer). What has no bits is unknown. 31 statements share a word of 62 bits, numbered from 1. #}
{% macro state_of(truth, is_set_aside) -%}
case when {{ truth }} = 0 then 1 when {{ truth }} = 2 then 2 when {{ is_set_aside }} then 3 else 0 end
{%- endmacro %}

{% macro truth_of_state(state) -%}
cast(case {{ state }} when 1 then 0 when 2 then 2 else 1 end as integer)
{%- endmacro %}

{% macro evaluable_truth_of_state(state) -%}
cast(case {{ state }} when 1 then 0 when 0 then 1 else 2 end as integer)
{%- endmacro %}

{% macro word_of(number) -%}
cast(floor(({{ number }} - 1) / 31) as bigint)
{%- endmacro %}

{% macro bits_before(number) -%}
cast(2 * (({{ number }} - 1) % 31) as bigint)
{%- endmacro %}

{% macro state_in(word, bits) -%}
({{ shifted_right(word, bits) }} & 3)
{%- endmacro %}

{# The `outcomes` of a statement that stands for itself: state 0 for 0, 1 for 1, 2 for 2, 3 for 3. #}
{% macro same_states() -%}
cast({{ 1 * 4 + 2 * 16 + 3 * 64 }} as bigint)
{%- endmacro %}

{# CTEs that pack what each set of statements (a criterion, a study) holds for a patient into one number, from the
   CTEs `words` (patient_number, word_number, word) and `uses` (the set, page and bits in the number; word and bits
   where the statement stands; `outcomes`: the state that each of its four states stands for, packed). Sets of more than
   31 statements have further pages, written out as "page:code;…". Result: the CTE `packed`. #}
{% macro packed_sets(set) -%}
{%- set code = 'bit_or(' ~ shifted_left(
    state_in('uses.outcomes', '2 * ' ~ state_in('words.word', 'uses.bits_before')), 'uses.bits_in_page') ~ ')' -%}
first_pages as (
    select
        words.patient_number,
        uses.{{ set }},
        {{ code }} as code
    from words
    inner join uses on words.word_number = uses.word_number
    where uses.page = 0
    group by words.patient_number, uses.{{ set }}
),

further_pages as (
    select
        words.patient_number,
        uses.{{ set }},
        uses.page,
        {{ code }} as code
    from words
    inner join uses on words.word_number = uses.word_number
    where uses.page > 0
    group by words.patient_number, uses.{{ set }}, uses.page
),

further_codes as (
    select
        patient_number,
        {{ set }},
        {{ joined_list(list_of("cast(page as string) || ':' || cast(code as string)", 'page'), ';', sorted=false) }} as codes
    from further_pages
    group by patient_number, {{ set }}
),

packed as (
    select
        first_pages.patient_number,
        first_pages.{{ set }},
        first_pages.code,
        coalesce(further_codes.codes, '') as further_codes
    from first_pages
    left join further_codes
        on first_pages.patient_number = further_codes.patient_number
        and first_pages.{{ set }} = further_codes.{{ set }}
)
{%- endmacro %}

{# The pages of such numbers as rows: `keys`, page, code. #}
{% macro pages_of(relation, keys) -%}
select
        {{ keys | join(', ') }},
        cast(0 as bigint) as page,
        code
    from {{ relation }}
    union all
    select
        {{ keys | join(', ') }},
        cast(split_part(written, ':', 1) as bigint) as page,
        cast(split_part(written, ':', 2) as bigint) as code
    from (
        select {{ keys | join(', ') }}, {{ each_word_of('further_codes') }} as written
        from {{ relation }}
        where further_codes <> ''
    ) as pages
{%- endmacro %}

{# The patients of each cohort who stand in each numbered pattern. #}
{% macro counted_patterns() -%}
select
        pattern_patients.cohort,
        patterns.pattern_number,
        pattern_patients.patients
    from {{ ref('int_trials__pattern_patients') }} as pattern_patients
    inner join {{ ref('int_trials__patterns') }} as patterns
        on pattern_patients.study_number = patterns.study_number
        and pattern_patients.code = patterns.code
        and pattern_patients.further_codes = patterns.further_codes
{%- endmacro %}
