-- acquisition_economics__customers_equal_metrics: months and channels add up to all customers.
-- table: acquisition_economics
-- severity: error
-- inputs: acquisition_economics, customer_metrics, marketing_cost_outcomes
-- params: none
with

of_channels as (

    select
        coalesce(sum(new_customers), 0) as customers,
        coalesce(sum(spend), 0) as spend
    from acquisition_economics

),

of_customers as (

    select count(*) as customers
    from customer_metrics

),

of_costs as (

    select coalesce(sum(amount), 0) as spend
    from marketing_cost_outcomes
    where
        outcome = 'valid'
        and purpose = 'acquisition'

)

select
    of_channels.customers as channel_customers,
    of_customers.customers as all_customers,
    of_channels.spend as channel_spend,
    of_costs.spend as all_spend
from of_channels
cross join of_customers
cross join of_costs
where
    of_channels.customers != of_customers.customers
    or of_channels.spend != of_costs.spend
