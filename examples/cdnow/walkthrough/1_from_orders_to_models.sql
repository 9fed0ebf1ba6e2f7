-- CDNOW, step 1: from a file of orders to fitted models.
--
-- A walk of seven files. Run one from the top folder of the repository:
--   loyalake sql -f examples/cdnow/walkthrough/1_from_orders_to_models.sql
--
-- The file has a line for each purchase: customer, day, discs, dollars. All customers came for the
-- first time in the first quarter of 1997; the last purchases are of June 1998.
select
    count(*) as purchases,
    count(distinct customer_id) as customers,
    min(purchased_on) as first_on,
    max(purchased_on) as last_on,
    round(sum(dollars)) as dollars
from 'examples/cdnow/purchases.csv';

-- result:
-- +-----------+-----------+------------+------------+----------+
-- | purchases | customers | first_on   | last_on    | dollars  |
-- +-----------+-----------+------------+------------+----------+
-- | 6919      | 2357      | 1997-01-01 | 1998-06-30 | 244092.0 |
-- +-----------+-----------+------------+------------+----------+

-- Models of purchases want three numbers of each customer: repeat purchases, recency (from the
-- first purchase to the last) and age (from the first purchase to today). purchase_history makes
-- them, counting the purchases of a day as one. Today is 30 September 1997, as in the papers: what
-- comes later is kept to check the forecasts. Time is in weeks; any unit does.
with

customers as (

    select
        customer_id,
        purchase_history(purchased_on, dollars, date '1997-09-30') as history
    from 'examples/cdnow/purchases.csv'
    group by customer_id

)

select
    customer_id,
    history['repeat_purchases'] as repeat_purchases,
    round(history['recency_days'] / 7.0, 2) as recency_weeks,
    round(history['age_days'] / 7.0, 2) as age_weeks,
    round(history['mean_repeat_value'], 2) as mean_repeat_value
from customers
where customer_id <= 6
order by customer_id;

-- result:
-- +-------------+------------------+---------------+-----------+-------------------+
-- | customer_id | repeat_purchases | recency_weeks | age_weeks | mean_repeat_value |
-- +-------------+------------------+---------------+-----------+-------------------+
-- | 1           | 2                | 30.43         | 38.86     | 22.35             |
-- | 2           | 1                | 1.71          | 38.86     | 11.77             |
-- | 3           | 0                | 0.0           | 38.86     |                   |
-- | 4           | 0                | 0.0           | 38.86     |                   |
-- | 5           | 0                | 0.0           | 38.86     |                   |
-- | 6           | 7                | 29.43         | 38.86     | 73.74             |
-- +-------------+------------------+---------------+-----------+-------------------+

-- A fit is an aggregate, like sum. Three models that differ in when a customer can leave: after
-- repeat purchases only (BG/NBD), after any purchase (MBG/NBD), at any moment (Pareto/NBD);
-- `loyalake functions bg_nbd_fit` tells what each assumes. Parameters are those of the papers.
-- The log-likelihood of MBG/NBD is the highest, but 0.3 is nothing. Pareto/NBD has 13 less, and
-- standard errors say that s and beta, its rates of leaving, are known roughly only.
with

customers as (

    select purchase_history(purchased_on, dollars, date '1997-09-30') as history
    from 'examples/cdnow/purchases.csv'
    group by customer_id

),

histories as (

    select
        history['repeat_purchases'] as x,
        history['recency_days'] / 7.0 as t_x,
        history['age_days'] / 7.0 as age
    from customers

),

fits as (

    select bg_nbd_fit(x, t_x, age) as fit from histories
    union all
    select mbg_nbd_fit(x, t_x, age) as fit from histories
    union all
    select pareto_nbd_fit(x, t_x, age) as fit from histories

),

parameters as (

    select fit, unnest(fit['parameters']) as parameter
    from fits

)

select
    fit['model'] as model,
    fit['status'] as status,
    round(fit['log_likelihood'], 1) as log_likelihood,
    parameter['name'] as parameter,
    round(parameter['value'], 3) as value,
    round(parameter['std_error'], 3) as std_error
from parameters
order by model, parameter;

-- result:
-- +------------+--------+----------------+-----------+--------+-----------+
-- | model      | status | log_likelihood | parameter | value  | std_error |
-- +------------+--------+----------------+-----------+--------+-----------+
-- | bg_nbd     | ok     | -9582.4        | a         | 0.793  | 0.186     |
-- | bg_nbd     | ok     | -9582.4        | alpha     | 4.414  | 0.378     |
-- | bg_nbd     | ok     | -9582.4        | b         | 2.426  | 0.705     |
-- | bg_nbd     | ok     | -9582.4        | r         | 0.243  | 0.013     |
-- | mbg_nbd    | ok     | -9582.1        | a         | 0.891  | 0.155     |
-- | mbg_nbd    | ok     | -9582.1        | alpha     | 6.183  | 0.696     |
-- | mbg_nbd    | ok     | -9582.1        | b         | 1.614  | 0.537     |
-- | mbg_nbd    | ok     | -9582.1        | r         | 0.525  | 0.083     |
-- | pareto_nbd | ok     | -9595.0        | alpha     | 10.578 | 0.843     |
-- | pareto_nbd | ok     | -9595.0        | beta      | 11.669 | 6.211     |
-- | pareto_nbd | ok     | -9595.0        | r         | 0.553  | 0.048     |
-- | pareto_nbd | ok     | -9595.0        | s         | 0.606  | 0.187     |
-- +------------+--------+----------------+-----------+--------+-----------+
