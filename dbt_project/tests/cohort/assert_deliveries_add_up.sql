-- Nothing is lost: rows in = accepted + rejected + not data, for every sheet.
select cohort, delivery_id, sheet
from {{ ref('quality__deliveries') }}
where rows_in <> rows_accepted + rows_rejected + rows_not_data
