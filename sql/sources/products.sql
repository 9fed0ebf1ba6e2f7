-- products: what can be bought, one row per product.
-- grain: product_id
-- inputs: none
-- params: none
-- source: definition below
-- supply: optional
create table products (
    product_id varchar not null comment 'the product; varchar or any integer',
    name varchar comment 'as customers see it',
    category varchar comment 'as the shop names it',
    brand varchar comment 'as the shop names it',
    price_rank int comment 'position of the price within the upgrade group, 1 is the cheapest',
    upgrade_group varchar comment 'products that replace each other at different prices',
    launch_date date comment 'first day on sale',
    primary key (product_id)
)
