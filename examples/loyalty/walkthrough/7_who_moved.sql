-- Loyalty, step 7: who moved since the last run?
--
-- Stages go by each customer's own rhythm: days since the last purchase over the expected gap, at
-- risk from 1.5 and lapsed from 3. The rows of a from_segment add up to 1; Nils has 'entered'.
select
    from_segment,
    to_segment,
    customers,
    from_customers as of,
    round(probability, 3) as probability,
    from_as_of_date as since
from segment_transitions
where scheme = 'purchase_stage'
order by from_segment, to_segment;

-- result:
-- +--------------+------------+-----------+----+-------------+------------+
-- | from_segment | to_segment | customers | of | probability | since      |
-- +--------------+------------+-----------+----+-------------+------------+
-- | active       | active     | 5         | 7  | 0.714       | 2025-12-31 |
-- | active       | at_risk    | 2         | 7  | 0.286       | 2025-12-31 |
-- | at_risk      | lapsed     | 2         | 2  | 1.0         | 2025-12-31 |
-- | entered      | new        | 1         | 1  | 1.0         | 2025-12-31 |
-- | lapsed       | lapsed     | 1         | 2  | 0.5         | 2025-12-31 |
-- | lapsed       | returned   | 1         | 2  | 0.5         | 2025-12-31 |
-- +--------------+------------+-----------+----+-------------+------------+

-- Who that was, and what it did to the score. Sam and Leo have been silent for long. Dora's score
-- rises although she is gone: complaints count for a year, and hers is older now.
with

then_and_now as (

    select
        customer_id,
        max(segment) filter (where as_of_date = date '2025-12-31') as stage_then,
        max(segment) filter (where as_of_date = date '2026-03-31') as stage_now
    from history.customer_segments
    where scheme = 'purchase_stage'
    group by customer_id

)

select
    customer_id,
    stage_then,
    stage_now,
    round(loyalty_score, 1) as score,
    round(score_change, 1) as change,
    score_change_status as status
from then_and_now
inner join loyalty_scores using (customer_id)
order by score_change desc nulls last, customer_id;

-- result:
-- +---------------+------------+-----------+-------+--------+--------------+
-- | customer_id   | stage_then | stage_now | score | change | status       |
-- +---------------+------------+-----------+-------+--------+--------------+
-- | bea-back      | lapsed     | returned  | 51.6  | 11.4   | ok           |
-- | rosa-refers   | active     | active    | 78.2  | 6.8    | ok           |
-- | hugo-habit    | active     | active    | 58.6  | 5.5    | ok           |
-- | dora-gone     | lapsed     | lapsed    | 17.9  | 3.2    | ok           |
-- | mia-mercenary | active     | active    | 46.4  | 1.5    | ok           |
-- | kim-circle    | at_risk    | lapsed    | 24.6  | -1.7   | ok           |
-- | kai-circle    | at_risk    | lapsed    | 24.6  | -1.8   | ok           |
-- | anna-true     | active     | active    | 77.3  | -2.3   | ok           |
-- | olga-hostage  | active     | active    | 55.8  | -2.3   | ok           |
-- | leo-latent    | active     | at_risk   | 48.0  | -8.8   | ok           |
-- | sam-self      | active     | at_risk   | 39.2  | -10.1  | ok           |
-- | nils-new      |            | new       | 59.0  |        | new_customer |
-- +---------------+------------+-----------+-------+--------+--------------+
