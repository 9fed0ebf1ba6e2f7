-- stg_products: the source products through its contract; override it to map other columns.
-- grain: product_id
-- inputs: source.products
-- params: none
-- source: the contract in sources/products.sql
select * from source.products
