-- Loyalty, step 9: what if nobody was asked?
--
-- Take the three lines of [sources.survey_answers] out of loyalake.toml and run the second date
-- again. The tables and their columns are the same, attitude is NULL, and a status says why.
-- Who wrote a review still has a satisfaction. Olga, the hostage, is now gold, and Leo, the fan,
-- bronze: orders alone show neither her anger nor his warmth.
select
    customer_id,
    round(loyalty_score, 1) as score,
    loyalty_tier as tier,
    round(coverage, 2) as coverage,
    loyalty_type,
    attitudinal_status as attitude,
    satisfaction_status as satisfaction
from loyalty_scores
order by loyalty_score desc, customer_id;

-- result:
-- +---------------+-------+--------+----------+--------------+---------------+--------------+
-- | customer_id   | score | tier   | coverage | loyalty_type | attitude      | satisfaction |
-- +---------------+-------+--------+----------+--------------+---------------+--------------+
-- | anna-true     | 75.0  | gold   | 0.85     |              | missing_input | ok           |
-- | rosa-refers   | 74.4  | gold   | 0.85     |              | missing_input | ok           |
-- | olga-hostage  | 65.1  | gold   | 0.75     |              | missing_input | no_answer    |
-- | hugo-habit    | 58.2  | silver | 0.75     |              | missing_input | no_answer    |
-- | nils-new      | 53.1  | silver | 0.7      |              | missing_input | no_answer    |
-- | bea-back      | 44.8  | silver | 0.75     |              | missing_input | no_answer    |
-- | mia-mercenary | 42.4  | silver | 0.85     |              | missing_input | ok           |
-- | leo-latent    | 36.0  | bronze | 0.75     |              | missing_input | no_answer    |
-- | sam-self      | 31.1  | bronze | 0.75     |              | missing_input | no_answer    |
-- | kai-circle    | 24.6  | bronze | 0.75     |              | missing_input | no_answer    |
-- | kim-circle    | 24.6  | bronze | 0.75     |              | missing_input | no_answer    |
-- | dora-gone     | 17.9  | bronze | 0.85     |              | missing_input | ok           |
-- +---------------+-------+--------+----------+--------------+---------------+--------------+

-- What Olga said had drawn her score down; now its weight is shared out among the rest. Compare her
-- points in step 1.
select
    component,
    component_status,
    weight,
    round(contribution, 2) as points
from loyalty_score_components
where customer_id = 'olga-hostage'
order by contribution is null, weight desc, component;

-- result:
-- +---------------------+------------------+--------+--------+
-- | component           | component_status | weight | points |
-- +---------------------+------------------+--------+--------+
-- | purchase_frequency  | ok               | 0.2    | 18.0   |
-- | purchase_recency    | ok               | 0.15   | 18.0   |
-- | average_order_value | ok               | 0.1    | 13.33  |
-- | tenure              | ok               | 0.1    | 8.0    |
-- | advocacy            | ok               | 0.05   | 0.0    |
-- | regularity          | ok               | 0.05   | 4.44   |
-- | social_activity     | ok               | 0.05   | 0.0    |
-- | support_friction    | ok               | 0.05   | 3.33   |
-- | recommendation      | missing_input    | 0.15   |        |
-- | satisfaction        | no_answer        | 0.1    |        |
-- +---------------------+------------------+--------+--------+

-- Complaints are known all the same, from support; what needs an answer is not.
select
    customer_id,
    nps_status,
    gap_status,
    support_status,
    complaints
from customer_satisfaction
where customer_id in ('dora-gone', 'hugo-habit', 'olga-hostage')
order by customer_id;

-- result:
-- +--------------+---------------+---------------+----------------+------------+
-- | customer_id  | nps_status    | gap_status    | support_status | complaints |
-- +--------------+---------------+---------------+----------------+------------+
-- | dora-gone    | missing_input | missing_input | ok             | 0          |
-- | hugo-habit   | missing_input | missing_input | ok             | 0          |
-- | olga-hostage | missing_input | missing_input | ok             | 2          |
-- +--------------+---------------+---------------+----------------+------------+
