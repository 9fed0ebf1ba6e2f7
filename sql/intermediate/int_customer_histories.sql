-- int_customer_histories: the orders of each customer summed up, whole and up to the hold-out.
-- grain: customer_id
-- inputs: order_outcomes
-- params: $activity_window_days, $as_of_date, $holdout_days
-- source: a purchase occasion is one customer-day with at least one valid order; the hold-out is
--     the last $holdout_days days; orders before it are judged as of $as_of_date, too
with

orders as (

    select
        customer_id,
        ordered_on,
        gross_amount,
        refund_amount,
        net_amount,
        cost_amount,
        case when cost_amount is not null then net_amount end as costed_net_amount,
        outcome = 'valid' as is_valid,
        outcome = 'valid' and ordered_on > $as_of_date - $activity_window_days as is_recent,
        outcome = 'fully_refunded' as is_fully_refunded
    from order_outcomes
    where
        customer_id is not null
        and outcome in ('valid', 'fully_refunded')

),

histories as (

    select
        customer_id,
        purchase_history(ordered_on, net_amount, $as_of_date, $holdout_days)
            filter (where is_valid) as history,
        count(*) filter (where is_recent) as recent_orders,
        count(*) filter (where is_fully_refunded) as fully_refunded_orders,
        sum(gross_amount) filter (where is_valid) as gross_revenue,
        sum(refund_amount) filter (where is_valid) as refund_amount,
        sum(costed_net_amount) filter (where is_valid) as costed_revenue,
        sum(cost_amount) filter (where is_valid) as cost_amount
    from orders
    group by customer_id

)

select
    ---------- ids
    customer_id,

    ---------- structs
    history,  -- as purchase_history describes it, up to $as_of_date

    ---------- numerics
    history['purchases'] as orders,  -- valid ones
    recent_orders,  -- of the last $activity_window_days days
    fully_refunded_orders,
    gross_revenue,  -- money of valid orders, as all amounts here
    refund_amount,
    history['exact_total'] as net_revenue,
    costed_revenue,  -- of orders with a cost
    cost_amount
from histories
where history is not null
