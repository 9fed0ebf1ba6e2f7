-- CDNOW, step 5: who is still a customer, who comes back, and when?
--
-- A dozen customers with five repeat purchases, those who were silent for longest first. The same
-- number of purchases can mean anything: what counts is the silence, measured by the customer's
-- own rhythm. From left to right: the probability to be still a customer, expected purchases in 39
-- weeks, the probability of none at all, and the weeks within which the next one comes with
-- probability one half (NULL: it is less probable than that); at the end, what happened.
with

customers as (

    select
        customer_id,
        purchase_history(purchased_on, dollars, date '1997-09-30') as history,
        count(distinct purchased_on) filter (where purchased_on > date '1997-09-30') as later
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        customer_id,
        history['repeat_purchases'] as x,
        history['recency_days'] / 7.0 as t_x,
        history['age_days'] / 7.0 as age,
        later
    from customers

),

fits as (

    select pareto_nbd_fit(x, t_x, age) as fit
    from histories

),

answers as (

    select
        customer_id,
        t_x,
        age,
        btyd_p_alive(fit, x, t_x, age) as p_alive,
        btyd_expected_purchases(fit, x, t_x, age, 39) as expected,
        btyd_purchase_probability(fit, x, t_x, age, 39, 0) as p_none,
        btyd_next_purchase_quantile(fit, x, t_x, age, 0.5) as next_in_weeks,
        later
    from histories
    cross join fits
    where x = 5 and customer_id % 4 = 0

)

select
    customer_id,
    round(age - t_x, 1) as silent_weeks,
    round(p_alive, 3) as p_alive,
    round(expected, 2) as expected,
    round(p_none, 3) as p_none,
    round(next_in_weeks, 1) as next_in_weeks,
    later as happened
from answers
order by silent_weeks desc, customer_id;

-- result:
-- +-------------+--------------+---------+----------+--------+---------------+----------+
-- | customer_id | silent_weeks | p_alive | expected | p_none | next_in_weeks | happened |
-- +-------------+--------------+---------+----------+--------+---------------+----------+
-- | 244         | 32.1         | 0.011   | 0.04     | 0.99   |               | 0        |
-- | 572         | 26.9         | 0.048   | 0.19     | 0.958  |               | 1        |
-- | 728         | 17.9         | 0.339   | 1.33     | 0.701  |               | 0        |
-- | 2332        | 14.0         | 0.39    | 1.79     | 0.652  |               | 0        |
-- | 1392        | 8.7          | 0.768   | 3.2      | 0.318  | 9.7           | 0        |
-- | 1372        | 5.7          | 0.879   | 3.65     | 0.22   | 7.4           | 7        |
-- | 1628        | 4.7          | 0.904   | 3.84     | 0.197  | 6.9           | 10       |
-- | 1760        | 3.3          | 0.938   | 4.05     | 0.165  | 6.3           | 7        |
-- | 1056        | 1.0          | 0.986   | 3.97     | 0.127  | 6.3           | 5        |
-- | 336         | 0.9          | 0.989   | 3.73     | 0.129  | 6.8           | 2        |
-- | 1700        | 0.1          | 0.998   | 4.28     | 0.113  | 5.7           | 0        |
-- | 1808        | 0.1          | 0.998   | 4.32     | 0.112  | 5.7           | 9        |
-- +-------------+--------------+---------+----------+--------+---------------+----------+
