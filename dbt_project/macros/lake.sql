{# Where a lake table lies. Sources use the same paths through `external_location`. #}
{% macro lake_root() %}{{ return(env_var('REMIT_LAKE', '../data/lake')) }}{% endmacro %}
