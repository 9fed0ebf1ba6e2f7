-- customer_referrals__counts_equal_referrals: customers add up to the referrals of every outcome.
-- table: customer_referrals
-- severity: error
-- inputs: customer_referrals, int_referrals
-- params: none
with

of_customers as (

    select
        coalesce(sum(invitations), 0) as invitations,
        coalesce(sum(conversions), 0) as conversions,
        coalesce(sum(self_referrals), 0) as self_referrals,
        coalesce(sum(cycle_referrals), 0) as cycle_referrals,
        coalesce(sum(repeated_referees), 0) as repeated_referees
    from customer_referrals

),

of_referrals as (

    select
        count(*) as referrals,
        count(*) filter (where referral_outcome = 'converted') as conversions,
        count(distinct referee_id) filter (where referral_outcome = 'converted') as referees,
        count(*) filter (where referral_outcome = 'self_referral') as self_referrals,
        count(*) filter (where referral_outcome = 'cycle') as cycle_referrals,
        count(*) filter (where referral_outcome = 'repeated_referee') as repeated_referees
    from int_referrals

)

select
    of_customers.*,
    of_referrals.referrals as all_referrals,
    of_referrals.conversions as all_conversions,
    of_referrals.referees as all_referees
from of_customers
cross join of_referrals
where
    of_customers.invitations + of_customers.self_referrals + of_customers.cycle_referrals
        != of_referrals.referrals
    or of_customers.conversions != of_referrals.conversions
    or of_customers.conversions != of_referrals.referees
    or of_customers.self_referrals != of_referrals.self_referrals
    or of_customers.cycle_referrals != of_referrals.cycle_referrals
    or of_customers.repeated_referees != of_referrals.repeated_referees
