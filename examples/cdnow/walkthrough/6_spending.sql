-- CDNOW, step 6: how much does a customer spend per purchase?
--
-- Gamma-Gamma assumes that spending has nothing to do with frequency. Look first: of the customers
-- with repeat purchases the correlation is small (above 0.3 would be a warning), so the model may
-- be used. It is fitted to these customers only; others have no mean of repeat purchases.
with

customers as (

    select
        customer_id,
        purchase_history(purchased_on, dollars, date '1997-09-30') as history
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        customer_id,
        history['repeat_purchases'] as x,
        history['mean_repeat_value'] as mean_value
    from customers

)

select
    count(mean_value) as repeat_buyers,
    round(avg(mean_value), 2) as mean_value,
    round(corr(x, mean_value), 3) as correlation,
    round(model_parameter(gamma_gamma_fit(x, mean_value), 'p'), 3) as p,
    round(model_parameter(gamma_gamma_fit(x, mean_value), 'q'), 3) as q,
    round(model_parameter(gamma_gamma_fit(x, mean_value), 'v'), 3) as v
from histories;

-- result:
-- +---------------+------------+-------------+------+-------+--------+
-- | repeat_buyers | mean_value | correlation | p    | q     | v      |
-- +---------------+------------+-------------+------+-------+--------+
-- | 946           | 35.08      | 0.114       | 6.25 | 3.744 | 15.444 |
-- +---------------+------------+-------------+------+-------+--------+

-- What to expect of the next purchase lies between the customer's own mean and that of all, which
-- is 35.17 dollars: one purchase tells little, twenty tell nearly all. NULL in gives NULL out, so
-- one-time buyers are passed with a mean of 0, which is not looked at.
with

customers as (

    select
        customer_id,
        purchase_history(purchased_on, dollars, date '1997-09-30') as history
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        customer_id,
        history['repeat_purchases'] as x,
        history['mean_repeat_value'] as mean_value
    from customers

),

fits as (

    select gamma_gamma_fit(x, mean_value) as spending
    from histories

)

select
    customer_id,
    x as repeat_purchases,
    round(mean_value, 2) as own_mean,
    round(gamma_gamma_expected_spend(spending, x, coalesce(mean_value, 0)), 2) as expected_spend
from histories
cross join fits
where customer_id in (1, 3, 6, 8, 18, 1516)
order by x, customer_id;

-- result:
-- +-------------+------------------+----------+----------------+
-- | customer_id | repeat_purchases | own_mean | expected_spend |
-- +-------------+------------------+----------+----------------+
-- | 3           | 0                |          | 35.17          |
-- | 8           | 0                |          | 35.17          |
-- | 18          | 1                | 9.99     | 17.67          |
-- | 1           | 2                | 22.35    | 24.65          |
-- | 6           | 7                | 73.74    | 71.46          |
-- | 1516        | 26               | 39.97    | 39.89          |
-- +-------------+------------------+----------+----------------+
