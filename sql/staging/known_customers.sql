-- known_customers: what is known about each customer, once; rows that break a rule are left out.
-- grain: customer_id
-- inputs: repeated_customer_ids, repeated_customers, stg_customers
-- params: none
-- source: definition in repeated_customers
with

-- the small side of a join stands on the left: that side is held in memory
single_customers as (

    select stg_customers.*
    from repeated_customer_ids
    right anti join stg_customers
        on repeated_customer_ids.customer_id = stg_customers.customer_id
    where stg_customers.broken_rule is null

)

select
    ---------- ids
    customer_id,

    ---------- text
    acquisition_channel,
    country,

    ---------- booleans
    is_test

from single_customers

union all

select
    customer_id,
    acquisition_channel,
    country,
    is_test
from repeated_customers
