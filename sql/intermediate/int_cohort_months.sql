-- int_cohort_months: what customers bought in each calendar month from their first purchase on.
-- grain: acquisition_month, channel, age_months
-- inputs: customer_metrics, int_customer_days
-- params: none
-- source: age_months counts calendar months, 0 is that of the first purchase; months without a
--     purchase have no row
with

customers as (

    select
        customer_id,
        first_purchase_on,
        12 * date_part('year', first_purchase_on) + date_part('month', first_purchase_on)
            as first_month,
        coalesce(acquisition_channel, 'unknown') as channel,
        margin_rate
    from customer_metrics

),

-- the small side of a join stands on the left: that side is held in memory
aged_days as (

    select
        customers.customer_id,
        12 * date_part('year', int_customer_days.purchased_on)
            + date_part('month', int_customer_days.purchased_on)
            - customers.first_month as age_months,
        int_customer_days.purchased_on - customers.first_purchase_on as age_days,
        int_customer_days.net_amount
    from customers
    inner join int_customer_days
        on customers.customer_id = int_customer_days.customer_id
    where int_customer_days.outcome = 'valid'

),

customer_months as (

    select
        customer_id,
        age_months,
        sum(net_amount) as revenue,
        sum(net_amount) filter (where age_days <= 90) as revenue_90d,
        sum(net_amount) filter (where age_days <= 365) as revenue_365d
    from aged_days
    group by customer_id, age_months

),

described_months as (

    select
        customer_months.*,
        cast(date_trunc('month', customers.first_purchase_on) as date) as acquisition_month,
        customers.channel,
        customers.margin_rate
    from customers
    inner join customer_months
        on customers.customer_id = customer_months.customer_id

)

select
    ---------- text
    channel,

    ---------- numerics
    cast(age_months as bigint) as age_months,
    count(*) as active_customers,  -- with a valid order in the month
    count(margin_rate) as margin_customers,  -- those whose margin_rate is known
    sum(revenue) as revenue,  -- money of valid orders after refunds, as all amounts here
    sum(revenue_90d) as revenue_90d,  -- up to 90 days after the first purchase
    sum(revenue_365d) as revenue_365d,
    -- sums of decimals: they do not depend on the order of rows
    sum(cast(cast(revenue as double) * margin_rate as decimal(38, 10))) as profit,

    ---------- dates
    acquisition_month  -- its first day

from described_months
group by acquisition_month, channel, age_months
