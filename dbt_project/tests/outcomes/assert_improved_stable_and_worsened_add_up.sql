select cohort, grouping, group_name, metric, time_point
from {{ ref('outcomes__summary') }}
where improved + stable + worsened <> n
