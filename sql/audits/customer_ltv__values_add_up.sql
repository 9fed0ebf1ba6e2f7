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
    (lifetime_value is distinct from historical_revenue + expected_revenue)
    or (lifetime_profit is distinct from historical_profit + expected_profit)
