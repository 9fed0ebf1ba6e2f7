-- Loyalty, step 5: what does a customer cost, and when is it paid back?
--
-- January's search advertising: 90 for Anna, Hugo and Olga, 30 each. Their first orders left a
-- profit of 20 + 15 + 30 = 65, those of February another 65: paid back after one month.
-- Mia cost 20 and leaves 4 an order, as she waits for discounts: 16 after four orders, not yet.
-- July's 40 brought nobody. December's newsletter was for customers, not for acquiring them.
select
    acquisition_month as month,
    channel,
    cast(spend as double) as spend,
    new_customers as new,
    paid_cac as cac,
    cac_status,
    months_to_payback as payback,
    payback_status
from acquisition_economics
order by month, channel;

-- result:
-- +------------+----------+-------+-----+------+------------------+---------+------------------+
-- | month      | channel  | spend | new | cac  | cac_status       | payback | payback_status   |
-- +------------+----------+-------+-----+------+------------------+---------+------------------+
-- | 2025-01-01 | search   | 90.0  | 3   | 30.0 | ok               | 1       | paid_back        |
-- | 2025-01-01 | social   | 60.0  | 3   | 20.0 | ok               | 2       | paid_back        |
-- | 2025-04-01 | referral | 0.0   | 1   |      | no_spend         |         | no_spend         |
-- | 2025-04-01 | search   | 60.0  | 2   | 30.0 | ok               | 4       | paid_back        |
-- | 2025-04-01 | social   | 20.0  | 1   | 20.0 | ok               |         | not_yet          |
-- | 2025-04-01 | walk_in  | 0.0   | 1   |      | no_spend         |         | no_spend         |
-- | 2025-07-01 | social   | 40.0  | 0   |      | no_new_customers |         | no_new_customers |
-- | 2026-02-01 | referral | 0.0   | 1   |      | no_spend         |         | no_spend         |
-- +------------+----------+-------+-----+------+------------------+---------+------------------+

-- What they brought within 90 and 365 days of their first purchase, in revenue. NULL means wait:
-- not all customers of the month are so old yet. Blended cost divides all spend of the month by
-- all its customers, also those that came by themselves (Sam) or were brought (Leo, Nils).
select
    acquisition_month as month,
    channel,
    blended_cac as blended,
    organic_share as organic,
    referral_share as referred,
    ltv_90d,
    round(ltv_365d, 2) as ltv_365d,
    ltv_365d_status as status
from acquisition_economics
where new_customers > 0
order by month, channel;

-- result:
-- +------------+----------+---------+---------+----------+---------+----------+----------+
-- | month      | channel  | blended | organic | referred | ltv_90d | ltv_365d | status   |
-- +------------+----------+---------+---------+----------+---------+----------+----------+
-- | 2025-01-01 | search   | 25.0    | 0.0     | 0.0      | 100.0   | 363.33   | ok       |
-- | 2025-01-01 | social   | 25.0    | 0.0     | 0.0      | 72.0    | 142.67   | ok       |
-- | 2025-04-01 | referral | 16.0    | 0.0     | 1.0      | 44.0    |          | immature |
-- | 2025-04-01 | search   | 16.0    | 0.0     | 0.0      | 52.0    |          | immature |
-- | 2025-04-01 | social   | 16.0    | 0.0     | 0.0      | 40.0    |          | immature |
-- | 2025-04-01 | walk_in  | 16.0    | 1.0     | 0.0      | 56.0    |          | immature |
-- | 2026-02-01 | referral | 0.0     | 0.0     | 1.0      |         |          | immature |
-- +------------+----------+---------+---------+----------+---------+----------+----------+
