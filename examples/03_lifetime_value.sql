-- 3. What will a customer spend in the next year, in today's money?
--
-- value = discounted expected purchases × expected spend per purchase. How often and how much are
-- two models (BG/NBD and Gamma-Gamma), fitted apart.
with

models as (

    -- models need not be fitted here: these are the parameters that the papers publish (weeks)
    select
        fitted_model('bg_nbd', [0.243, 4.414, 0.793, 2.426]) as purchases,
        fitted_model('gamma_gamma', [6.25, 3.74, 15.44]) as spending

),

customers as (

    select *
    from (values
        ('new', 0, 0.0, 1.0, null),
        ('regular', 6, 30.0, 32.0, 40.0),
        ('big spender', 2, 20.0, 30.0, 180.0),
        ('lapsed', 4, 8.0, 38.0, 40.0)
    ) as customers (customer, repeat_purchases, recency_weeks, age_weeks, mean_repeat_value)

),

predicted as (

    select
        customers.customer,
        btyd_expected_purchases(
            models.purchases, repeat_purchases, recency_weeks, age_weeks, 52
        ) as purchases,
        -- the rate is per unit of time, here a week: 10 % a year is 1.1^(7/365.25) − 1 a week
        btyd_discounted_purchases(
            models.purchases, repeat_purchases, recency_weeks, age_weeks, 52,
            power(1.10, 7 / 365.25) - 1
        ) as discounted_purchases,
        -- few purchases tell little: the model moves a mean of two far towards everybody's mean.
        -- NULL in gives NULL out, and 0 purchases of any value say: I know nothing
        gamma_gamma_expected_spend(
            models.spending, repeat_purchases, coalesce(mean_repeat_value, 0)
        ) as spend
    from customers
    cross join models

)

select
    customer,
    round(purchases, 2) as purchases,
    round(discounted_purchases, 2) as discounted_purchases,
    round(spend, 2) as spend,
    round(discounted_purchases * spend, 2) as value,
    round(discount_factor(0.10, 182.625), 4) as dollar_in_6_months
from predicted
order by value desc

-- result:
-- +-------------+-----------+----------------------+--------+--------+--------------------+
-- | customer    | purchases | discounted_purchases | spend  | value  | dollar_in_6_months |
-- +-------------+-----------+----------------------+--------+--------+--------------------+
-- | big spender | 1.72      | 1.65                 | 153.97 | 253.63 | 0.9535             |
-- | regular     | 5.63      | 5.39                 | 39.67  | 214.02 | 0.9535             |
-- | new         | 1.27      | 1.22                 | 35.22  | 42.84  | 0.9535             |
-- | lapsed      | 0.14      | 0.14                 | 39.53  | 5.42   | 0.9535             |
-- +-------------+-----------+----------------------+--------+--------+--------------------+
