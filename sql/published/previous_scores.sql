-- previous_scores: the loyalty scores that the newest earlier run published.
-- grain: customer_id
-- inputs: none
-- params: none
-- source: definition below
-- table: loyalty_scores
create table previous_scores (
    as_of_date date comment 'the date of that run',
    customer_id varchar comment 'the customer',
    loyalty_score double comment 'points, 0 to 100'
)
