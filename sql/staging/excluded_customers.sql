-- excluded_customers: the customers whose rows count nowhere, each once, and why.
-- grain: customer_id
-- inputs: known_customers, run.erased
-- params: none
-- source: is_test of the customers, and whom `loyalake erase` was asked to forget; that comes first
with

excluded as (

    select
        customer_id,
        'test_customer' as reason
    from known_customers
    where is_test

    union all

    select
        customer_id,
        'erased' as reason
    from run.erased

)

select
    ---------- ids
    customer_id,

    ---------- text
    min(reason) as reason

from excluded
group by customer_id
