-- CDNOW, step 2: from histories to fitted models.
--
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
