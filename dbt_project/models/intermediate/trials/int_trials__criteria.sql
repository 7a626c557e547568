{# Criteria of the screened studies that ask something (no headers, no notes), with their place in the text. #}

with

studies as (
    select * from {{ ref('int_trials__studies') }}
),

criteria as (
    {{ all_versions(ref('stg_registry__criteria'), ref('stg_registry__earlier_criteria'), [
        'nct_id', 'criterion_id', 'section', 'ordinal', 'text', 'part', 'group_id', 'parse_status',
        'is_subjective']) }}
),

final as (
    select
        cast(row_number() over (order by studies.study_number, criteria.ordinal, criteria.criterion_id) as bigint)
            as criterion_number,
        studies.study_number,
        studies.versions_back,
        criteria.nct_id,
        criteria.criterion_id,
        criteria.section,
        cast(
            row_number() over (partition by studies.study_number order by criteria.ordinal, criteria.criterion_id) as bigint
        ) as position_in_text,
        criteria.ordinal,
        criteria.text,
        coalesce(criteria.part, '') as part,
        criteria.group_id,
        criteria.parse_status,
        coalesce(criteria.is_subjective, false) as is_subjective,
        -- an unread sentence about these words could decide, so it is not set aside with the investigator's opinion
        criteria.parse_status = 'unparsed'
        and coalesce(criteria.is_subjective, false) = false
        and {{ mentions('criteria.text', 'decisive_words') }} as is_unread_decisive
    from criteria
    inner join studies on criteria.nct_id = studies.nct_id and criteria.versions_back = studies.versions_back
    where criteria.parse_status not in ('header', 'note')
)

select * from final
