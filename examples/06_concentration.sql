-- 6. How much hangs on a few customers, and is the difference between two groups real?
with

customers as (

    -- ten customers of each shop: revenue, and whether they came back
    select *
    from (values
        ('north', 900.0, true), ('north', 60.0, false), ('north', 50.0, false),
        ('north', 45.0, true), ('north', 40.0, false), ('north', 30.0, false),
        ('north', 25.0, false), ('north', 20.0, true), ('north', 15.0, false),
        ('north', 15.0, false), ('south', 140.0, true), ('south', 135.0, true),
        ('south', 130.0, false), ('south', 125.0, true), ('south', 120.0, true),
        ('south', 115.0, true), ('south', 115.0, false), ('south', 110.0, true),
        ('south', 105.0, false), ('south', 105.0, true)
    ) as customers (shop, revenue, came_back)

),

shops as (

    select
        shop,
        gini(revenue) as gini,  -- 0: all spend alike; near 1: one spends everything
        top_share(revenue, 0.1) as top_tenth,  -- part of revenue from the best tenth
        count(*) filter (where came_back) as returned,
        count(*) as customers
    from customers
    group by shop

),

-- of ten customers a share says little: Wilson's interval shows how little
rates as (

    select *, wilson_interval(returned, customers, 0.95) as interval_95
    from shops

)

select
    shop,
    round(gini, 3) as gini,
    round(top_tenth, 3) as top_tenth,
    returned,
    customers,
    round(interval_95['low'], 3) as return_rate_low,
    round(interval_95['high'], 3) as return_rate_high
from rates
order by shop

-- result:
-- +-------+-------+-----------+----------+-----------+-----------------+------------------+
-- | shop  | gini  | top_tenth | returned | customers | return_rate_low | return_rate_high |
-- +-------+-------+-----------+----------+-----------+-----------------+------------------+
-- | north | 0.708 | 0.75      | 3        | 10        | 0.108           | 0.603            |
-- | south | 0.055 | 0.117     | 7        | 10        | 0.397           | 0.892            |
-- +-------+-------+-----------+----------+-----------+-----------------+------------------+
