{# Which treated patient is in which group. #}
{{ config(materialized='view') }}

with

strata as (
    select * from {{ ref('int_outcomes__strata') }}
),

stratum_groups as (
    select * from {{ ref('int_outcomes__stratum_groups') }}
),

final as (
    select
        stratum_groups.group_key,
        strata.patient_key,
        stratum_groups.cohort,
        stratum_groups.grouping,
        stratum_groups.group_name,
        stratum_groups.is_baseline_group,
        stratum_groups.is_exclusive
    from strata
    inner join stratum_groups on strata.stratum_key = stratum_groups.stratum_key
)

select * from final
