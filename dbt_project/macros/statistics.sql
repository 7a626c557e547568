{# A model that the Python statistics read: a Parquet file `statistics/<model>.parquet` in the lake and a view on it (a
   folder of that name and a table on Spark), built in dbt's first step. Call it at the head of the model. #}
{% macro statistics_input() -%}
    {%- if target.type == 'spark' -%}
        {{ config(materialized='table', tags=['statistics_input'], file_format='parquet', location_root=lake_root() ~ '/statistics') }}
    {%- else -%}
        {{ config(materialized='statistics_file', tags=['statistics_input'], location=lake_root() ~ '/statistics/' ~ model.name ~ '.parquet') }}
    {%- endif -%}
{%- endmacro %}

{# dbt-duckdb's `external` writes every row twice, into a table and from there into the file; this one only once. #}
{% materialization statistics_file, adapter='duckdb' %}
    {%- set location = config.require('location') -%}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing_relation = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('write') -%}
        copy (
            {{ compiled_code }}
        ) to '{{ location }}' (format parquet)
    {%- endcall %}

    {% if existing_relation is not none and not existing_relation.is_view %}
        {{ drop_relation_if_exists(existing_relation) }}
    {% endif %}
    {% call statement('main') -%}
        create or replace view {{ target_relation }} as select * from read_parquet('{{ location }}')
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
