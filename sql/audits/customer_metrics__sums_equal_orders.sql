-- customer_metrics__sums_equal_orders: customers add up to the valid orders that have a customer.
-- table: customer_metrics
-- severity: error
-- inputs: customer_metrics, order_outcomes
-- params: none
with

of_customers as (

    select
        coalesce(sum(orders), 0) as orders,
        coalesce(sum(gross_revenue), 0) as gross_revenue,
        coalesce(sum(refund_amount), 0) as refund_amount,
        coalesce(sum(net_revenue), 0) as net_revenue
    from customer_metrics

),

of_orders as (

    select
        count(*) as orders,
        coalesce(sum(gross_amount), 0) as gross_revenue,
        coalesce(sum(refund_amount), 0) as refund_amount,
        coalesce(sum(net_amount), 0) as net_revenue
    from order_outcomes
    where outcome = 'valid'

)

select
    of_customers.orders as customer_orders,
    of_orders.orders as all_orders,
    of_customers.net_revenue as customer_net_revenue,
    of_orders.net_revenue as all_net_revenue
from of_customers
cross join of_orders
where
    of_customers.orders != of_orders.orders
    or of_customers.gross_revenue != of_orders.gross_revenue
    or of_customers.refund_amount != of_orders.refund_amount
    or of_customers.net_revenue != of_orders.net_revenue
