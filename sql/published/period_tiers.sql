-- period_tiers: the loyalty tiers of the newest run that is at least $loyalty_value_days older.
-- grain: customer_id
-- inputs: none
-- params: none
-- source: definition below
-- table: loyalty_scores
-- older: $loyalty_value_days
create table period_tiers (
    as_of_date date comment 'the date of that run: the start of the period',
    customer_id varchar comment 'the customer',
    loyalty_tier varchar comment 'the tier then'
)
