{{ config(meta={'told': 'seeds/outcomes/group_bands.csv: bands of one grouping must not overlap'}) }}
{# A patient in two bands of one exclusive grouping would count twice. #}
select one.grouping, one.group_name
from {{ ref('group_bands') }} as one
inner join {{ ref('group_bands') }} as other
    on one.grouping = other.grouping
    and one.group_name <> other.group_name
    and coalesce(one.lower_value, -1000) < coalesce(other.upper_value, 1000)
    and coalesce(other.lower_value, -1000) < coalesce(one.upper_value, 1000)
