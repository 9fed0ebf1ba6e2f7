-- order_outcomes: every order once, and what became of it.
-- grain: one row per order, and per row that broke its contract
-- inputs: converted_orders, excluded_customers, refund_outcomes
-- params: $as_of_date, $count_zero_value_orders, $valid_statuses
-- kept: yes
-- source: an order is valid when its status is, it is dated up to $as_of_date, its net amount is
--     positive and was not refunded in full
with

order_refunds as (

    select
        order_id,
        sum(amount) as refund_amount
    from refund_outcomes
    where outcome = 'valid'
    group by order_id

),

-- the small side of a join stands on the left: that side is held in memory
refunded as (

    select
        converted_orders.*,
        order_refunds.refund_amount
    from order_refunds
    right join converted_orders
        on order_refunds.order_id = converted_orders.order_id

),

told_apart as (

    select
        refunded.*,
        excluded_customers.reason
    from excluded_customers
    right join refunded
        on excluded_customers.customer_id = refunded.customer_id

),

judged as (

    select
        *,
        case
            when reason = 'erased' then reason
            when ordered_on > $as_of_date and broken_rule is distinct from 'ordered_at_in_range'
                then 'after_as_of_date'
            when broken_rule is not null then 'quarantined'
            when reason is not null then reason
            when not array_has($valid_statuses, status) then 'other_status'
            when net_amount < 0 then 'not_positive'
            when net_amount = 0 and not $count_zero_value_orders then 'not_positive'
            when refund_amount > 0 and refund_amount >= net_amount then 'fully_refunded'
            when customer_id is null then 'unattributed'
            else 'valid'
        end as outcome
    from told_apart

)

select
    ---------- ids
    customer_id,
    -- of a key that is too long, enough to find it
    case when outcome = 'quarantined' then left(cast(order_id as varchar), 200) end as row_key,

    ---------- text
    outcome,  -- valid, or the first reason why not
    case when outcome = 'quarantined' then broken_rule end as rule,
    case when outcome = 'quarantined' then broken_detail end as detail,

    ---------- numerics; decimals of 18 digits, which Parquet has as integers
    gross_amount,  -- money of the reporting currency, as all amounts here
    -- NULL when refunds are too large, which they are of no valid order
    try_cast(coalesce(refund_amount, 0) as decimal(18, 4)) as refund_amount,
    try_cast(net_amount - coalesce(refund_amount, 0) as decimal(18, 4)) as net_amount,
    cost_amount,  -- NULL is unknown
    cast(versions - 1 as int) as older_versions,  -- rows that a later version replaced

    ---------- booleans
    is_full_price,  -- NULL: a discount is not known of

    ---------- dates
    ordered_on  -- business date

from judged
