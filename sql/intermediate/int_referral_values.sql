-- int_referral_values: the referrals of everybody who made one, and what the referees brought.
-- grain: customer_id
-- inputs: int_customer_values, int_referrals
-- params: none
-- source: a referee brings the profit of the purchases so far, the revenue when that is not known
with

-- the small side of a join stands on the left: that side is held in memory
valued as (

    select
        int_referrals.referrer_id,
        int_referrals.referral_outcome,
        case
            when int_referrals.referral_outcome = 'converted' then int_referrals.cost
        end as conversion_cost,
        int_customer_values.historical_revenue,
        int_customer_values.historical_profit
    from int_referrals
    left join int_customer_values
        on int_referrals.referee_id = int_customer_values.customer_id
        and int_referrals.referral_outcome = 'converted'

),

summed as (

    select
        referrer_id as customer_id,
        count(*) filter (
            where referral_outcome not in ('self_referral', 'cycle')
        ) as invitations,
        count(*) filter (where referral_outcome = 'converted') as conversions,
        count(*) filter (where referral_outcome = 'self_referral') as self_referrals,
        count(*) filter (where referral_outcome = 'cycle') as cycle_referrals,
        count(*) filter (where referral_outcome = 'repeated_referee') as repeated_referees,
        count(historical_revenue) as referred_customers,
        count(historical_profit) as profit_customers,
        sum(coalesce(historical_profit, historical_revenue)) as referred_value,
        sum(conversion_cost) as referral_cost
    from valued
    group by referrer_id

)

select
    ---------- ids
    customer_id,

    ---------- text
    case
        when referred_customers = 0 then null
        when profit_customers = referred_customers then 'profit'
        when profit_customers = 0 then 'revenue'
        else 'mixed'
    end as value_basis,

    ---------- numerics
    invitations,
    conversions,
    self_referrals,
    cycle_referrals,
    repeated_referees,
    referred_customers,  -- conversions whose referee has bought
    coalesce(referred_value, 0) as referred_value,  -- money
    coalesce(referral_cost, 0) as referral_cost  -- money paid for conversions

from summed
