with

studies as (
    select * from {{ ref('stg_registry__studies') }}
),

criteria as (
    select * from {{ ref('stg_registry__criteria') }}
    where parse_status not in ('header', 'note')
),

screened as (
    select nct_id from {{ ref('int_trials__studies') }}
    where versions_back = 0
),

counted as (
    select
        nct_id,
        count(*) as criteria,
        sum(case when parse_status = 'parsed' then 1 else 0 end) as criteria_parsed,
        sum(case when parse_status = 'partial' then 1 else 0 end) as criteria_partial,
        sum(case when parse_status = 'unparsed' then 1 else 0 end) as criteria_unparsed,
        sum(case when is_subjective then 1 else 0 end) as criteria_subjective
    from criteria
    group by nct_id
),

final as (
    select
        studies.nct_id,
        screened.nct_id is not null as is_screened,
        cast(coalesce(counted.criteria, 0) as bigint) as criteria,
        cast(coalesce(counted.criteria_parsed, 0) as bigint) as criteria_parsed,
        cast(coalesce(counted.criteria_partial, 0) as bigint) as criteria_partial,
        cast(coalesce(counted.criteria_unparsed, 0) as bigint) as criteria_unparsed,
        cast(coalesce(counted.criteria_subjective, 0) as bigint) as criteria_subjective,
        cast(counted.criteria_parsed as double) / counted.criteria as share_parsed
    from studies
    left join counted on studies.nct_id = counted.nct_id
    left join screened on studies.nct_id = screened.nct_id
)

select * from final
