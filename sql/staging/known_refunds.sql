-- known_refunds: every refund once, and every row that broke its contract.
-- grain: refund_id, broken_rule
-- inputs: repeated_refund_ids, repeated_refunds, stg_refunds
-- params: $time_zone
-- source: definition in repeated_refunds
with

-- the small side of a join stands on the left: that side is held in memory
single_refunds as (

    select stg_refunds.*
    from repeated_refund_ids
    right anti join stg_refunds
        on repeated_refund_ids.refund_id = stg_refunds.refund_id
        and stg_refunds.broken_rule is null

),

refunds_once as (

    select * from single_refunds
    union all by name
    select * from repeated_refunds

)

select
    ---------- ids
    refund_id,
    order_id,

    ---------- text
    currency,
    broken_rule,
    broken_detail,

    ---------- numerics
    amount,  -- money of currency

    ---------- dates
    -- NULL for an instant beyond the calendar, which is out of range anyway
    business_date(refunded_at, $time_zone) as refunded_on  -- business date

from refunds_once
