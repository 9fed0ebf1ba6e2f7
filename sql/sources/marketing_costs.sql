-- marketing_costs: money spent on marketing, one row per booking.
-- grain: none
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table marketing_costs (
    cost_date date not null comment 'business date of the cost',
    channel varchar not null comment 'as acquisition_channel of customers: search, social, …',
    purpose varchar not null comment 'acquisition, retention, winback, loyalty, …',
    amount decimal(18, 4) not null comment 'money; a negative one takes a cost back',
    currency varchar comment 'of the amount; NULL is the reporting currency'
)
