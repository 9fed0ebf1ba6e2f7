-- loyalty_value__rates_in_range: rates are between 0 and 1, intervals hold them, parts are parts.
-- table: loyalty_value
-- severity: error
-- inputs: loyalty_value
-- params: none
select
    loyalty_tier,
    customers,
    churn_rate,
    active_customers,
    repeat_rate,
    orders,
    full_price_share,
    referral_rate
from loyalty_value
where
    not (churn_ci_low >= 0 and churn_rate between churn_ci_low and churn_ci_high)
    or not (repeat_ci_low >= 0 and repeat_rate between repeat_ci_low and repeat_ci_high)
    or not (referral_ci_low >= 0 and referral_rate between referral_ci_low and referral_ci_high)
    or not (churn_ci_high <= 1 and repeat_ci_high <= 1 and referral_ci_high <= 1)
    or not (full_price_share between 0 and 1)
    or discount_known_revenue > revenue
    or churned_customers + active_customers != customers
    or repeat_customers > active_customers
    or orders < active_customers + repeat_customers
