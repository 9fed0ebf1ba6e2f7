-- repeated_orders: the order ids that occur more than once, each in the version that counts.
-- grain: order_id
-- inputs: repeated_order_ids, stg_orders
-- params: $as_of_date, $time_zone
-- source: a version ordered after $as_of_date never replaces an earlier one; then the greatest
--     updated_at up to $as_of_date counts, then a version without updated_at, then the earliest
--     later one, so that later versions change nothing; equal ones are ranked by content, so that
--     the choice does not depend on the order of rows
with

-- the small side of a join stands on the left: that side is held in memory
good_versions as (

    select
        stg_orders.*,
        coalesce(
            business_date(stg_orders.updated_at, $time_zone) <= $as_of_date,
            true
        ) as is_known,
        business_date(stg_orders.ordered_at, $time_zone) <= $as_of_date as is_past
    from repeated_order_ids
    right semi join stg_orders
        on repeated_order_ids.order_id = stg_orders.order_id
    where stg_orders.broken_rule is null

),

ranked as (

    select
        *,
        count(*) over (partition by order_id) as versions,
        row_number() over (
            partition by order_id
            order by
                is_past desc nulls last,
                is_known desc,
                case when is_known then updated_at end desc nulls last,
                updated_at asc nulls last,
                ordered_at desc,
                status,
                net_amount,
                gross_amount,
                discount_amount,
                tax_amount,
                shipping_amount,
                cost_amount,
                currency,
                customer_id,
                channel
        ) as version_rank
    from good_versions

)

select
    ---------- ids
    order_id,
    customer_id,

    ---------- text
    status,
    currency,
    channel,

    ---------- numerics
    gross_amount,  -- money of the order's currency, as all amounts here
    discount_amount,
    tax_amount,
    shipping_amount,
    net_amount,
    cost_amount,
    versions,  -- good rows of this order_id, identical copies included

    ---------- timestamps
    ordered_at,
    updated_at

from ranked
where version_rank = 1
