-- segment_ltv__totals_equal_customers: the segments of every scheme add up to all customers.
-- table: segment_ltv
-- severity: error
-- inputs: customer_ltv, segment_ltv
-- params: none
with

schemes as (

    select
        scheme,
        sum(customers) as customers,
        sum(total_ltv) as total_ltv
    from segment_ltv
    group by scheme

),

all_customers as (

    select
        count(*) as customers,
        sum(cast(lifetime_value as decimal(28, 4))) as total_ltv
    from customer_ltv

)

select
    schemes.scheme,
    schemes.customers as segment_customers,
    all_customers.customers,
    schemes.total_ltv as segment_ltv,
    all_customers.total_ltv
from schemes
cross join all_customers
where
    schemes.customers != all_customers.customers
    or schemes.total_ltv != all_customers.total_ltv
