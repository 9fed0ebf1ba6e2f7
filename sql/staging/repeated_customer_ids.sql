-- repeated_customer_ids: the keys that more than one row of the source customers has.
-- grain: customer_id
-- inputs: stg_customers
-- params: none
-- source: only the versions of these keys have to be ranked, which spares sorting all rows
select customer_id
from stg_customers
group by customer_id
having
    count(*) > 1
    and customer_id is not null
