-- known_orders: every order in the version that counts, and every row that broke its contract.
-- grain: order_id, broken_rule
-- inputs: repeated_order_ids, repeated_orders, stg_orders
-- params: $time_zone
-- source: definition in repeated_orders
with

-- the small side of a join stands on the left: that side is held in memory
single_versions as (

    select stg_orders.*
    from repeated_order_ids
    right anti join stg_orders
        on repeated_order_ids.order_id = stg_orders.order_id
        and stg_orders.broken_rule is null

),

versions_resolved as (

    select *, cast(1 as bigint) as versions from single_versions
    union all by name
    select * from repeated_orders

)

select
    ---------- ids
    order_id,
    customer_id,

    ---------- text
    status,
    currency,
    broken_rule,
    broken_detail,

    ---------- numerics
    gross_amount,  -- money of the order's currency, as all amounts here
    cost_amount,
    coalesce(
        net_amount,
        try_cast(
            gross_amount - coalesce(discount_amount, 0) - coalesce(tax_amount, 0)
            - coalesce(shipping_amount, 0)
            as decimal(18, 4)
        )
    ) as net_amount,  -- NULL when it is too large
    cast(versions as bigint) as versions,  -- rows that this order had

    ---------- booleans
    discount_amount = 0 as is_full_price,  -- NULL: a discount is not known of

    ---------- dates
    -- NULL for an instant beyond the calendar, which is out of range anyway
    business_date(ordered_at, $time_zone) as ordered_on

from versions_resolved
