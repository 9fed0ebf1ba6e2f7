-- stg_orders: the source orders through its contract; override it to map other columns.
-- grain: order_id
-- inputs: source.orders
-- params: none
-- kept: by file
-- source: the contract in sources/orders.sql
select * from source.orders
