-- Loyalty, step 1: why is a customer's score what it is?
--
-- Olga buys a lot, and is unhappy. Ten components, each a value from 0 (least) to 1 (most loyal);
-- points are 100 x value x weight, since all ten are known and their weights add up to 1.
select
    component,
    round(raw_value, 3) as raw_value,
    round(unit_value, 3) as unit_value,
    weight,
    round(contribution, 2) as points
from loyalty_score_components
where customer_id = 'olga-hostage'
order by weight desc, component;

-- result:
-- +---------------------+-----------+------------+--------+--------+
-- | component           | raw_value | unit_value | weight | points |
-- +---------------------+-----------+------------+--------+--------+
-- | purchase_frequency  | 8.099     | 0.675      | 0.2    | 13.5   |
-- | purchase_recency    | 0.2       | 0.9        | 0.15   | 13.5   |
-- | recommendation      | 3.0       | 0.3        | 0.15   | 4.5    |
-- | average_order_value | 60.0      | 1.0        | 0.1    | 10.0   |
-- | satisfaction        | 0.25      | 0.25       | 0.1    | 2.5    |
-- | tenure              | 450.0     | 0.6        | 0.1    | 6.0    |
-- | advocacy            | 0.0       | 0.0        | 0.05   | 0.0    |
-- | regularity          | 0.667     | 0.667      | 0.05   | 3.33   |
-- | social_activity     | 0.0       | 0.0        | 0.05   | 0.0    |
-- | support_friction    | 0.25      | 0.5        | 0.05   | 2.5    |
-- +---------------------+-----------+------------+--------+--------+

-- The points add up to the score. Sub-scores tell its sides apart: behaviour is the first three and
-- tenure and regularity, attitude is what was answered to recommendation, trust and preference.
select
    round(sum(contribution), 2) as sum_of_points,
    round(max(loyalty_score), 2) as score,
    round(max(behavioral_score), 2) as behavioral,
    round(max(attitudinal_score), 2) as attitudinal,
    round(max(satisfaction_score), 2) as satisfaction,
    round(max(advocacy_score), 2) as advocacy
from loyalty_score_components
inner join loyalty_scores using (customer_id)
where loyalty_scores.customer_id = 'olga-hostage';

-- result:
-- +---------------+-------+------------+-------------+--------------+----------+
-- | sum_of_points | score | behavioral | attitudinal | satisfaction | advocacy |
-- +---------------+-------+------------+-------------+--------------+----------+
-- | 55.83         | 55.83 | 77.22      | 26.67       | 25.0         | 0.0      |
-- +---------------+-------+------------+-------------+--------------+----------+

-- Nils came in February. What is not known of him is not guessed: it has no points, the other
-- weights are divided by their sum, and coverage is that sum: 100 x 0.74 x 0.2 / 0.8 = 18.56 points
-- for frequency. One purchase in 41 days makes 8.9 a year: don't believe rates of new customers.
select
    component,
    component_status,
    weight,
    round(contribution, 2) as points,
    round(loyalty_score, 2) as score,
    round(coverage, 2) as coverage
from loyalty_score_components
inner join loyalty_scores using (customer_id)
where loyalty_scores.customer_id = 'nils-new'
order by contribution is null, weight desc, component;

-- result:
-- +---------------------+----------------------+--------+--------+-------+----------+
-- | component           | component_status     | weight | points | score | coverage |
-- +---------------------+----------------------+--------+--------+-------+----------+
-- | purchase_frequency  | ok                   | 0.2    | 18.56  | 58.98 | 0.8      |
-- | purchase_recency    | ok                   | 0.15   | 12.5   | 58.98 | 0.8      |
-- | average_order_value | ok                   | 0.1    | 8.5    | 58.98 | 0.8      |
-- | satisfaction        | ok                   | 0.1    | 12.5   | 58.98 | 0.8      |
-- | tenure              | ok                   | 0.1    | 0.67   | 58.98 | 0.8      |
-- | advocacy            | ok                   | 0.05   | 0.0    | 58.98 | 0.8      |
-- | social_activity     | ok                   | 0.05   | 0.0    | 58.98 | 0.8      |
-- | support_friction    | ok                   | 0.05   | 6.25   | 58.98 | 0.8      |
-- | recommendation      | no_answer            | 0.15   |        | 58.98 | 0.8      |
-- | regularity          | insufficient_history | 0.05   |        | 58.98 | 0.8      |
-- +---------------------+----------------------+--------+--------+-------+----------+
