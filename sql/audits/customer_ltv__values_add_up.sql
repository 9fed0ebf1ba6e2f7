-- customer_ltv__values_add_up: lifetime values are the sums of their parts.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv
-- params: $relative_tolerance
select
    customer_id,
    lifetime_value,
    historical_revenue,
    expected_revenue,
    lifetime_profit,
    historical_profit,
    expected_profit,
    acquisition_cost,
    acquisition_cost_status,
    net_ltv,
    referral_value,
    referral_status,
    engagement_value
from customer_ltv
where
    (lifetime_value is distinct from cast(historical_revenue as double) + expected_revenue)
    -- historical_profit has four decimals
    or abs(lifetime_profit - historical_profit - expected_profit)
        > 0.0001 + $relative_tolerance * abs(lifetime_profit)
    or (net_ltv is distinct from lifetime_value - acquisition_cost)
    or (engagement_value is distinct from lifetime_value + referral_value)
    or (acquisition_cost_status = 'ok') != (acquisition_cost is not null)
    or (referral_status = 'missing_input') != (referral_value is null)
