-- Loyalty, step 8: what is loyalty worth?
--
-- Ask today's gold customers what they bought lately and the answer flatters: who stopped buying is
-- gold no longer. So tiers are those of the first run, 31 December, and what counts is what came in
-- the 90 days after it. Who did not buy in them has churned; repeat is the share of the others who
-- bought on two days or more. The intervals (low, high) of churn say how little a dozen prove.
select
    loyalty_tier as tier,
    customers,
    round(churn_rate, 2) as churn,
    round(churn_ci_low, 2) as low,
    round(churn_ci_high, 2) as high,
    round(repeat_rate, 2) as repeat,
    round(orders_per_customer, 2) as orders,
    round(revenue_per_customer, 2) as revenue,
    round(full_price_share, 2) as full_price,
    referring_customers as referrers
from loyalty_value
order by churn_rate, tier;

-- result:
-- +--------+-----------+-------+------+------+--------+--------+---------+------------+-----------+
-- | tier   | customers | churn | low  | high | repeat | orders | revenue | full_price | referrers |
-- +--------+-----------+-------+------+------+--------+--------+---------+------------+-----------+
-- | gold   | 2         | 0.0   | 0.0  | 0.66 | 1.0    | 2.0    | 76.0    | 1.0        | 1         |
-- | silver | 6         | 0.33  | 0.1  | 0.7  | 0.5    | 1.0    | 38.67   | 0.91       | 0         |
-- | bronze | 3         | 1.0   | 0.44 | 1.0  |        | 0.0    | 0.0     |            | 0         |
-- +--------+-----------+-------+------+------+--------+--------+---------+------------+-----------+
