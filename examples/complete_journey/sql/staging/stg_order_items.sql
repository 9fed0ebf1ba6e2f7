-- stg_order_items: the lines of the till receipts.
-- grain: order_id, line_no
-- inputs: source.transactions
-- params: none
-- source: a basket has one line per product; see stg_orders for the amounts
select
    ---------- ids
    basket_id as order_id,
    cast(product_id as int) as line_no,
    product_id,

    ---------- numerics
    quantity,  -- in the product's own unit (fuel: 1/1000 gallon), 0 on some lines
    (sales_value + retail_disc + coupon_match_disc) / greatest(quantity, 1)
        as unit_price,  -- USD, on the shelf
    sales_value as net_amount  -- USD, received by the shop

from source.transactions
