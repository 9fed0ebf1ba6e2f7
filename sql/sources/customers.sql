-- customers: what is known about a customer besides the purchases, one row per customer.
-- grain: customer_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table customers (
    customer_id varchar not null comment 'the customer; varchar or any integer',
    created_at timestamp with time zone comment 'instant of registration',
    acquisition_channel varchar comment 'how the customer came: search, referral, …',
    country varchar comment 'as the shop names it',
    birth_date date comment 'day of birth',
    is_test boolean comment 'true for accounts of the shop itself, which count nowhere',
    primary key (customer_id)
)
