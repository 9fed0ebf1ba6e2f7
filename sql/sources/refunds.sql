-- refunds: money given back for an order, one row per refund.
-- grain: refund_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table refunds (
    refund_id varchar not null comment 'the refund; varchar or any integer',
    order_id varchar not null comment 'the order that it belongs to',
    refunded_at timestamp with time zone not null comment 'instant of the refund',
    amount decimal(18, 4) not null
        comment 'money: given back, as a positive number; a negative one takes a refund back',
    currency varchar comment 'of the amount; NULL is the currency of the order',
    reason varchar comment 'as the shop names it',
    primary key (refund_id)
)
