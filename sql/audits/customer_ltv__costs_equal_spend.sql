-- customer_ltv__costs_equal_spend: customers carry the spend of the channels they came by.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv, int_acquisition_costs
-- params: $relative_tolerance
with

of_customers as (

    select coalesce(sum(acquisition_cost), 0) as acquisition_cost
    from customer_ltv

),

of_channels as (

    select coalesce(sum(cast(spend as double)), 0) as spend
    from int_acquisition_costs
    where
        cac_status = 'ok'
        and channel != 'unknown'

)

select
    of_customers.acquisition_cost,
    of_channels.spend
from of_customers
cross join of_channels
where
    abs(of_customers.acquisition_cost - of_channels.spend)
    > $relative_tolerance * of_channels.spend
