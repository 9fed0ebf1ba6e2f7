-- stg_orders: one order per line of the file.
-- grain: order_id
-- inputs: source.purchases
-- params: none
-- source: Fader and Hardie, "Notes on the CDNOW master data set"; the data have no order numbers,
--     so the line's number in the file is one
select
    ---------- ids
    line as order_id,
    customer_id,

    ---------- text
    'paid' as status,
    'web' as channel,

    ---------- numerics
    dollars as gross_amount,  -- USD

    ---------- timestamps
    purchased_on as ordered_at

from source.purchases
