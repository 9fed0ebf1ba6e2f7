-- int_acquisition_customers: the customers acquired in a month through a channel.
-- grain: acquisition_month, channel
-- inputs: int_customer_values, int_referrals
-- params: none
-- source: a customer was referred when a referral of this customer converted
with

referees as (

    select referee_id
    from int_referrals
    where referral_outcome = 'converted'

),

-- the small side of a join stands on the left: that side is held in memory
customers as (

    select
        cast(date_trunc('month', int_customer_values.first_purchase_on) as date)
            as acquisition_month,
        coalesce(int_customer_values.acquisition_channel, 'unknown') as channel,
        int_customer_values.lifetime_value,
        referees.referee_id is not null as is_referred
    from referees
    right join int_customer_values
        on referees.referee_id = int_customer_values.customer_id

)

select
    ---------- text
    channel,

    ---------- numerics
    count(*) filter (where is_referred) as referred_customers,
    sum(cast(lifetime_value as decimal(38, 10))) as lifetime_value,  -- money, with the expected

    ---------- dates
    acquisition_month  -- its first day

from customers
group by acquisition_month, channel
