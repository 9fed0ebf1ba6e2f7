-- customer_metrics__decimals_equal_doubles: decimal sums, which may wrap, equal double sums.
-- table: customer_metrics
-- severity: error
-- inputs: customer_metrics, order_outcomes
-- params: $relative_tolerance
with

of_customers as (

    select cast(coalesce(sum(net_revenue), 0) as double) as decimal_sum
    from customer_metrics

),

of_orders as (

    select coalesce(sum(cast(net_amount as double)), 0) as double_sum
    from order_outcomes
    where outcome = 'valid'

)

select
    of_customers.decimal_sum,
    of_orders.double_sum
from of_customers
cross join of_orders
where
    abs(of_customers.decimal_sum - of_orders.double_sum)
    > $relative_tolerance * abs(of_orders.double_sum)
