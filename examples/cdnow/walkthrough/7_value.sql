-- CDNOW, step 7: the ten customers worth most in the next 39 weeks, in dollars.
--
-- Expected value is expected purchases times expected spend; over long horizons take discounted
-- purchases (btyd_discounted_purchases). It is a mean, and p10 and p90 say how far off it can be:
-- one customer in ten spends less than p10, one more than p90. All ten stayed between them, but
-- most below their value: a list of the best has many who were lucky until then.
with

customers as (

    select
        customer_id,
        purchase_history(purchased_on, dollars, date '1997-09-30') as history,
        coalesce(sum(dollars) filter (where purchased_on > date '1997-09-30'), 0) as spent_later
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        customer_id,
        history['repeat_purchases'] as x,
        history['recency_days'] / 7.0 as t_x,
        history['age_days'] / 7.0 as age,
        history['mean_repeat_value'] as mean_value,
        spent_later
    from customers

),

fits as (

    select
        pareto_nbd_fit(x, t_x, age) as purchases,
        gamma_gamma_fit(x, mean_value) as spending
    from histories

),

values_expected as (

    select
        customer_id,
        x,
        btyd_p_alive(purchases, x, t_x, age) as p_alive,
        btyd_expected_purchases(purchases, x, t_x, age, 39) as expected_purchases,
        gamma_gamma_expected_spend(spending, x, coalesce(mean_value, 0)) as expected_spend,
        btyd_value_quantile(
            purchases, spending, x, t_x, age, coalesce(mean_value, 0), 39, 0.1
        ) as p10,
        btyd_value_quantile(
            purchases, spending, x, t_x, age, coalesce(mean_value, 0), 39, 0.9
        ) as p90,
        spent_later
    from histories
    cross join fits

)

select
    customer_id,
    x as repeats,
    round(p_alive, 3) as p_alive,
    round(expected_purchases, 1) as purchases,
    round(expected_spend, 2) as spend,
    round(expected_purchases * expected_spend) as value,
    round(p10) as p10,
    round(p90) as p90,
    round(spent_later) as happened
from values_expected
order by expected_purchases * expected_spend desc
limit 10;

-- result:
-- +-------------+---------+---------+-----------+--------+-------+-------+--------+----------+
-- | customer_id | repeats | p_alive | purchases | spend  | value | p10   | p90    | happened |
-- +-------------+---------+---------+-----------+--------+-------+-------+--------+----------+
-- | 509         | 18      | 0.989   | 12.7      | 77.6   | 985.0 | 199.0 | 1697.0 | 478.0    |
-- | 1081        | 11      | 0.982   | 8.3       | 103.79 | 857.0 | 120.0 | 1600.0 | 393.0    |
-- | 1516        | 26      | 0.998   | 20.1      | 39.89  | 802.0 | 177.0 | 1312.0 | 429.0    |
-- | 1560        | 8       | 0.961   | 6.3       | 113.18 | 708.0 | 0.0   | 1416.0 | 187.0    |
-- | 1981        | 17      | 0.993   | 13.8      | 47.9   | 662.0 | 122.0 | 1152.0 | 883.0    |
-- | 801         | 7       | 0.99    | 5.3       | 119.33 | 634.0 | 70.0  | 1270.0 | 506.0    |
-- | 157         | 29      | 0.996   | 19.6      | 26.39  | 517.0 | 129.0 | 830.0  | 350.0    |
-- | 164         | 10      | 0.988   | 7.0       | 61.29  | 427.0 | 66.0  | 806.0  | 269.0    |
-- | 1365        | 9       | 0.982   | 7.0       | 60.19  | 422.0 | 51.0  | 815.0  | 269.0    |
-- | 841         | 19      | 0.998   | 13.9      | 29.61  | 413.0 | 91.0  | 700.0  | 424.0    |
-- +-------------+---------+---------+-----------+--------+-------+-------+--------+----------+
