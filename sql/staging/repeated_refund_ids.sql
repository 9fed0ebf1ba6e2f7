-- repeated_refund_ids: the keys that more than one row of the source refunds has.
-- grain: refund_id
-- inputs: stg_refunds
-- params: none
-- source: only the versions of these keys have to be ranked, which spares sorting all rows
select refund_id
from stg_refunds
group by refund_id
having
    count(*) > 1
    and refund_id is not null
