-- customer_metrics__sums_fit: no money of an order, or sum of a customer, is too large for
--     decimal(18, 4).
-- table: customer_metrics
-- severity: error
-- inputs: int_customer_histories, order_outcomes
-- params: none
with

sums as (

    select
        customer_id,
        gross_revenue,
        refund_amount,
        net_revenue,
        costed_revenue - cost_amount as gross_profit
    from int_customer_histories

)

select
    customer_id,
    net_revenue
from sums
where
    (try_cast(gross_revenue as decimal(18, 4)) is null and gross_revenue is not null)
    or (try_cast(refund_amount as decimal(18, 4)) is null and refund_amount is not null)
    or (try_cast(net_revenue as decimal(18, 4)) is null and net_revenue is not null)
    or (try_cast(gross_profit as decimal(18, 4)) is null and gross_profit is not null)

union all

-- what of an order does not fit is NULL
select
    customer_id,
    net_amount as net_revenue
from order_outcomes
where
    outcome = 'valid'
    and (gross_amount is null or refund_amount is null or net_amount is null)
