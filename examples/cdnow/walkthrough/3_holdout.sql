-- CDNOW, step 3: do the forecasts come true? What models fitted to the first 39 weeks expected of
-- the 39 weeks after them, beside what happened.
--
-- Customers by repeat purchases until then, means of a customer's purchases after it. `past_rate`
-- needs no model: repeat purchases go on as before. It is far too high for who came often, because
-- it does not know that customers leave, and 0 for who came once. The models come close, except
-- to those who came once or twice: Pareto/NBD is low at 0 and near at all others, BG/NBD, in which
-- one-time buyers cannot leave, is near at 0 and low at 1 and 2.
with

customers as (

    select
        purchase_history(purchased_on, dollars, date '1997-09-30') as history,
        count(distinct purchased_on) filter (where purchased_on > date '1997-09-30') as later
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        history['repeat_purchases'] as x,
        history['recency_days'] / 7.0 as t_x,
        history['age_days'] / 7.0 as age,
        later
    from customers

),

fits as (

    select
        bg_nbd_fit(x, t_x, age) as bg,
        mbg_nbd_fit(x, t_x, age) as mbg,
        pareto_nbd_fit(x, t_x, age) as pareto
    from histories

),

forecasts as (

    select
        least(x, 7) as x,
        later,
        btyd_expected_purchases(bg, x, t_x, age, 39) as bg,
        btyd_expected_purchases(mbg, x, t_x, age, 39) as mbg,
        btyd_expected_purchases(pareto, x, t_x, age, 39) as pareto,
        39 * x / age as past_rate
    from histories
    cross join fits

)

select
    case when x = 7 then '7+' else cast(x as text) end as repeat_purchases,
    count(*) as customers,
    round(avg(later), 2) as happened,
    round(avg(bg), 2) as bg_nbd,
    round(avg(mbg), 2) as mbg_nbd,
    round(avg(pareto), 2) as pareto_nbd,
    round(avg(past_rate), 2) as past_rate
from forecasts
group by x
order by x;

-- result:
-- +------------------+-----------+----------+--------+---------+------------+-----------+
-- | repeat_purchases | customers | happened | bg_nbd | mbg_nbd | pareto_nbd | past_rate |
-- +------------------+-----------+----------+--------+---------+------------+-----------+
-- | 0                | 1411      | 0.24     | 0.23   | 0.19    | 0.14       | 0.0       |
-- | 1                | 439       | 0.7      | 0.52   | 0.55    | 0.6        | 1.21      |
-- | 2                | 214       | 1.39     | 1.04   | 1.05    | 1.2        | 2.42      |
-- | 3                | 100       | 1.56     | 1.52   | 1.49    | 1.71       | 3.63      |
-- | 4                | 62        | 2.53     | 2.16   | 2.1     | 2.4        | 4.74      |
-- | 5                | 38        | 2.95     | 2.65   | 2.56    | 2.91       | 5.96      |
-- | 6                | 29        | 3.86     | 3.5    | 3.36    | 3.82       | 7.19      |
-- | 7+               | 64        | 6.36     | 6.16   | 5.85    | 6.4        | 12.37     |
-- +------------------+-----------+----------+--------+---------+------------+-----------+
