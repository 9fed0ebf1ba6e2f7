-- loyalty_value: what customers of each loyalty tier did after they were in it.
-- grain: loyalty_tier
-- inputs: int_tier_members, run.supplied
-- params: none
-- source: tiers are those of period_start, whoever has changed tier or left since; definition in
--     int_tier_members; intervals: Wilson (1927), J. of the American Statistical Association 22
with

tiers as (

    -- sums of decimals and integers: they do not depend on the order of rows
    select
        loyalty_tier,
        max(period_start) as period_start,
        count(*) as customers,
        count(orders) as active_customers,
        count(*) filter (where purchase_days >= 2) as repeat_customers,
        case
            when (select referrals from run.supplied)
                then count(*) filter (where has_referred)
        end as referring_customers,
        coalesce(sum(orders), 0) as orders,
        coalesce(sum(revenue), 0) as revenue,
        case
            when sum(discount_known_revenue) is not null
                then coalesce(sum(full_price_revenue), 0)
        end as full_price_revenue,
        sum(discount_known_revenue) as discount_known_revenue
    from int_tier_members
    group by loyalty_tier

),

intervals as (

    select
        *,
        wilson_interval(customers - active_customers, customers, 0.95) as churn_interval,
        wilson_interval(repeat_customers, active_customers, 0.95) as repeat_interval,
        wilson_interval(referring_customers, customers, 0.95) as referral_interval
    from tiers

)

select
    ---------- ids
    cast(loyalty_tier as varchar) as loyalty_tier,  -- on period_start

    ---------- text
    cast(
        case
            when discount_known_revenue > 0 then 'ok'
            when discount_known_revenue is null and orders > 0 then 'missing_input'
            else 'no_revenue'
        end as varchar
    ) as full_price_status,
    cast(
        case when referring_customers is null then 'missing_input' else 'ok' end as varchar
    ) as referral_status,

    ---------- numerics
    cast(customers as bigint) as customers,  -- on period_start, as all customers here
    cast(customers - active_customers as bigint) as churned_customers,  -- no order since
    cast(customers - active_customers as double) / customers as churn_rate,  -- 0 to 1
    cast(churn_interval['low'] as double) as churn_ci_low,  -- 95 %
    cast(churn_interval['high'] as double) as churn_ci_high,  -- 95 %
    cast(active_customers as bigint) as active_customers,  -- with an order since
    cast(repeat_customers as bigint) as repeat_customers,  -- with orders on two days or more
    cast(repeat_customers as double) / nullif(active_customers, 0) as repeat_rate,  -- 0 to 1
    cast(repeat_interval['low'] as double) as repeat_ci_low,  -- 95 %
    cast(repeat_interval['high'] as double) as repeat_ci_high,  -- 95 %
    cast(orders as bigint) as orders,  -- valid ones since
    cast(orders as double) / customers as orders_per_customer,
    cast(revenue as decimal(28, 4)) as revenue,  -- money, after refunds, as all amounts here
    cast(revenue as double) / customers as revenue_per_customer,
    cast(revenue as double) / nullif(orders, 0) as average_order_value,
    cast(full_price_revenue as decimal(28, 4)) as full_price_revenue,  -- orders without discount
    cast(discount_known_revenue as decimal(28, 4)) as discount_known_revenue,
    cast(full_price_revenue as double)
        / nullif(cast(discount_known_revenue as double), 0) as full_price_share,  -- 0 to 1
    cast(referring_customers as bigint) as referring_customers,  -- whose invited became customers
    cast(referring_customers as double) / customers as referral_rate,  -- 0 to 1
    cast(referral_interval['low'] as double) as referral_ci_low,  -- 95 %
    cast(referral_interval['high'] as double) as referral_ci_high,  -- 95 %

    ---------- dates
    cast(period_start as date) as period_start  -- the first day that does not count

from intervals
