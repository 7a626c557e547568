{# What dbt-spark has to do otherwise than it does, so that the same models and seeds run there. #}

{# Parquet tables take no NOT NULL; the contract's names and types are still compared. #}
{% macro spark__persist_constraints(relation, model) %}{% endmacro %}

{# dbt-spark's session writes an empty cell of a seed as the word None, and an apostrophe as the end of the word. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(get_batch_size()) -%}
        {%- set bindings = [] -%}
        {%- set sql -%}
            insert into {{ this.render() }} values
            {%- for row in chunk %}
                ({%- for name in agate_table.column_names -%}
                    {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                    {%- set value = row[loop.index0] -%}
                    {%- if value is none -%}cast(null as {{ type }}){%- else -%}
                        {%- do bindings.append(value | replace("'", "\\'") if value is string else value) -%}cast(%s as {{ type }})
                    {%- endif -%}
                    {%- if not loop.last %}, {% endif -%}
                {%- endfor -%})
                {%- if not loop.last %}, {% endif -%}
            {%- endfor -%}
        {%- endset -%}
        {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements | first) }}
{% endmacro %}
