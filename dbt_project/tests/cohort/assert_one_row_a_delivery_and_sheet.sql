select cohort, delivery_id, sheet
from {{ ref('quality__deliveries') }}
group by cohort, delivery_id, sheet
having count(*) > 1
