-- contracts: subscriptions and other contracts that go on until they are ended, one row each.
-- grain: contract_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table contracts (
    contract_id varchar not null comment 'the contract; varchar or any integer',
    customer_id varchar not null comment 'who has it; varchar or any integer',
    started_on date not null comment 'first day',
    ended_on date check (ended_on >= started_on)
        comment 'day on which it ended; NULL, or a later day: it goes on',
    plan varchar comment 'as the shop names it',
    value_per_period decimal(18, 4) not null check (value_per_period >= 0)
        comment 'money per contract period, in the reporting currency',
    primary key (contract_id)
)
