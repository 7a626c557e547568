select cohort, patient_id
from {{ ref('cohort__patients') }}
group by cohort, patient_id
having count(*) > 1
