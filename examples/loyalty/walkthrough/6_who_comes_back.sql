-- Loyalty, step 6: who comes back, month by month?
--
-- A cohort is everybody who first bought in the same month. Every third month is shown; intervals
-- (95 %) say how little six customers prove. January's rate rises again after twelve months: Bea is
-- back. It counts who bought in the month, not who is a customer still.
select
    cohort_month as cohort,
    age_months as age,
    customers,
    active_customers as active,
    round(retention_rate, 2) as retention,
    round(ci_low, 2) as low,
    round(ci_high, 2) as high,
    cast(revenue as double) as revenue,
    round(cumulative_revenue_per_customer, 2) as per_customer
from cohort_ltv
where cohort_month < date '2026-02-01' and age_months % 3 = 0
order by cohort, age;

-- result:
-- +------------+-----+-----------+--------+-----------+------+------+---------+--------------+
-- | cohort     | age | customers | active | retention | low  | high | revenue | per_customer |
-- +------------+-----+-----------+--------+-----------+------+------+---------+--------------+
-- | 2025-01-01 | 0   | 6         | 6      | 1.0       | 0.61 | 1.0  | 222.0   | 37.0         |
-- | 2025-01-01 | 3   | 6         | 4      | 0.67      | 0.3  | 0.9  | 162.0   | 107.67       |
-- | 2025-01-01 | 6   | 6         | 3      | 0.5       | 0.19 | 0.81 | 136.0   | 158.0        |
-- | 2025-01-01 | 9   | 6         | 1      | 0.17      | 0.03 | 0.56 | 60.0    | 207.33       |
-- | 2025-01-01 | 12  | 6         | 4      | 0.67      | 0.3  | 0.9  | 138.0   | 264.67       |
-- | 2025-04-01 | 0   | 5         | 5      | 1.0       | 0.57 | 1.0  | 144.0   | 28.8         |
-- | 2025-04-01 | 3   | 5         | 2      | 0.4       | 0.12 | 0.77 | 48.0    | 48.8         |
-- | 2025-04-01 | 6   | 5         | 1      | 0.2       | 0.04 | 0.62 | 20.0    | 72.0         |
-- | 2025-04-01 | 9   | 5         | 1      | 0.2       | 0.04 | 0.62 | 20.0    | 90.4         |
-- +------------+-----+-----------+--------+-----------+------+------+---------+--------------+
