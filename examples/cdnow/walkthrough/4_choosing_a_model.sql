-- CDNOW, step 4: which model to take? Each forecast of the 39 weeks in one line.
--
-- Customers made 1,882 purchases. The log-likelihood, the higher the better, is that of the number
-- of purchases that each customer made: it rewards a model that knows what it does not know. Sum,
-- error and correlation speak for Pareto/NBD, the log-likelihood for MBG/NBD; BG/NBD wins nothing.
-- Below, Pareto/NBD does the work. Changing pareto_nbd_fit to another fit changes the model.
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

    select bg_nbd_fit(x, t_x, age) as fit from histories
    union all
    select mbg_nbd_fit(x, t_x, age) as fit from histories
    union all
    select pareto_nbd_fit(x, t_x, age) as fit from histories

),

forecasts as (

    select
        fit['model'] as model,
        later,
        btyd_expected_purchases(fit, x, t_x, age, 39) as expected,
        ln(btyd_purchase_probability(fit, x, t_x, age, 39, later)) as log_likelihood
    from histories
    cross join fits

)

select
    model,
    sum(later) as happened,
    round(sum(expected)) as expected,
    round(avg(abs(expected - later)), 3) as mean_absolute_error,
    round(corr(expected, later), 3) as correlation,
    round(sum(log_likelihood), 1) as log_likelihood
from forecasts
group by model
order by log_likelihood desc;

-- result:
-- +------------+----------+----------+---------------------+-------------+----------------+
-- | model      | happened | expected | mean_absolute_error | correlation | log_likelihood |
-- +------------+----------+----------+---------------------+-------------+----------------+
-- | mbg_nbd    | 1882     | 1577.0   | 0.765               | 0.627       | -2314.8        |
-- | bg_nbd     | 1882     | 1653.0   | 0.785               | 0.626       | -2320.4        |
-- | pareto_nbd | 1882     | 1666.0   | 0.755               | 0.63        | -2326.8        |
-- +------------+----------+----------+---------------------+-------------+----------------+
