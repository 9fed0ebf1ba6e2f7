-- int_cohort_months: what customers bought in each calendar month from their first purchase on.
-- grain: acquisition_month, channel, age_months
-- inputs: customer_metrics, int_customer_histories, order_outcomes
-- params: none
-- source: age_months counts calendar months, 0 is that of the first purchase; months without a
--     purchase have no row
with

customers as (

    select
        customer_id,
        first_purchase_on,
        cast(date_trunc('month', first_purchase_on) as date) as acquisition_month,
        12 * date_part('year', first_purchase_on) + date_part('month', first_purchase_on)
            as first_month,
        coalesce(acquisition_channel, 'unknown') as channel,
        margin_rate
    from customer_metrics

),

-- the small side of a join stands on the left: that side is held in memory
aged_orders as (

    select
        customers.acquisition_month,
        customers.channel,
        customers.margin_rate,
        12 * date_part('year', order_outcomes.ordered_on)
            + date_part('month', order_outcomes.ordered_on)
            - customers.first_month as age_months,
        order_outcomes.ordered_on - customers.first_purchase_on as age_days,
        order_outcomes.net_amount
    from customers
    inner join order_outcomes
        on customers.customer_id = order_outcomes.customer_id
    where order_outcomes.outcome = 'valid'

),

sums as (

    select
        acquisition_month,
        channel,
        age_months,
        sum(net_amount) as revenue,
        sum(net_amount) filter (where age_days <= 90) as revenue_90d,
        sum(net_amount) filter (where age_days <= 365) as revenue_365d,
        -- sums of decimals: they do not depend on the order of rows
        sum(cast(cast(net_amount as double) * margin_rate as decimal(38, 10))) as profit
    from aged_orders
    group by acquisition_month, channel, age_months

),

active_months as (

    select
        customers.acquisition_month,
        customers.channel,
        customers.margin_rate,
        unnest(int_customer_histories.history['purchase_months'])
            - int_customer_histories.history['purchase_months'][1] as age_months
    from customers
    inner join int_customer_histories
        on customers.customer_id = int_customer_histories.customer_id

),

counts as (

    select
        acquisition_month,
        channel,
        age_months,
        count(*) as active_customers,
        count(margin_rate) as margin_customers
    from active_months
    group by acquisition_month, channel, age_months

)

select
    ---------- text
    counts.channel,

    ---------- numerics
    cast(counts.age_months as bigint) as age_months,
    counts.active_customers,  -- with a valid order in the month
    counts.margin_customers,  -- those whose margin_rate is known
    sums.revenue,  -- money of valid orders after refunds, as all amounts here
    sums.revenue_90d,  -- up to 90 days after the first purchase
    sums.revenue_365d,
    sums.profit,

    ---------- dates
    counts.acquisition_month  -- its first day

from counts
inner join sums
    on counts.acquisition_month = sums.acquisition_month
    and counts.channel = sums.channel
    and counts.age_months = sums.age_months
