-- customer_ltv__rates_in_range: probabilities are between 0 and 1, expectations not negative.
-- table: customer_ltv
-- severity: error
-- inputs: customer_ltv
-- params: none
select
    customer_id,
    p_alive,
    churn_probability,
    expected_purchases,
    expected_spend,
    expected_revenue,
    ltv_decile
from customer_ltv
where
    not (p_alive between 0 and 1)
    or not (churn_probability between 0 and 1)
    or not (expected_purchases >= 0 and expected_purchases < cast('Infinity' as double))
    or not (expected_spend >= 0)
    or not (expected_revenue >= 0)
    or not (ltv_decile between 1 and 10)
