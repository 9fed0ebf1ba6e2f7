-- customer_metrics__sums_fit: no sum of money, of a customer or a day, is too large for
--     decimal(18, 4).
-- table: customer_metrics
-- severity: error
-- inputs: int_customer_days, int_customer_histories
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
    cast(null as date) as purchased_on,
    net_revenue
from sums
where
    (try_cast(gross_revenue as decimal(18, 4)) is null and gross_revenue is not null)
    or (try_cast(refund_amount as decimal(18, 4)) is null and refund_amount is not null)
    or (try_cast(net_revenue as decimal(18, 4)) is null and net_revenue is not null)
    or (try_cast(gross_profit as decimal(18, 4)) is null and gross_profit is not null)

union all

-- a day's sum that does not fit is NULL; those of cost are NULL together when nothing is known
select
    customer_id,
    purchased_on,
    cast(net_amount_double as decimal(38, 4)) as net_revenue
from int_customer_days
where
    outcome = 'valid'
    and (
        gross_amount is null
        or refund_amount is null
        or net_amount is null
        or (costed_net_amount is null) != (cost_amount is null)
    )
