-- stg_customers: the source customers through its contract; override it to map other columns.
-- grain: customer_id
-- inputs: source.customers
-- params: none
-- source: the contract in sources/customers.sql
select * from source.customers
