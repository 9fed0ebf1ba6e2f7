-- acquisition_economics__shares_in_range: shares are possible, and values grow with their days.
-- table: acquisition_economics
-- severity: error
-- inputs: acquisition_economics
-- params: none
select
    acquisition_month,
    channel,
    new_customers,
    referred_customers,
    organic_customers,
    paid_cac,
    blended_cac,
    ltv_90d,
    ltv_365d,
    months_to_payback
from acquisition_economics
where
    not (referral_share between 0 and 1)
    or not (organic_share between 0 and 1)
    or not (referred_customers + organic_customers <= new_customers)
    or (cac_status = 'ok') != (paid_cac is not null)
    or not (paid_cac > 0)
    or (ltv_90d_status = 'ok') != (ltv_90d is not null)
    or (ltv_365d_status = 'ok') != (ltv_365d is not null)
    or not (ltv_90d <= ltv_365d)
    or (payback_status = 'paid_back') != (months_to_payback is not null)
    or not (months_to_payback >= 0)
