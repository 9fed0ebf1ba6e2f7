-- stg_order_items: the source order_items through its contract; override it to map other columns.
-- grain: order_id, line_no
-- inputs: source.order_items
-- params: none
-- source: the contract in sources/order_items.sql
select * from source.order_items
