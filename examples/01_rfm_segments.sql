-- 1. Who are my best customers, and whom am I losing? RFM: recency, frequency, monetary value.
--
-- Run it with: loyalake sql -f examples/01_rfm_segments.sql
with

orders as (

    -- customer, day, amount: all that is needed; several orders of a day are one purchase
    select *
    from (values
        ('ada', date '2026-01-03', 20.0), ('ada', date '2026-02-01', 35.0),
        ('ada', date '2026-02-20', 30.0), ('ada', date '2026-03-28', 40.0),
        ('ben', date '2026-01-10', 90.0), ('ben', date '2026-01-10', 15.0),
        ('ben', date '2026-01-25', 80.0), ('ben', date '2026-02-02', 75.0),
        ('cleo', date '2026-03-25', 12.0),
        ('dan', date '2026-01-05', 9.0),
        ('eve', date '2026-02-15', 25.0), ('eve', date '2026-03-10', 22.0)
    ) as orders (customer, ordered_on, amount)

),

histories as (

    -- an aggregate that returns a struct; the date says up to when: there is no hidden clock
    select
        customer,
        purchase_history(ordered_on, amount, date '2026-03-31') as history
    from orders
    group by customer

),

measures as (

    select
        customer,
        history['days_since_last_purchase'] as days_since,
        history['purchase_days'] as purchases,
        history['total_value'] as revenue
    from histories

),

cuts as (

    -- the values that cut all customers into five equal parts
    select
        quantile_cuts(days_since, 5) as days_since,
        quantile_cuts(purchases, 5) as purchases,
        quantile_cuts(revenue, 5) as revenue
    from measures

),

scores as (

    -- 5 is best; a short time since the last purchase is good, so this score is turned round
    select
        measures.*,
        6 - score_bin(measures.days_since, cuts.days_since) as r,
        score_bin(measures.purchases, cuts.purchases) as f,
        score_bin(measures.revenue, cuts.revenue) as m
    from measures
    cross join cuts

)

select customer, days_since, purchases, revenue, r, f, m, rfm_segment(r, f, m) as segment
from scores
order by customer

-- result:
-- +----------+------------+-----------+---------+---+---+---+--------------------+
-- | customer | days_since | purchases | revenue | r | f | m | segment            |
-- +----------+------------+-----------+---------+---+---+---+--------------------+
-- | ada      | 3          | 4         | 125.0   | 5 | 5 | 4 | champions          |
-- | ben      | 57         | 3         | 260.0   | 2 | 4 | 5 | cannot_lose        |
-- | cleo     | 6          | 1         | 12.0    | 4 | 1 | 2 | potential_loyalist |
-- | dan      | 85         | 1         | 9.0     | 1 | 1 | 1 | lost               |
-- | eve      | 21         | 2         | 47.0    | 3 | 3 | 3 | need_attention     |
-- +----------+------------+-----------+---------+---+---+---+--------------------+
