-- customer_ltv__referrals_equal: every customer has the value that customer_referrals says.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv, customer_referrals
-- params: none
select
    customer_ltv.customer_id,
    customer_ltv.referral_value,
    customer_referrals.referral_value as value_of_referrals,
    customer_ltv.referral_status,
    customer_referrals.referral_status as status_of_referrals
from customer_ltv
left join customer_referrals
    on customer_ltv.customer_id = customer_referrals.customer_id
where
    (customer_ltv.referral_value is distinct from customer_referrals.referral_value)
    or (customer_ltv.referral_status is distinct from customer_referrals.referral_status)
