-- transition_segments: the segments of the newest run that is at least $transition_days older.
-- grain: customer_id, scheme
-- inputs: none
-- params: none
-- source: definition below
-- table: customer_segments
-- older: $transition_days
create table transition_segments (
    as_of_date date comment 'the date of that run',
    customer_id varchar comment 'the customer',
    scheme varchar comment 'what the segments are of',
    segment varchar comment 'the segment then'
)
