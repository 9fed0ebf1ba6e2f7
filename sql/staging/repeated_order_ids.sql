-- repeated_order_ids: the keys that more than one row of the source orders has.
-- grain: order_id
-- inputs: stg_orders
-- params: none
-- source: only the versions of these keys have to be ranked, which spares sorting all rows
select order_id
from stg_orders
group by order_id
having
    count(*) > 1
    and order_id is not null
