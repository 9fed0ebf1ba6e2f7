-- Loyalty, step 3: what do customers say, and what did support do about it?
--
-- The expectation gap is performance less expectation, of questions about the same thing: Olga
-- expected 4 of 5 of delivery and got 2, which is (2 - 1) / 4 - (4 - 1) / 4 = -0.5. One of her two
-- complaints is still open. Dora's is older than a year, so it counts as open alone.
select
    customer_id,
    nps_answer as nps,
    nps_class,
    round(recommendation_intention, 2) as intention,
    csat_mean as csat,
    expectation_gap as gap,
    complaints,
    unresolved_tickets as open,
    median_hours_to_resolution as hours
from customer_satisfaction
where last_feedback_on is not null
order by nps desc nulls last, customer_id;

-- result:
-- +---------------+-----+-----------+-----------+------+------+------------+------+-------+
-- | customer_id   | nps | nps_class | intention | csat | gap  | complaints | open | hours |
-- +---------------+-----+-----------+-----------+------+------+------------+------+-------+
-- | rosa-refers   | 10  | promoter  | 1.0       | 1.0  |      | 0          | 0    |       |
-- | anna-true     | 9   | promoter  | 0.9       | 1.0  | 0.25 | 0          | 0    | 2.0   |
-- | leo-latent    | 9   | promoter  | 0.9       | 0.75 |      | 0          | 0    |       |
-- | sam-self      | 8   | passive   | 0.8       |      |      | 0          | 0    |       |
-- | bea-back      | 7   | passive   | 0.7       | 0.75 |      | 0          | 0    |       |
-- | mia-mercenary | 6   | detractor | 0.6       | 1.0  |      | 0          | 0    |       |
-- | hugo-habit    | 5   | detractor | 0.5       | 0.75 |      | 0          | 0    |       |
-- | olga-hostage  | 3   | detractor | 0.38      | 0.25 | -0.5 | 2          | 1    | 48.0  |
-- | dora-gone     |     |           |           |      |      | 0          | 1    |       |
-- | nils-new      |     |           |           | 1.0  |      | 0          | 0    |       |
-- +---------------+-----+-----------+-----------+------+------+------------+------+-------+

-- Month by month. December: three promoters, three detractors, eight answers, so an NPS of 0, but
-- anything from -60 to 60 would fit eight answers. What fewer than min_group_size = 3 said is not
-- published.
select
    feedback_month as month,
    nps_responses as answers,
    nps,
    round(nps_ci_low, 1) as low,
    round(nps_ci_high, 1) as high,
    csat_responses as csat_answers,
    round(csat, 3) as csat,
    nps_status,
    csat_status
from feedback_summary
where source = 'survey_answers'
order by feedback_month;

-- result:
-- +------------+---------+-----+-------+------+--------------+-------+------------+-------------+
-- | month      | answers | nps | low   | high | csat_answers | csat  | nps_status | csat_status |
-- +------------+---------+-----+-------+------+--------------+-------+------------+-------------+
-- | 2025-12-01 | 8       | 0.0 | -60.0 | 60.0 | 7            | 0.857 | ok         | ok          |
-- | 2026-03-01 | 4       | 0.0 | -98.0 | 98.0 | 1            |       | ok         | suppressed  |
-- +------------+---------+-----+-------+------+--------------+-------+------------+-------------+
