-- customers_overview: Customers and their value
-- grain: customers
-- inputs: customer_ltv, customer_metrics
-- params: $reporting_currency
-- source: sums and means of the published tables
with

totals as (

    select
        count(*) as customers,
        avg(case when customer_metrics.repeat_purchases > 0 then 1.0 else 0.0 end) as repeat_share,
        sum(customer_metrics.orders) as orders,
        sum(customer_metrics.net_revenue) as net_revenue,
        sum(customer_ltv.expected_revenue) as expected_revenue,
        avg(customer_ltv.lifetime_value) as mean_lifetime_value,
        avg(customer_ltv.p_alive) as mean_p_alive
    from customer_metrics
    inner join customer_ltv
        on customer_metrics.customer_id = customer_ltv.customer_id

)

select
    customers,
    round(100 * repeat_share, 1) as repeat_percent,  -- with a purchase after the first day
    orders,
    $reporting_currency as currency,
    round(cast(net_revenue as double), 2) as net_revenue,
    round(expected_revenue, 2) as expected_revenue,  -- discounted, within the horizon
    round(mean_lifetime_value, 2) as mean_lifetime_value,  -- past and expected
    round(mean_p_alive, 3) as mean_p_alive
from totals
