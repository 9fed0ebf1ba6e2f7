-- int_customer_days: the orders of each customer and day by outcome; what others know of orders.
-- grain: customer_id, purchased_on, outcome, row_key, rule, detail
-- inputs: order_outcomes
-- params: none
-- kept: yes
-- source: customer and day are kept for valid and fully refunded orders, key, rule and detail for
--     quarantined ones; they are NULL elsewhere, so that few rows are left. Sums are stored as
--     decimals of 18 digits, which Parquet has as integers; an audit finds those that do not fit
with

keyed as (

    select
        case when outcome in ('valid', 'fully_refunded') then customer_id end as customer_id,
        outcome,
        -- of a key that is too long, enough to find it
        case when outcome = 'quarantined' then left(cast(order_id as varchar), 200) end as row_key,
        rule,
        detail,
        gross_amount,
        refund_amount,
        net_amount,
        case when cost_amount is not null then net_amount end as costed_net_amount,
        cost_amount,
        case when is_full_price is not null then net_amount end as discount_known_net_amount,
        case when is_full_price then net_amount end as full_price_net_amount,
        cast(net_amount as double) as net_amount_double,
        versions,
        case when outcome in ('valid', 'fully_refunded') then ordered_on end as purchased_on
    from order_outcomes

)

select
    ---------- ids
    customer_id,

    ---------- text
    outcome,
    row_key,
    rule,
    detail,

    ---------- numerics
    count(*) as orders,
    sum(versions) - count(*) as older_versions,  -- rows that a later version replaced
    -- money, as all amounts here; NULL when it is too large
    try_cast(sum(gross_amount) as decimal(18, 4)) as gross_amount,
    try_cast(sum(refund_amount) as decimal(18, 4)) as refund_amount,
    try_cast(sum(net_amount) as decimal(18, 4)) as net_amount,  -- after refunds
    try_cast(sum(costed_net_amount) as decimal(18, 4)) as costed_net_amount,  -- orders with a cost
    try_cast(sum(cost_amount) as decimal(18, 4)) as cost_amount,
    -- of orders of which a discount is known, and of those among them without one
    try_cast(sum(discount_known_net_amount) as decimal(18, 4)) as discount_known_net_amount,
    try_cast(sum(full_price_net_amount) as decimal(18, 4)) as full_price_net_amount,
    sum(net_amount_double) as net_amount_double,  -- only to check the decimal sums

    ---------- dates
    purchased_on

from keyed
group by customer_id, outcome, row_key, rule, detail, purchased_on
