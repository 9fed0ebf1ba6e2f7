-- stg_products: the products that the sampled households bought.
-- grain: product_id
-- inputs: source.products
-- params: none
-- source: a product has no name of its own: its type and package size stand for one
select
    ---------- ids
    product_id,

    ---------- text
    concat_ws(', ', product_type, package_size) as name,
    product_category as category,
    brand  -- 'National' or 'Private'

from source.products
