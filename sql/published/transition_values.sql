-- transition_values: the values of customers in the run that transition_segments is of.
-- grain: customer_id
-- inputs: none
-- params: none
-- source: definition below
-- table: customer_ltv
-- older: $transition_days
create table transition_values (
    as_of_date date comment 'the date of that run',
    customer_id varchar comment 'the customer',
    lifetime_value double comment 'money, historical and expected'
)
