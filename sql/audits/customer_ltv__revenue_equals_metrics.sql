-- customer_ltv__revenue_equals_metrics: the same customers and the same revenue as the metrics.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv, customer_metrics
-- params: none
with

values_summed as (

    select
        count(*) as customers,
        coalesce(sum(historical_revenue), 0) as revenue
    from customer_ltv

),

metrics_summed as (

    select
        count(*) as customers,
        coalesce(sum(net_revenue), 0) as revenue
    from customer_metrics

)

select
    values_summed.customers as ltv_customers,
    metrics_summed.customers as metrics_customers,
    values_summed.revenue as ltv_revenue,
    metrics_summed.revenue as metrics_revenue
from values_summed
cross join metrics_summed
where
    values_summed.customers != metrics_summed.customers
    or values_summed.revenue != metrics_summed.revenue
