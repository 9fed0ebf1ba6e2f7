-- customer_referrals__values_add_up: values are those of both types, of counts that are possible.
-- table: customer_referrals
-- severity: error
-- inputs: customer_referrals
-- params: none
select
    customer_id,
    invitations,
    conversions,
    repeated_referees,
    referred_customers,
    referred_value,
    value_basis,
    type1_value,
    type2_value,
    referral_value,
    referral_status
from customer_referrals
where
    conversions + repeated_referees > invitations
    or not (referred_customers between 0 and conversions)
    or (referred_customers > 0) != (value_basis is not null)
    or (referral_value is distinct from type1_value + coalesce(type2_value, 0))
    or (referral_status = 'missing_input') != (referral_value is null)
    or (referral_status = 'ok') != (type2_value is not null)
