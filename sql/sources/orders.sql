-- orders: one row per order, or per version of an order; a purchase, whatever became of it.
-- grain: order_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: required
create table orders (
    order_id varchar not null comment 'the order; varchar or any integer',
    customer_id varchar comment 'who bought; NULL for guests; varchar or any integer',
    ordered_at timestamp with time zone not null comment 'instant of the order',
    status varchar not null comment 'as the shop names it: paid, shipped, cancelled, …',
    currency varchar comment 'of all amounts of this row; NULL is the reporting currency',
    gross_amount decimal(18, 4) not null check (gross_amount >= 0)
        comment 'money: before discount, with tax and shipping',
    discount_amount decimal(18, 4) comment 'money: taken off the gross amount; NULL is 0',
    tax_amount decimal(18, 4) comment 'money: tax inside the gross amount; NULL is 0',
    shipping_amount decimal(18, 4) comment 'money: shipping inside the gross amount; NULL is 0',
    net_amount decimal(18, 4)
        comment 'money: NULL is gross less discount, tax and shipping',
    cost_amount decimal(18, 4) comment 'money: cost of the goods sold; NULL is unknown',
    channel varchar comment 'where it was bought: web, shop, …',
    updated_at timestamp with time zone
        comment 'instant of this version of the order; the latest version counts',
    primary key (order_id)
)
