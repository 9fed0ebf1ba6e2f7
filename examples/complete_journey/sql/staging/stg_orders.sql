-- stg_orders: one order per basket, from the lines of the till receipts.
-- grain: order_id
-- inputs: source.transactions
-- params: none
-- source: sales_value is what the shop receives for a line: on 99 % of the lines with a coupon, the
--     price of the same product in the same shop and week is sales_value + retail_disc +
--     coupon_match_disc. The two are the shop's own discounts. coupon_disc is the manufacturer's:
--     the customer pays with it, the manufacturer refunds it, the shop earns no less
with

transactions as (

    select
        basket_id,
        household_id,
        transaction_timestamp,
        cast(sales_value as decimal(18, 4)) as sales_value,
        cast(retail_disc as decimal(18, 4)) + cast(coupon_match_disc as decimal(18, 4))
            as shop_discount
    from source.transactions

)

select
    ---------- ids
    basket_id as order_id,
    household_id as customer_id,

    ---------- text
    'paid' as status,  -- receipts hold no cancelled baskets
    'store' as channel,

    ---------- numerics
    sum(sales_value) + sum(shop_discount) as gross_amount,  -- USD, at shelf prices
    sum(shop_discount) as discount_amount,  -- USD, loyalty card and doubled coupons
    sum(sales_value) as net_amount,  -- USD, received by the shop

    ---------- timestamps
    -- the instants are UTC: the data's own weeks begin at midnight in New York
    transaction_timestamp at time zone 'UTC' as ordered_at

from transactions
group by basket_id, household_id, transaction_timestamp
