-- customer_ltv__values_add_up: lifetime values are the historical and the expected ones.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv
-- params: none
select
    customer_id,
    lifetime_value,
    historical_revenue,
    expected_revenue,
    lifetime_profit,
    historical_profit,
    expected_profit
from customer_ltv
where
    (lifetime_value is distinct from cast(historical_revenue as double) + expected_revenue)
    or abs(lifetime_profit - historical_profit - expected_profit) > 0.0001
