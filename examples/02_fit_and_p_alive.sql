-- 2. Is this customer still a customer? Fit a model to all histories, then ask it about three.
--
-- Nobody cancels a shop. BG/NBD (Fader, Hardie, Lee 2005) infers from the rhythm of purchases who
-- has left: the chance of being alive falls when a frequent buyer is silent for long.
with

histories as (

    -- CDNOW's first 39 weeks, 2,357 customers in 25 groups of like histories. In your own query
    -- these are one row per customer, out of purchase_history, and no weight
    select *
    from (values
        (0, 0, 33, 1411),
        (1, 3, 33, 201), (1, 11, 32, 83), (1, 20, 32, 88), (1, 27, 33, 54), (1, 35, 36, 13),
        (2, 5, 32, 34), (2, 12, 32, 58), (2, 20, 32, 56), (2, 27, 33, 49), (2, 34, 36, 17),
        (3, 4, 32, 13), (3, 12, 31, 15), (3, 20, 32, 30), (3, 27, 33, 37), (3, 34, 36, 5),
        (4, 10, 33, 12), (4, 21, 32, 13), (4, 28, 33, 37),
        (5, 10, 34, 7), (5, 19, 33, 8), (5, 30, 33, 23),
        (6, 18, 30, 8), (6, 29, 34, 21),
        (10, 28, 33, 64)
    ) as histories (repeat_purchases, recency_weeks, age_weeks, customers)

),

fitted as (

    -- a fit is one value; it can be stored in a table, compared, or given to other functions
    select bg_nbd_fit(repeat_purchases, recency_weeks, age_weeks, customers) as model
    from histories

),

customers as (

    select *
    from (values
        ('came once', 0, 0.0, 38.86),
        ('came thrice, lately', 2, 30.43, 38.86),
        ('came often, then stopped', 7, 15.0, 38.86)
    ) as customers (customer, repeat_purchases, recency_weeks, age_weeks)

)

-- Time in weeks here, days in other queries: any unit does, if it is the same one everywhere.
-- A customer without a repeat purchase is alive for certain in BG/NBD; mbg_nbd_fit doubts it.
select
    customer,
    (select model['status'] from fitted) as fit_status,
    round((select model_parameter(model, 'r') from fitted), 3) as r,
    round(
        btyd_p_alive((select model from fitted), repeat_purchases, recency_weeks, age_weeks), 3
    ) as p_alive,
    round(
        btyd_expected_purchases(
            (select model from fitted), repeat_purchases, recency_weeks, age_weeks, 39
        ),
        2
    ) as purchases_in_39_weeks
from customers
order by p_alive desc

-- result:
-- +--------------------------+------------+------+---------+-----------------------+
-- | customer                 | fit_status | r    | p_alive | purchases_in_39_weeks |
-- +--------------------------+------------+------+---------+-----------------------+
-- | came once                | ok         | 0.27 | 1.0     | 0.21                  |
-- | came thrice, lately      | ok         | 0.27 | 0.746   | 1.26                  |
-- | came often, then stopped | ok         | 0.27 | 0.044   | 0.23                  |
-- +--------------------------+------------+------+---------+-----------------------+
