-- customer_ltv__rates_in_range: probabilities in 0 to 1, no negative values, quantiles in order.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv
-- params: $as_of_date
select
    customer_id,
    p_alive,
    churn_probability,
    expected_purchases,
    expected_spend,
    expected_revenue,
    expected_revenue_p10,
    expected_revenue_p90,
    next_purchase_on_p50,
    ltv_decile
from customer_ltv
where
    not (p_alive between 0 and 1)
    or not (churn_probability between 0 and 1)
    or not (expected_purchases >= 0 and expected_purchases < cast('Infinity' as double))
    or not (expected_spend >= 0)
    or not (expected_revenue >= 0)
    or not (expected_revenue_p10 between 0 and expected_revenue_p90)
    or not (next_purchase_on_p50 >= $as_of_date)
    or not (ltv_decile between 1 and 10)
