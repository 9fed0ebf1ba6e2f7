-- int_tier_members: the customers of an earlier run in their tier of then, and what they did since.
-- grain: customer_id
-- inputs: int_referrals, order_outcomes, published.period_tiers
-- params: none
-- source: the run is described in published/period_tiers; without one there are no rows
with

members as (

    select
        customer_id,
        loyalty_tier,
        as_of_date as period_start
    from published.period_tiers

),

-- NULL without an earlier run: then nobody has bought since
period as (

    select max(period_start) as period_start
    from members

),

purchase_days as (

    select
        customer_id,
        ordered_on,
        count(*) as orders,
        sum(net_amount) as revenue,
        sum(net_amount) filter (where is_full_price) as full_price_revenue,
        sum(net_amount) filter (where is_full_price is not null) as discount_known_revenue
    from order_outcomes
    where
        outcome = 'valid'
        and ordered_on > (select period_start from period)
    group by customer_id, ordered_on

),

purchases as (

    select
        customer_id,
        count(*) as purchase_days,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(full_price_revenue) as full_price_revenue,
        sum(discount_known_revenue) as discount_known_revenue
    from purchase_days
    group by customer_id

),

referrers as (

    select referrer_id
    from int_referrals
    where
        referral_outcome = 'converted'
        and converted_on > (select period_start from period)
    group by referrer_id

),

-- the small side of a join stands on the left: that side is held in memory
purchased as (

    select
        members.customer_id,
        members.loyalty_tier,
        members.period_start,
        purchases.purchase_days,
        purchases.orders,
        purchases.revenue,
        purchases.full_price_revenue,
        purchases.discount_known_revenue
    from purchases
    right join members
        on purchases.customer_id = members.customer_id

)

select
    ---------- ids
    purchased.customer_id,

    ---------- text
    purchased.loyalty_tier,  -- on period_start

    ---------- numerics; since period_start, NULL without a valid order
    purchased.purchase_days,  -- days with a valid order
    purchased.orders,  -- valid ones
    purchased.revenue,  -- money of valid orders after refunds, as all amounts here
    purchased.full_price_revenue,  -- of orders without a discount
    purchased.discount_known_revenue,  -- of orders of which that is known

    ---------- booleans
    referrers.referrer_id is not null as has_referred,  -- someone who became a customer

    ---------- dates
    purchased.period_start

from referrers
right join purchased
    on referrers.referrer_id = purchased.customer_id
