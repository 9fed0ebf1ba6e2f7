-- 4. How long do customers stay, and what is a segment worth?
--
-- The oldest formula of all: lifespan × (profit per purchase × purchases per year). Its weak part
-- is the lifespan: an average over those who left ignores the loyal, who are still here. Kaplan
-- and Meier's curve counts them for as long as they have been seen.
with

customers as (

    -- years seen so far, and whether the customer has left
    select *
    from (values
        ('shop', 0.5, true), ('shop', 1.0, true), ('shop', 1.5, false), ('shop', 3.0, true),
        ('shop', 4.0, false), ('shop', 5.0, false), ('web', 0.2, true), ('web', 0.2, true),
        ('web', 0.4, true), ('web', 0.9, true), ('web', 1.1, false), ('web', 2.0, true),
        ('web', 3.5, false)
    ) as customers (segment, years, has_left)

),

rates as (

    select *
    from (values ('shop', 12.5, 8.0), ('web', 9.0, 14.0))
        as rates (segment, profit_per_purchase, purchases_per_year)

),

curves as (

    select
        segment,
        count(*) as customers,
        avg(years) filter (where has_left) as leavers_mean,
        kaplan_meier(years, has_left) as curve
    from customers
    group by segment

),

lifespans as (

    -- the mean up to three years: beyond what was observed nobody knows
    select *, restricted_mean(curve, 3.0) as lifespan_years
    from curves

)

select
    segment,
    customers,
    round(leavers_mean, 3) as leavers_mean,
    round(lifespan_years, 3) as lifespan_years,
    profit_per_purchase as profit,
    purchases_per_year,
    round(ltv_simple(lifespan_years, profit_per_purchase, purchases_per_year), 2) as value
from lifespans
inner join rates using (segment)
order by segment

-- result:
-- +---------+-----------+--------------+----------------+--------+--------------------+-------+
-- | segment | customers | leavers_mean | lifespan_years | profit | purchases_per_year | value |
-- +---------+-----------+--------------+----------------+--------+--------------------+-------+
-- | shop    | 6         | 1.5          | 2.25           | 12.5   | 8.0                | 225.0 |
-- | web     | 7         | 0.74         | 1.314          | 9.0    | 14.0               | 165.6 |
-- +---------+-----------+--------------+----------------+--------+--------------------+-------+
