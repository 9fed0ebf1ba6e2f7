-- int_customer_histories: the orders of each customer summed up, whole and up to the hold-out.
-- grain: customer_id
-- inputs: int_customer_days
-- params: $activity_window_days, $as_of_date, $holdout_days
-- source: a purchase occasion is one customer-day with at least one valid order; the hold-out is
--     the last $holdout_days days; orders before it are judged as of $as_of_date, too
with

histories as (

    select
        customer_id,
        purchase_history(purchased_on, net_amount, $as_of_date)
            filter (where outcome = 'valid') as history,
        count(*) filter (
            where outcome = 'valid' and purchased_on <= $as_of_date - $holdout_days
        ) as calibration_purchase_days,
        max(purchased_on) filter (
            where outcome = 'valid' and purchased_on <= $as_of_date - $holdout_days
        ) as calibration_last_purchase_on,
        sum(orders) filter (where outcome = 'valid') as orders,
        sum(orders) filter (
            where outcome = 'valid' and purchased_on > $as_of_date - $activity_window_days
        ) as recent_orders,
        sum(orders) filter (where outcome = 'fully_refunded') as fully_refunded_orders,
        sum(gross_amount) filter (where outcome = 'valid') as gross_revenue,
        sum(refund_amount) filter (where outcome = 'valid') as refund_amount,
        sum(net_amount) filter (where outcome = 'valid') as net_revenue,
        sum(costed_net_amount) filter (where outcome = 'valid') as costed_revenue,
        sum(cost_amount) filter (where outcome = 'valid') as cost_amount
    from int_customer_days
    where customer_id is not null
    group by customer_id

)

select
    ---------- ids
    customer_id,

    ---------- structs
    history,  -- as purchase_history describes it, up to $as_of_date

    ---------- numerics
    orders,  -- valid ones
    coalesce(recent_orders, 0) as recent_orders,  -- of the last $activity_window_days days
    coalesce(fully_refunded_orders, 0) as fully_refunded_orders,
    gross_revenue,  -- money of valid orders, as all amounts here
    refund_amount,
    net_revenue,
    costed_revenue,  -- of orders with a cost
    cost_amount,
    calibration_purchase_days,  -- days with a valid order before the hold-out

    ---------- dates
    calibration_last_purchase_on  -- the last one before the hold-out; NULL for later customers

from histories
where orders > 0
