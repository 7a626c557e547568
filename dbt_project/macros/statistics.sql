{# A model that the Python statistics read: also a Parquet file `statistics/<model>.parquet` in the lake (a folder
   of that name on Spark), built in dbt's first step. Call it at the head of the model. #}
{% macro statistics_input() -%}
    {%- if target.type == 'spark' -%}
        {{ config(materialized='table', tags=['statistics_input'], file_format='parquet', location_root=lake_root() ~ '/statistics') }}
    {%- else -%}
        {{ config(materialized='external', tags=['statistics_input'], location=lake_root() ~ '/statistics/' ~ model.name ~ '.parquet') }}
    {%- endif -%}
{%- endmacro %}
