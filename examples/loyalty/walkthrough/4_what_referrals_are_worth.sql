-- Loyalty, step 4: what are referrals worth, and which do not count?
--
-- Seven rows. Nobody refers oneself (4), two who refer each other brought nobody (2, 3), and Leo
-- was Rosa's already when Sam claimed him (5). Anna's friend has not come yet (6).
select
    referral_id as id,
    referrer_id,
    referee_id,
    referral_outcome,
    converted_on
from job.int_referrals
order by referral_id;

-- result:
-- +----+-------------+------------+------------------+--------------+
-- | id | referrer_id | referee_id | referral_outcome | converted_on |
-- +----+-------------+------------+------------------+--------------+
-- | 1  | rosa-refers | leo-latent | converted        | 2025-04-20   |
-- | 2  | kim-circle  | kai-circle | cycle            | 2025-04-25   |
-- | 3  | kai-circle  | kim-circle | cycle            | 2025-04-26   |
-- | 4  | sam-self    | sam-self   | self_referral    | 2025-04-27   |
-- | 5  | sam-self    | leo-latent | repeated_referee | 2025-05-04   |
-- | 6  | anna-true   |            | invited          |              |
-- | 7  | rosa-refers | nils-new   | converted        | 2026-02-19   |
-- +----+-------------+------------+------------------+--------------+

-- Kumar, Petersen and Leone (2010): a referred customer who would not have come otherwise is worth
-- all that he brings, and saves what advertising for one costs (type 1); one who would have come
-- anyway saves that cost alone (type 2). We do not know which, and say half (would_have_joined).
--
-- Rosa brought Leo and Nils. Their profit so far is 3 x 22 + 18 = 84, her rewards cost 10, and a
-- customer bought by advertising costs 270 / 9 = 30 each, so that 60 are saved:
-- type 1 is 0.5 x (84 - 10 + 60) = 67, type 2 is 0.5 x 60 = 30.
select
    customer_id,
    invitations as invited,
    conversions as brought,
    cast(referred_value as double) as value,
    cast(referral_cost as double) as cost,
    acquisition_cost_saved as saved,
    type1_value as type1,
    type2_value as type2,
    referral_value as total,
    self_referrals + cycle_referrals + repeated_referees as not_counted
from customer_referrals
where invitations + self_referrals + cycle_referrals > 0
order by total desc, customer_id;

-- result:
-- +-------------+---------+---------+-------+------+-------+-------+-------+-------+-------------+
-- | customer_id | invited | brought | value | cost | saved | type1 | type2 | total | not_counted |
-- +-------------+---------+---------+-------+------+-------+-------+-------+-------+-------------+
-- | rosa-refers | 2       | 2       | 84.0  | 10.0 | 60.0  | 67.0  | 30.0  | 97.0  | 0           |
-- | anna-true   | 1       | 0       | 0.0   | 0.0  | 0.0   | 0.0   | 0.0   | 0.0   | 0           |
-- | kai-circle  | 0       | 0       | 0.0   | 0.0  | 0.0   | 0.0   | 0.0   | 0.0   | 1           |
-- | kim-circle  | 0       | 0       | 0.0   | 0.0  | 0.0   | 0.0   | 0.0   | 0.0   | 1           |
-- | sam-self    | 1       | 0       | 0.0   | 0.0  | 0.0   | 0.0   | 0.0   | 0.0   | 2           |
-- +-------------+---------+---------+-------+------+-------+-------+-------+-------+-------------+
