-- order_items: the lines of the orders, one row per order and line.
-- grain: order_id, line_no
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table order_items (
    order_id varchar not null comment 'the order; varchar or any integer',
    line_no int not null comment 'number of the line within its order',
    product_id varchar not null comment 'what was bought; varchar or any integer',
    quantity decimal(18, 4) not null comment 'pieces, or the unit of the product',
    unit_price decimal(18, 4) not null comment 'money: per unit, in the currency of the order',
    net_amount decimal(18, 4) not null comment 'money: of the line, after its discount',
    unit_cost decimal(18, 4) comment 'money: cost per unit; NULL is unknown',
    primary key (order_id, line_no)
)
