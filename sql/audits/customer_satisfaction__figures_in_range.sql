-- customer_satisfaction__figures_in_range: answers are on their scales, nothing is counted below 0.
-- table: customer_satisfaction
-- severity: error
-- inputs: customer_satisfaction
-- params: none
select
    customer_id,
    nps_answer,
    recommendation_intention,
    csat_mean,
    expectation_gap,
    median_hours_to_resolution
from customer_satisfaction
where
    not (nps_answer between 0 and 10)
    or not (recommendation_intention between 0 and 1)
    or not (csat_mean between 0 and 1)
    or not (expectation_gap between -1 and 1)
    or median_hours_to_resolution < 0
    or csat_answers < 0
    or complaints < 0
    or unresolved_tickets < 0
