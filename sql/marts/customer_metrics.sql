-- customer_metrics: what each customer with a valid order bought up to $as_of_date.
-- grain: customer_id
-- inputs: int_customer_histories, known_customers
-- params: $default_margin_rate, $min_exposure_days
-- source: a purchase occasion is one customer-day with at least one valid order; Fader, Hardie and
--     Lee (2005), Marketing Science 24(2), for repeat purchases, recency and age
with

profits as (

    select
        *,
        costed_revenue - cost_amount as gross_profit,
        cast(costed_revenue - cost_amount as double)
            / nullif(cast(costed_revenue as double), 0) as measured_margin_rate
    from int_customer_histories

)

select
    ---------- ids
    profits.customer_id,

    ---------- text
    cast(
        case
            when profits.measured_margin_rate is not null then 'measured'
            when $default_margin_rate is not null then 'assumed'
            else 'missing_input'
        end as varchar
    ) as margin_status,
    cast(known_customers.acquisition_channel as varchar) as acquisition_channel,
    cast(known_customers.country as varchar) as country,

    ---------- numerics; an audit stops at sums that are too large for their type
    cast(history['purchase_days'] as bigint) as purchase_days,  -- days with a valid order
    cast(orders as bigint) as orders,  -- valid orders
    cast(history['repeat_purchases'] as bigint) as repeat_purchases,  -- days after the first
    cast(history['recency_days'] as bigint) as recency_days,  -- days, first to last purchase
    cast(history['age_days'] as bigint) as age_days,  -- days, first purchase to as_of_date
    cast(history['days_since_last_purchase'] as bigint) as days_since_last_purchase,  -- days
    try_cast(gross_revenue as decimal(18, 4)) as gross_revenue,  -- money
    try_cast(refund_amount as decimal(18, 4)) as refund_amount,  -- money
    cast(fully_refunded_orders as bigint) as fully_refunded_orders,  -- orders
    try_cast(net_revenue as decimal(18, 4)) as net_revenue,  -- money
    try_cast(gross_profit as decimal(18, 4)) as gross_profit,  -- money, orders with a cost
    cast(
        coalesce(measured_margin_rate, $default_margin_rate) as double
    ) as margin_rate,  -- share of revenue
    cast(net_revenue as double) / orders as average_order_value,  -- money per order
    cast(history['mean_repeat_value'] as double) as mean_repeat_value,  -- money per repeat purchase
    history['purchase_days'] * 365.25
        / greatest(history['age_days'] + 1, $min_exposure_days) as purchases_per_year,  -- per year

    ---------- dates
    cast(history['first_purchase_on'] as date) as first_purchase_on,
    cast(history['last_purchase_on'] as date) as last_purchase_on

from known_customers
right join profits
    on known_customers.customer_id = profits.customer_id
